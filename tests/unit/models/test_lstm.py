"""The network of Eskimez et al. 2018: features, faces, delay and context, generation, weights from elsewhere."""

import librosa
import numpy as np
import pytest
import soundfile
import soxr
import torch

from talkface.errors import TalkfaceError
from talkface.evaluation import metrics
from talkface.face import points
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.media.audio import extract_wav
from talkface.media.sound import Leveller
from talkface.models.inputs import Batch, Clips
from talkface.models.keras_weights import Layer
from talkface.models.registry import build_network, network_class
from talkface.prediction.streaming import predict_blocks, predict_samples, predict_sound
from talkface.training.batches import Batches
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import fit
from talkface.training.recipe import Recipe
from tests.toy_corpus import make_network, shapes, sound, toy_dataset, toy_shape_model

PUBLISHED = network_class("lstm").PUBLISHED["arguments"]
SMALL = {"hidden": 12}
CPU = torch.device("cpu")
HOP = 1_764
CORNERS = list(points.OUTER_EYE_CORNERS)


def make(**arguments):
    return make_network("lstm", **SMALL | arguments)


def speech(frames, *, seed=0):
    generator = np.random.default_rng(seed)
    return sound(generator.uniform(0, 1, frames * HOP), 44_100, generator)


def published_features(samples):
    """Differences of log-mel bands (T, 128) as the published script computed them, from samples (S,) in [-1, 1]."""
    spectrum = np.abs(librosa.stft(samples.astype(np.float64), n_fft=HOP, hop_length=HOP, pad_mode="reflect")) / (
        1 + 882
    )
    mel = np.log(1e-16 + librosa.feature.melspectrogram(S=spectrum**2, sr=44_100, n_mels=64)).T  # (T, 64)
    first = np.concatenate([np.zeros((1, 64)), np.diff(mel, n=1, axis=0)])
    second = np.concatenate([np.zeros((2, 64)), np.diff(mel, n=2, axis=0)])
    return np.concatenate([first, second], axis=1)[:, :128]


def published_inputs(features, context):
    """Each frame with the `context` frames before it, frame 0 repeated: (T, 128 (context + 1))."""
    return np.stack(
        [np.concatenate([features[max(0, t - back)] for back in range(context + 1)]) for t in range(len(features))]
    )


def published_outputs(network, inputs):
    """The last output of 75 frames anew for each frame, zeros before the first: (T, 136)."""
    outputs = []
    for t in range(len(inputs)):
        window = np.zeros((1, 75, inputs.shape[1]), np.float32)
        seen = inputs[max(0, t - 74) : t + 1]
        window[0, 75 - len(seen) :] = seen
        with torch.inference_mode():
            outputs.append(network.run(torch.from_numpy(window))[0][0, -1].numpy())
    return np.stack(outputs)


def aligned(faces, corners=((-0.5, 0.0), (0.5, 0.0))):
    """Faces (T, 68, 2), each moved, turned and scaled so that its own outer eye corners lie on `corners`."""
    right, left = np.asarray(corners) @ [1, 1j]
    result = []
    for face in np.asarray(faces, np.float64):
        a, b = face[CORNERS] @ [1, 1j]
        z = right + (face @ [1, 1j] - a) / (b - a) * (left - right)
        result.append(np.stack([z.real, z.imag], axis=-1))
    return np.stack(result)


def aligned_to_mean(faces):
    return aligned(faces, toy_shape_model().mean[CORNERS])


def open_eyes(network):
    """Give fresh weights eye corners apart, so that the place of a face is well defined."""
    with torch.no_grad():
        network.layers[-1].bias.view(4, 68, 2)[3, CORNERS] = torch.tensor([[-1.0, 0.0], [1.2, 0.1]])
    return network


def part_of(*lengths, **more):
    """A part of clips of so many frames."""
    generator = np.random.default_rng(0)
    faces = np.concatenate([shapes(generator.uniform(size=length)) for length in lengths])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    audio = np.concatenate([speech(length, seed=index) for index, length in enumerate(lengths)])
    names = [f"clip{index}" for index in range(len(lengths))]
    given = {"landmarks": 200 + 100 * faces + generator.standard_normal(faces.shape)} | more
    return Clips(names, names, faces, offsets, audio, offsets * HOP, 44_100, **given)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("lstm") / "toy.h5", train=8, valid=2, test=1, rates=(44_100,))


@pytest.mark.parametrize("name", ["speech/eskimez_test1.flac", "voices/arctic/slt_arctic_a0004.wav"])
def test_sound_at_16_khz_is_heard_as_librosa_resamples_it(shared_data, tmp_path, name):
    """The 15 bands above 8 kHz hold what a resampler leaves there, and not the noise of 16 bits."""
    master = tmp_path / "master.wav"
    extract_wav(shared_data / name, master, rate=None, as_float=True)
    samples, _ = librosa.load(shared_data / name, sr=44_100)
    expected = published_features(samples)
    network, heard = make(context=0, **PUBLISHED), []
    to_features = network.to_features
    network.to_features = lambda *given: [made := to_features(*given), heard.append(made[0][0].numpy())][0]
    list(predict_sound(network, master)[1])
    heard = np.concatenate(heard)
    assert abs(len(heard) - len(expected)) <= 1
    inner = min(len(heard), len(expected)) - 1  # the last frame reaches beyond the end, where only one mirrors
    np.testing.assert_allclose(heard[:inner], expected[:inner], atol=1e-4)
    network = make(context=0, **PUBLISHED | {"resampling": "int16"})
    assert network.rounds


# Features ---------------------------------------------------------------------------------------------------------


def check_features(samples):
    network = make(**PUBLISHED)
    frames = 1 + len(samples) // HOP
    ours = network.listen(torch.from_numpy(samples), frames).numpy()
    np.testing.assert_allclose(ours, published_features(samples), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["eskimez_test1.flac", "librispeech_26-495-0000.flac", "timit_SX112.WAV"])
def test_features_of_real_speech_are_librosas(shared_data, name):
    samples, rate = soundfile.read(shared_data / "speech" / name, dtype="float32")
    check_features(soxr.resample(samples, rate, 44_100) if rate != 44_100 else samples)


def test_features_of_made_sound_are_librosas():
    check_features(speech(20)[: 20 * HOP - 500].astype(np.float32) / 32_768)


def test_levels_keep_the_level_and_floor_silence():
    network, samples = make(level="recorded"), torch.from_numpy(speech(20) / np.float32(32_768))
    loud, quiet = network.listen(samples, 20), network.listen(samples / 10, 20)
    assert loud.shape == (20, 192)
    heard = loud[:, :64] > -0.5  # well above the floor
    fallen = (loud - quiet)[:, :64][heard]  # by 20 dB
    torch.testing.assert_close(fallen, torch.full_like(fallen, np.log(100) / 4), atol=0.2, rtol=0)
    broken = torch.cat([samples[: 9 * HOP], torch.zeros(6 * HOP), samples[: 9 * HOP]])
    assert network.listen(broken, 24).abs().max() < 10
    assert make(**PUBLISHED).listen(broken, 24).abs().max() > 20  # of 37 from silence to sound
    assert network.listen(torch.zeros(10 * HOP), 10).abs().max() < 2


@pytest.mark.parametrize("arguments", [{}, PUBLISHED])
def test_a_clip_sounds_the_same_whole_and_in_stretches(arguments):
    network = make(delay=0, **arguments)
    samples = torch.from_numpy(speech(30) / np.float32(32_768))
    padded = torch.cat([samples[1:883].flip(0), samples])
    whole = network.listen(samples, 29)
    heard, state = [], None
    for first, count in ((0, 1), (1, 1), (2, 1), (3, 26)):
        sound_of = padded[None, first * HOP : (first + count) * HOP]
        features, spectrum = network.to_features(network.log_mel(sound_of), state)
        _, state = network(sound_of, state)
        torch.testing.assert_close(spectrum, state.spectrum)
        heard.append(features[0])
    torch.testing.assert_close(torch.cat(heard), whole, atol=1e-5, rtol=0)


def test_context_repeats_the_first_frame_and_goes_back_from_the_nearest():
    network = make(context=2, **PUBLISHED)
    features = np.random.default_rng(0).standard_normal((6, 128)).astype(np.float32)
    padded = np.concatenate([features[:1]] * 2 + [features])
    ours = network.with_context(torch.from_numpy(padded)[None])[0].numpy()
    np.testing.assert_array_equal(ours, published_inputs(features, 2))


def test_training_cuts_the_context_of_a_stretch_from_its_clip():
    part = part_of(20, 12)
    network = make(context=3, delay=2)
    corpus = Batches(part, network, CPU)
    batch = corpus.cut(torch.tensor([0, 1, 0]), torch.tensor([0, 0, 9]), 5)
    inputs = network.with_context(batch.sound)
    gain = [Leveller("running", rate=44_100).apply(part.audio_of(index)) for index in range(2)]
    for place, (clip, start) in enumerate(((0, 0), (1, 0), (0, 9))):
        features = network.listen(torch.from_numpy(gain[clip]), (20, 12)[clip]).numpy()
        expected = published_inputs(features, 3)[start : start + 5]
        np.testing.assert_allclose(inputs[place].numpy(), expected, atol=1e-5)


# Faces ------------------------------------------------------------------------------------------------------------


def test_template_faces_lie_in_the_unit_square_and_come_back():
    network = make()
    faces = torch.from_numpy(shapes([0.0, 0.5, 1.0]))[None]
    outputs = network.encode(faces)
    assert outputs.shape == (1, 3, 136)
    assert 0 < outputs.min() < outputs.max() < 1
    corners = outputs.view(3, 68, 2)[:, CORNERS]
    torch.testing.assert_close(corners, torch.tensor([[0.3, 1 / 3], [0.7, 1 / 3]]).expand(3, 2, 2), atol=1e-3, rtol=0)
    torch.testing.assert_close(network.decode(outputs), faces, atol=2e-3, rtol=0)


def test_each_frame_is_placed_by_its_own_eye_corners():
    generator = np.random.default_rng(0)
    turned = load_template() @ [[0.9, 0.2], [-0.2, 0.9]] * 0.3
    faces = turned + 0.4 + 0.01 * generator.standard_normal((5, 68, 2))
    ours = make().decode(torch.from_numpy(faces).float().flatten(1)[None])[0].numpy()
    np.testing.assert_allclose(ours, aligned_to_mean(faces), atol=1e-5)
    corners = toy_shape_model().mean[CORNERS]
    np.testing.assert_allclose(ours[:, CORNERS], np.broadcast_to(corners, (5, 2, 2)), atol=1e-6)


def test_a_face_without_eyes_is_scaled_as_expected():
    faces = make().decode(torch.full((1, 2, 136), 0.5))
    assert faces.isfinite().all()
    torch.testing.assert_close(make().decode(torch.rand(1, 2, 136) * 0.01).abs().max() < 0.1, torch.tensor(True))


def test_first_frame_faces_are_the_published_ones():
    part, network = part_of(9, 7), make(**PUBLISHED)
    targets = network.targets(part).reshape(-1, 68, 2)
    mean = aligned(toy_shape_model().mean[None])[0] * 0.4 + (0.5, 1 / 3)
    for first, last in ((0, 9), (9, 16)):
        frames = part.landmarks[first:last].astype(float)
        z = (frames @ [1, 1j] - frames[0, 36] @ [1, 1j]) / ((frames[0, 45] - frames[0, 36]) @ [1, 1j])
        placed = np.stack(
            [0.3 + 0.4 * z.real, 1 / 3 + 0.4 * z.imag], axis=-1
        )  # first corners on (0.3, 1/3), (0.7, 1/3)
        np.testing.assert_allclose(placed[0, CORNERS], [[0.3, 1 / 3], [0.7, 1 / 3]], atol=1e-12)
        # From first frame to mean shape: columns of the normal equations of a b c in a x + b y + c.
        known = np.column_stack([placed[0], np.ones(68)])
        affine = np.linalg.solve(known.T @ known, known.T @ mean).T
        sx, sy = np.hypot(affine[0, 0], affine[0, 1]), np.hypot(affine[1, 0], affine[1, 1])
        np.testing.assert_allclose(targets[first:last], mean + [sx, sy] * (placed - placed[0]), atol=1e-6)


@pytest.mark.parametrize("arguments", [{}, PUBLISHED])
def test_targets_come_late_by_the_delay(arguments):
    part = part_of(9, 7)
    plain, late = (make(delay=delay, **arguments).targets(part) for delay in (0, 2))
    assert late.shape == (16, 136)
    assert late.dtype == np.float32
    for first, last in ((0, 9), (9, 16)):
        np.testing.assert_array_equal(late[first : first + 3], np.repeat(plain[first : first + 1], 3, axis=0))
        np.testing.assert_array_equal(late[first + 3 : last], plain[first + 1 : last - 2])


def test_a_training_file_from_elsewhere_brings_features_and_faces():
    generator = np.random.default_rng(0)
    more = {
        "features": generator.standard_normal((16, 128)).astype(np.float32),
        "targets": generator.uniform(size=(16, 68, 2)).astype(np.float32),
    }
    part, network = part_of(9, 7, **more), make(delay=1, features="differences")
    np.testing.assert_array_equal(network.targets(part)[1:3], part.targets.reshape(16, 136)[[0, 1]])
    batch = Batches(part, network, CPU).cut(torch.tensor([1]), torch.tensor([2]), 4)
    np.testing.assert_array_equal(batch.sound[0, 3:].numpy(), part.features[11:15])
    with pytest.raises(TalkfaceError, match=r"has 128 features a frame; 192 were expected .*set features: differences"):
        make().targets(part)


# The network ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({"context": 3}, 1_975_528), ({"context": 5}, 2_231_528), ({"context": 0, "hidden": 200}, 1_088_128)],
)
def test_it_has_the_published_parameters(arguments, parameters):
    network = make_network("lstm", **PUBLISHED | arguments)
    assert sum(value.numel() for value in network.parameters()) == parameters
    assert {name.split(".")[-1] for name in network.state_dict()} == {"kernel", "recurrent_kernel", "bias"}
    first = network.layers[0]
    assert (first.activation, first.recurrent_activation) == ("sigmoid", "hard_sigmoid")
    assert (first.dropout, first.recurrent_dropout) == (0.2, 0.2)
    assert first.input_size == 128 * (arguments["context"] + 1)
    limit = np.sqrt(6 / (network.layers[3].input_size + 4 * 136))
    assert 0.9 * limit < network.layers[3].kernel.abs().max() <= limit


def test_it_starts_at_the_mean_face():
    model = toy_shape_model()
    torch.manual_seed(0)
    network = build_network("lstm", model, SMALL).eval()
    faces = predict_samples(network, speech(60))[15:]
    assert np.abs(faces - model.mean).max() < 0.05
    keras = build_network("lstm", model, SMALL | {"start": "keras"}).eval()
    assert np.abs(predict_samples(keras, speech(60))[15:] - model.mean).max() > 0.2


@pytest.mark.parametrize("generation", ["stateful", "window"])
@pytest.mark.parametrize(("delay", "context"), [(0, 0), (2, 3)])
def test_the_cut_into_chunks_changes_nothing(generation, delay, context):
    network = make(generation=generation, delay=delay, context=context)
    samples = speech(130)[:-700]
    results = []
    for chunk, blocks in ((1_000, [samples]), (7, np.array_split(samples, 13)), (1, [samples])):
        chunks = predict_blocks(network, blocks, rate=44_100, peak=1.0, chunk_frames=chunk)
        results.append(np.concatenate(list(chunks)))
        assert results[-1].shape == (130, 68, 2)
        np.testing.assert_allclose(results[-1], results[0], atol=1e-5)


@pytest.mark.parametrize(("delay", "context"), [(0, 3), (1, 3), (2, 5)])
def test_published_generation_is_the_loop_over_windows(delay, context):
    network = open_eyes(make(delay=delay, context=context, **PUBLISHED))
    samples = speech(90)
    inputs = published_inputs(published_features(samples / np.float32(32_768)).astype(np.float32), context)
    outputs = published_outputs(network, inputs)
    outputs = np.concatenate([outputs[delay:], np.repeat(outputs[-1:], delay, axis=0)])
    expected = aligned_to_mean(outputs.reshape(-1, 68, 2))
    faces = predict_samples(network, samples)
    assert faces.shape == (91, 68, 2)
    np.testing.assert_allclose(faces[:-1], expected[: len(faces) - 1], atol=1e-5)
    np.testing.assert_array_equal(faces[-delay - 1 :], np.repeat(faces[-1:], delay + 1, axis=0))


def test_windows_forget_what_is_older_than_75_frames():
    network = open_eyes(make(context=0, **PUBLISHED))
    samples = speech(120)
    changed = samples.copy()
    changed[: 10 * HOP] //= 3
    before, after = (predict_samples(network, given) for given in (samples, changed))
    assert not np.array_equal(before[84], after[84])
    np.testing.assert_allclose(before[86:], after[86:], atol=1e-6)


def test_stateful_generation_remembers_and_predicts_to_the_end():
    network = make(delay=2)
    samples = speech(40)
    faces = predict_samples(network, samples)
    assert (np.abs(np.diff(faces[-4:], axis=0)).max(axis=(1, 2)) > 0).all()
    longer = predict_samples(network, np.concatenate([samples, speech(5, seed=1)]))
    np.testing.assert_allclose(longer[:37], faces[:37], atol=1e-5)  # frame 37 hears what follows


@pytest.mark.parametrize("stretch", [0, 1])
def test_windows_of_several_stretches_at_once(stretch):
    network = make(generation="window", delay=1)
    audio = torch.from_numpy(np.stack([speech(11, seed=0), speech(11, seed=1)]) / np.float32(32_768))
    with torch.inference_mode():
        both, _ = network(audio)
        one, _ = network(audio[stretch : stretch + 1])
    torch.testing.assert_close(both[stretch : stretch + 1], one, atol=1e-6, rtol=0)


def test_what_a_stretch_hands_on_does_not_grow():
    network, state = make(generation="window"), None
    sizes = []
    with torch.inference_mode():
        for _ in range(3):
            _, state = network(torch.randn(1, 90 * HOP), state)
            sizes.append([part.untyped_storage().nbytes() for part in (state.spectrum, state.frames, state.inner)])
    assert sizes[1] == sizes[2]
    assert state.inner.shape == (1, 74, 4 * SMALL["hidden"])


def test_any_stack_of_lstm_and_dense_layers():
    stack = [
        ["dense", 20, "relu", "linear", 0.0, 0.0],
        ["lstm", 9, "tanh", "sigmoid", 0.1, 0.0],
        ["dense", 30, "softmax", "linear", 0.0, 0.0],
        ["lstm", 8, "sigmoid", "hard_sigmoid", 0.0, 0.2],
        ["dense", 136, "linear", "linear", 0.0, 0.0],
    ]
    network = make(stack=stack, context=1, generation="window", level="recorded", features="differences")
    assert [tuple(value.shape) for value in network.layers[0].parameters()] == [(256, 20), (20,)]
    samples = speech(80)
    inputs = published_inputs(published_features(samples / np.float32(32_768)).astype(np.float32), 1)
    with torch.inference_mode():
        ours, _ = network.run_windows(torch.from_numpy(inputs)[None], None)
    np.testing.assert_allclose(ours[0].numpy(), published_outputs(network, inputs), atol=1e-5)


# Training ---------------------------------------------------------------------------------------------------------


def test_eight_windows_are_learnt_by_heart():
    network = make(hidden=32, dropout=0.0, recurrent_dropout=0.0).train()
    faces = network.encode(torch.from_numpy(shapes(np.random.default_rng(0).uniform(size=80))).view(8, 10, 68, 2))
    known = (torch.arange(10) >= 3).expand(8, 10)  # cells start empty: no weights put a chin where it belongs at once
    batch = Batch(torch.randn(8, 13, 192, generator=torch.Generator().manual_seed(0)), faces, known)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    spread = (faces - faces.mean(dim=(0, 1))).square().mean().item()
    for _ in range(280):
        loss = network.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 * spread


def read_toy(dataset):
    parts = {split: read_part(dataset, split, rate=44_100, landmarks=True) for split in ("train", "valid")}
    return parts, read_shape_model(dataset)


BLOCK = {
    "network": "lstm",
    "stretches": 8,
    "frames": 30,
    "learning_rate": 0.01,
    "schedule": "cosine",
    "max_epochs": 1_000,
    "patience_epochs": 0,
    "arguments": SMALL | {"delay": 1},
}


@pytest.mark.parametrize("published", [False, True])
def test_a_training_is_finite_and_repeats_itself(dataset, published):
    settings = Recipe.read(BLOCK | {"max_steps": 12, "published": published}, name="lstm")
    assert settings.arguments == SMALL | {"delay": 1} | (PUBLISHED if published else {})
    parts, model = read_toy(dataset)
    runs = [fit(parts, model, settings, seed=3) for _ in range(2)]
    assert runs[0].curve[-1]["valid_loss"] == runs[1].curve[-1]["valid_loss"]
    assert all(torch.equal(runs[0].best[name], runs[1].best[name]) for name in runs[0].best)
    assert runs[0].best_step == (12 if published else min(runs[0].curve, key=lambda row: row["valid_loss"])["step"])
    other = fit(parts, model, settings, seed=4)
    assert other.curve[-1]["valid_loss"] != runs[0].curve[-1]["valid_loss"]


def test_a_training_beats_the_mean_face(dataset):
    layers = [["lstm", units, "sigmoid", "hard_sigmoid", 0.0, 0.0] for units in (32, 136)]
    block = BLOCK | {"max_steps": 150, "learning_rate": 0.004, "arguments": {"stack": layers}}
    settings = Recipe.read(block, name="lstm")
    parts, model = read_toy(dataset)
    network = build_network("lstm", model, settings.arguments)
    network.load_state_dict(fit(parts, model, settings, seed=3).best)
    network.eval()
    part, errors = parts["valid"], []
    for index in range(len(part)):
        faces, truth = predict_samples(network, part.audio_of(index)), part.shape_of(index)
        still = np.repeat(model.mean[None], len(truth), axis=0)
        errors.append([metrics.rmse(given, truth, indices=points.LIPS) for given in (faces, still)])
    ours, mean_face = np.mean(errors, axis=0)
    assert ours < 0.7 * mean_face


# Weights from elsewhere -------------------------------------------------------------------------------------------


def keras_layers(width=512, units=(12, 136)):
    generator = np.random.default_rng(0)
    layers = []
    for number in units:
        shapes_of = {"kernel": (width, 4 * number), "recurrent_kernel": (number, 4 * number), "bias": (4 * number,)}
        arrays = {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes_of.items()}
        layers.append(Layer(f"lstm_{number}", "lstm", number, "sigmoid", "hard_sigmoid", 0.2, 0.2, arrays))
        width = number
    return layers


def test_keras_layers_become_a_network():
    kind, layers = network_class("lstm"), keras_layers()
    arguments, tensors = kind.from_keras(layers, {"delay": 1}, path="w.h5")
    assert arguments["context"] == 3
    assert arguments["features"] == "differences"
    assert arguments["level"] == "recorded"
    faceless = ShapeModel(load_template(), np.zeros((0, 136)), np.zeros(0), np.zeros(0))
    network = build_network("lstm", faceless, arguments)
    network.load_state_dict(tensors)
    np.testing.assert_array_equal(network.layers[1].kernel.detach().numpy(), layers[1].arrays["kernel"])
    assert network.same_stack(layers, path="w.h5").keys() == tensors.keys()


def test_weights_for_another_context_name_it():
    weights = make(context=3).state_dict()
    with pytest.raises(TalkfaceError, match=r"take 768 numbers a frame; 1152 were expected .*; set context: 3"):
        make(context=5).load_state_dict(weights)
    with pytest.raises(TalkfaceError, match="set other features"):
        make(context=3).load_state_dict(make(context=4, features="differences").state_dict())


# Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delay": -1}, "delay is -1; a whole number from 0"),
        ({"context": 1.5}, "context is 1.5; a whole number from 0"),
        ({"hidden": 0}, "hidden is 0; a whole number from 1"),
        ({"features": "mfcc"}, "features is 'mfcc'; one of levels, differences"),
        ({"normalisation": "none"}, "normalisation is 'none'; one of template, first_frame"),
        ({"generation": "loop"}, "generation is 'loop'; one of stateful, window"),
        ({"start": "zero"}, "start is 'zero'; one of mean_face, keras"),
        ({"level": "loud"}, "level is 'loud'"),
        ({"dropout": 2}, "dropout is 2; a share"),
        ({"stack": [["gru", 136, "tanh", "sigmoid", 0, 0]]}, r"\['gru', 136.* in stack; \[lstm or dense"),
        ({"stack": [["lstm", 64, "tanh", "sigmoid", 0, 0]]}, "last layer of stack has 64 units; 136 were expected"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(TalkfaceError, match=message):
        make(**arguments)


def test_a_delay_longer_than_a_clip_is_named():
    with pytest.raises(TalkfaceError, match="clip clip1: 3 frames; more than the delay of 3 were expected"):
        make(delay=3).targets(part_of(9, 3))
    with pytest.raises(TalkfaceError, match="the sound has 2 frames of 40 ms; more than the model's delay of 2"):
        predict_samples(make(delay=2, **PUBLISHED), speech(1))
    assert len(predict_samples(make(delay=2), speech(1))) == 2


def test_first_frame_faces_need_pixels():
    with pytest.raises(TalkfaceError, match="landmarks in pixels, and the data set holds none"):
        make(**PUBLISHED).targets(part_of(9, landmarks=None))
