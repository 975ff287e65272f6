"""The networks of Eskimez et al. 2020: base, noise-resilient, with the temporal condition, and both."""

import contextlib

import numpy as np
import pytest
import torch
from torch.nn import functional

from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.media.sound import resample
from talkface.models import checkpoint
from talkface.models.inputs import Batch
from talkface.models.networks.cnn import _drop
from talkface.models.registry import build_network, network_class
from talkface.noise.bank import NoiseBank
from talkface.prediction.streaming import predict_samples
from talkface.training.batches import Batches
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import fit, validate
from talkface.training.recipe import Recipe
from tests.toy_corpus import make_network, noise_for, toy_dataset, toy_shape_model

NR, TC = {"noise_resilient": True}, {"temporal_condition": True}
FED_BACK = TC | {"start": "drawn"}  # from the start
VARIANTS = {"base": {}, "nr": NR, "tc": TC, "tc_nr": NR | TC}
PUBLISHED = network_class("cnn").PUBLISHED["arguments"]
CPU = torch.device("cpu")


def published_window(network, window, earlier=None, *, dropout=0.0):
    """Coefficients (B, K) of windows (B, 2240), and features: the description of the paper, layer by layer."""
    x = window[:, None]
    for layer in (network.conv1, network.conv2, network.conv3, network.conv4):
        x = functional.dropout(functional.leaky_relu(layer(x), 0.3), dropout)
    assert x.shape[1:] == (512, 122)
    said = functional.leaky_relu(network.fc1(x.flatten(1)), 0.3)
    return said if earlier is None else network.fc2(torch.cat([said, earlier], dim=1)), x.flatten(1)


@contextlib.contextmanager
def seen_features(network):
    """A list of the features (B, P, 512) that the network looks at meanwhile."""
    seen, see = [], network.see
    network.see = lambda features: see(seen.append(features) or features)
    yield seen
    del network.see


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("cnn") / "toy.h5", train=4, valid=1, test=1, rates=(8_000,))


@pytest.fixture(scope="module")
def bank():
    return NoiseBank([np.random.default_rng(0).standard_normal(30_000)])


def batch_of(network, dataset, bank, *, frames=8, starts=(2, 20)):
    corpus = Batches(read_part(dataset, "train", rate=8_000), network, CPU, noise=bank)
    draw = torch.rand(len(starts), 2, generator=torch.Generator().manual_seed(0))
    return corpus.cut(torch.arange(len(starts)), torch.tensor(starts), frames, draw)


# Shapes and weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_are_the_published_ones(variant):
    network = make_network("cnn", **VARIANTS[variant])
    state = network.state_dict()
    conditioned = "temporal_condition" in VARIANTS[variant]
    assert sum(value.numel() for value in state.values()) == 3_989_766 + 78 * conditioned
    names = {"conv1", "conv2", "conv3", "conv4", "fc1"} | ({"fc2"} if conditioned else set())
    assert {key.split(".")[0] for key in state} == names
    assert state["fc1.weight"].shape == (6, 62_464)
    # Xavier-uniform: the bound is sqrt(6 / (fan in + fan out)).
    bound = np.sqrt(6 / (21 * 64 + 21 * 128))
    assert bound * 0.99 < state["conv2.weight"].abs().max() <= bound


def test_a_stretch_equals_its_windows_one_by_one():
    network = make_network("cnn")
    sound = noise_for(network, 9)
    with torch.inference_mode():
        whole, _ = network(sound)
        for frame in range(9):
            single, _ = published_window(network, sound[:, frame * 320 : frame * 320 + 2_240])
            torch.testing.assert_close(whole[:, frame], single, atol=1e-5, rtol=0)


def test_with_the_temporal_condition_too_and_it_begins_at_rest():
    network = make_network("cnn", **FED_BACK)
    sound = noise_for(network, 30)
    with torch.inference_mode():
        whole, state = network(sound)
        last = network.rest.expand(2, -1)
        for frame in range(30):
            last, _ = published_window(network, sound[:, frame * 320 : frame * 320 + 2_240], last)
            torch.testing.assert_close(whole[:, frame], last, atol=1e-5, rtol=0)
    assert torch.equal(state, whole[:, -1])
    given = make_network("cnn", rest=[1, 2, 3, 4, 5, 6], **TC)
    assert given.rest.tolist() == [1, 2, 3, 4, 5, 6]


def test_rest_is_the_template_in_two_dimensions_and_in_three():
    flat = toy_shape_model()
    depth = np.random.default_rng(0).standard_normal((7, 68, 1))
    mean = np.concatenate([flat.mean, depth[0]], axis=1)
    components = np.concatenate([flat.components.reshape(6, 68, 2), depth[1:]], axis=2).reshape(6, 204)
    solid = ShapeModel(mean, components, flat.variance_ratio, flat.deviation)
    torch.manual_seed(0)
    network = build_network("cnn", solid, TC)
    torch.testing.assert_close(network.rest, make_network("cnn", **TC).rest, atol=1e-5, rtol=0)
    outputs, _ = network(noise_for(network, 3))
    assert outputs.shape == (2, 3, 6)
    assert network.decode(outputs).shape == (2, 3, 68, 3)


def test_boosts_are_shown_and_not_fed_back():
    boosts = [1, 2.4, 2.8, 3.2, 3.6, 4]
    plain, boosted = (make_network("cnn", **FED_BACK, **more) for more in ({}, {"boosts": boosts}))
    sound = noise_for(plain, 12)
    with torch.inference_mode():
        (shown, state), (louder, other_state) = plain(sound), boosted(sound)
    torch.testing.assert_close(louder, shown * torch.tensor(boosts))
    assert torch.equal(state, other_state)


@pytest.mark.parametrize("arguments", [{}, FED_BACK])
def test_the_cut_into_chunks_changes_nothing(arguments):
    network = make_network("cnn", **arguments)
    sound = noise_for(network, 25)
    with torch.inference_mode():
        whole, end = network(sound)
        pieces, state, first = [], None, 0
        for count in (1, 7, 1, 16):
            piece, state = network(sound[:, first * 320 : (first + count) * 320 + 1_920], state)
            pieces.append(piece)
            first += count
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)
    if arguments:
        torch.testing.assert_close(state, end, atol=1e-5, rtol=0)


# Defects and their repair -----------------------------------------------------------------------------------------


def test_dropout_at_generation_is_drawn_window_by_window():
    samples = (8_000 * np.random.default_rng(0).uniform(-1, 1, 16_000)).astype(np.int16)
    quiet, dropping = make_network("cnn"), make_network("cnn", generation_dropout=True)
    np.testing.assert_array_equal(predict_samples(quiet, samples), predict_samples(quiet, samples))
    first, second = (dropping(noise_for(dropping, 4))[0] for _ in range(2))
    assert not torch.equal(first, second)
    with seen_features(dropping) as seen, torch.inference_mode():
        dropping(noise_for(dropping, 3, stretches=1))
    first, second, _ = seen[0]
    assert first.shape == (122, 512)
    assert 0.15 < (first == 0).float().mean() < 0.25
    assert (first[20:] != second[:-20]).float().mean() > 0.3  # overlapping windows share no mask
    # On average over many draws it is the network without.
    sound = noise_for(quiet, 1, stretches=1)
    with torch.inference_mode():
        drawn, _ = dropping(sound.expand(200, -1))
        one, _ = published_window(quiet, sound.expand(200, -1), dropout=0.2)
    assert (drawn.std(0) / one.std(0)).mean() == pytest.approx(1, abs=0.15)


def test_the_peak_is_that_at_22050_hz():
    """As the authors load a file; between the samples at 8 kHz, or beside them, it may be higher."""
    rng = np.random.default_rng(0)
    samples = np.repeat(rng.choice([-0.4, 0.4], 500), 50).astype(np.float32)  # clicks: much beyond 4 kHz
    network = make_network("cnn", **PUBLISHED)
    faces = predict_samples(network, samples, rate=22_050)
    resampled = resample((samples * 32_768).astype(np.int16), 22_050, 8_000)
    known = make_network("cnn", **PUBLISHED | {"level": "recorded"})
    theirs = np.round(resampled / (np.abs(samples).max())).astype(np.int32)
    np.testing.assert_allclose(
        faces, predict_samples(known, (theirs / 32_768).astype(np.float32))[: len(faces)], atol=2e-3
    )
    own_peak = np.abs(resampled).max() / 32_768
    assert abs(own_peak - 0.4) > 0.01  # at 8 kHz it is another


def test_published_drops_nothing(dataset):
    """Their torch, 0.4.1, reads a call of dropout that is not told to train as one that does nothing."""
    network = make_network("cnn", **PUBLISHED)
    sound = noise_for(network, 4)
    for training in (True, False):
        network.train(training)
        with seen_features(network) as seen:
            first, second = (network(sound)[0] for _ in range(2))
        assert torch.equal(first, second)
        assert (seen[0] == 0).float().mean() < 1e-4
    window, _ = published_window(network, sound[:, : network.WINDOW])
    torch.testing.assert_close(first[:, 0], window, atol=1e-5, rtol=0)


def test_training_windows_lay_half_a_frame_late(dataset):
    start, middle = (make_network("cnn", window_centre=centre, level="peak") for centre in ("start", "middle"))
    early, late = batch_of(start, dataset, None), batch_of(middle, dataset, None)
    torch.testing.assert_close(late.sound[:, :-160], early.sound)
    hear, seen = middle.hear, []
    middle.hear = lambda sound, **options: hear(seen.append(sound) or sound, **options)
    middle.gains.fill_(1)
    for training in (True, False):
        middle.train(training).loss(late)
        assert torch.equal(seen.pop(), late.sound[:, 160:])
    middle.eval()
    with torch.inference_mode():
        torch.testing.assert_close(middle(late.sound)[0], start(early.sound)[0], atol=1e-5, rtol=0)


def test_the_index_was_taken_for_the_ratio():
    assert make_network("cnn").ratios.tolist() == [6, 9, 12, 15, 18, 21, 24, 27, 30]
    assert make_network("cnn", snr="index").ratios.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    np.testing.assert_allclose(20 * np.log10(make_network("cnn").gains), [-12, -9, -6, -3, 0, 3, 6], atol=1e-5)
    assert make_network("cnn", gain_db=(0, 0, 3)).gains.tolist() == [1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_biases_and_the_feedback_began_at_random(variant):
    """Behind the first convolution drawn biases are louder than speech."""
    quiet, drawn = (make_network("cnn", start=start, **VARIANTS[variant]) for start in ("quiet", "drawn"))
    for name, value in quiet.named_parameters():
        assert (value == 0).all() == name.endswith("bias")
        assert not (drawn.get_parameter(name) == 0).all()
    assert torch.equal(quiet.fc1.weight, drawn.fc1.weight)
    speech = 0.15 * torch.randn(1, 4_000)
    heard = functional.conv1d(speech[:, None], drawn.conv1.weight, stride=2)
    assert drawn.conv1.bias.std() > 3 * heard.std()
    if "tc" in variant:
        heard, earlier = torch.randn(2, 4, 5, 6)
        assert torch.equal(quiet.condition(heard, earlier, 1.0), heard)
        assert not torch.equal(drawn.condition(heard, earlier, 1.0), heard)


@pytest.mark.parametrize("variant", VARIANTS)
def test_validation_was_drawn_too(dataset, bank, variant):
    corpus = {}
    for validation in ("quiet", "as_trained"):
        network = make_network("cnn", validation=validation, **VARIANTS[variant])
        batch = batch_of(network, dataset, bank)
        with torch.inference_mode():
            first, second = network.loss(batch), network.loss(batch)
        assert (first == second) == (validation == "quiet" and not network.wants_noise)
        corpus[validation] = Batches(read_part(dataset, "valid", rate=8_000), network, CPU, noise=bank)
        assert validate(network, corpus[validation]) == validate(network, corpus[validation])


def test_all_defects_together(dataset, bank):
    settings = Recipe.read({"network": "cnn", "arguments": NR | TC, "published": True}, name="x")
    assert (settings.stretches, settings.frames, settings.split) == (128, 1, "window")
    network = build_network("cnn", toy_shape_model(), settings.arguments)
    assert network.level == "peak"
    assert network.own_share == 0
    batch = batch_of(network, dataset, bank, frames=1)
    network.train().loss(batch).backward()
    assert all(value.grad.isfinite().all() for value in network.parameters())


# Training ---------------------------------------------------------------------------------------------------------


def undisturbed(**arguments):
    """A network that trains without drawing gain or dropout."""
    return make_network("cnn", gain_db=(0, 0, 3), dropout=0.0, **arguments).train()


def test_the_loss_is_the_absolute_error_of_known_frames(dataset):
    network = undisturbed()
    batch = batch_of(network, dataset, None, starts=(2, 55))  # five of eight frames lie within the second clip
    predicted, _ = network(batch.sound)
    expected = (predicted - batch.target)[batch.known].abs().mean()
    assert batch.known.sum() == 13
    torch.testing.assert_close(network.loss(batch), expected)


def test_noise_resilient_loss(dataset, bank):
    """L1 of clean, L1 of noisy, and the mean squared difference of features, windows that are known alone."""
    network = undisturbed(snr_db=(10, 10, 1), feature_weight=0.5, **NR)
    batch = batch_of(network, dataset, bank, starts=(2, 55))
    assert batch.noise.shape == batch.sound.shape
    power = batch.sound.square().mean(1, keepdim=True) / batch.noise.square().mean(1, keepdim=True)
    noisy = batch.sound + (power / 10).sqrt() * batch.noise
    errors, differences = [], []
    for frame in range(8):
        piece = slice(frame * 320, frame * 320 + 2_240)
        (a, clean), (b, other) = (published_window(network, sound[:, piece]) for sound in (batch.sound, noisy))
        errors.append((a - batch.target[:, frame]).abs() + (b - batch.target[:, frame]).abs())
        differences.append((clean - other).square().mean(1))
    expected = torch.stack(errors, 1)[batch.known].mean() + 0.5 * torch.stack(differences, 1)[batch.known].mean()
    torch.testing.assert_close(network.loss(batch), expected, rtol=1e-4, atol=0)


def test_noise_is_wanted_and_may_be_silent(dataset, bank):
    network = undisturbed(**NR)
    assert network.wants_noise
    batch = batch_of(network, dataset, bank)
    silent = network.loss(batch._replace(noise=torch.zeros_like(batch.noise)))
    torch.testing.assert_close(silent, 2 * undisturbed().loss(batch))
    assert network.loss(batch) != silent
    with pytest.raises(TalkfaceError, match="noise_resilient wants noise; name a file"):
        network.loss(batch._replace(noise=None))
    silent = network.eval().loss(batch._replace(noise=torch.zeros_like(batch.noise)))  # judged on clean and noisy
    torch.testing.assert_close(silent, 2 * undisturbed().eval().loss(batch))


def test_the_condition_is_the_frame_before_and_rest_at_the_beginning(dataset):
    network = make_network("cnn", **TC)
    part = read_part(dataset, "train", rate=8_000)
    targets = network.targets(part)
    own = network.encode(torch.from_numpy(part.shape)).numpy()
    assert targets.shape == (len(own), 2, 6)
    np.testing.assert_array_equal(targets[:, 0], own)
    np.testing.assert_array_equal(targets[1:60, 1], own[:59])
    for first in part.frame_offsets[:-1]:
        np.testing.assert_array_equal(targets[first, 1], network.rest)


def test_the_frame_before_is_true_or_its_own(dataset):
    heard, earlier = torch.randn(400, 5, 6), torch.randn(400, 5, 6)
    network = undisturbed(**FED_BACK)
    predicted = network.fc2(torch.cat([heard, earlier], dim=2))
    torch.testing.assert_close(network.condition(heard, earlier, 0.0), predicted)
    own = network.condition(heard, earlier, 1.0)
    last = earlier[:, 0]
    for frame in range(5):
        last = network.fc2(torch.cat([heard[:, frame], last], dim=1))
        torch.testing.assert_close(own[:, frame], last)
    mixed = network.condition(heard, earlier, 0.25)
    is_own = (mixed == own).all(dim=(1, 2))
    assert torch.equal(mixed, torch.where(is_own[:, None, None], own, network.condition(heard, earlier, 0.0)))
    assert 0.18 < is_own.float().mean() < 0.32
    # Judged as it generates: from the true frame before the stretch, then on its own.
    batch = batch_of(network, dataset, None)
    true = batch.target[:, :, 1].clone()
    batch.target[:, 1:, 1] = 1e3
    quiet = network.eval().loss(batch)
    batch.target[:, :, 1] = true
    assert network.loss(batch) == quiet


def test_dropout_is_shared_by_windows_that_overlap():
    network = make_network("cnn").train()
    with seen_features(network) as seen:
        network(noise_for(network, 3, stretches=2))
    assert seen[0].shape == (2, 122 + 40, 512)
    dropped = seen[0] == 0
    assert 0.19 < dropped.float().mean() < 0.21
    assert (dropped[0] != dropped[1]).float().mean() > 0.3
    # What stays grows, so that the mean stays.
    kept = _drop(torch.ones(999, 1_001), 0.3)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert kept.mean() == pytest.approx(1, abs=0.003)
    assert torch.equal(_drop(torch.ones(3), 0.0), torch.ones(3))


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_are_numbers_and_equal_seeds_give_equal_ones(dataset, bank, variant):
    found = []
    for _ in range(2):
        network = make_network("cnn", **VARIANTS[variant]).train()
        torch.manual_seed(3)
        network.loss(batch_of(network, dataset, bank)).backward()
        found.append([value.grad for value in network.parameters()])
    for first, second in zip(*found, strict=True):
        assert first.isfinite().all()
        assert first.abs().sum() > 0
        assert torch.equal(first, second)


@pytest.mark.parametrize("variant", ["tc_nr"])  # test_catalogue.py tries all
def test_eight_windows_are_learnt_by_heart(dataset, bank, variant):
    network = make_network("cnn", dropout=0.0, gain_db=(0, 0, 3), own_share=1.0, **VARIANTS[variant]).train()
    batch = batch_of(network, dataset, bank, frames=8, starts=(20,))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4, betas=(0.5, 0.999))
    with torch.no_grad():
        before = network.eval().loss(batch)
    network.train()
    torch.manual_seed(0)
    for step in range(50):
        for group in optimizer.param_groups:
            group["lr"] = 3e-4 * (1 - step / 50)
        optimizer.zero_grad()
        network.loss(batch).backward()
        optimizer.step()
    with torch.no_grad():
        assert network.eval().loss(batch) < 0.1 * before


@pytest.mark.parametrize("variant", ["base", "tc_nr"])
def test_trained_saved_and_loaded_it_predicts_the_same(dataset, bank, tmp_path, variant):
    parts = {split: read_part(dataset, split, rate=8_000) for split in ("train", "valid")}
    arguments, shape_model = VARIANTS[variant], read_shape_model(dataset)
    settings = Recipe(network="cnn", arguments=arguments, stretches=2, frames=4, max_steps=2)
    runs = [fit(parts, shape_model, settings, seed=1, noise=bank) for _ in range(2)]
    for first, second in zip(*(run.network.state_dict().values() for run in runs), strict=True):
        assert torch.equal(first, second)
    network = runs[0].network.eval()
    checkpoint.save_file(
        tmp_path / "w.pt",
        checkpoint.pack_network(network, name="cnn", arguments=arguments, shape_model=shape_model),
    )
    samples = parts["valid"].audio_of(0)
    loaded = checkpoint.load_network(tmp_path / "w.pt")
    np.testing.assert_array_equal(predict_samples(loaded, samples), predict_samples(network, samples))


def test_coefficients_of_a_training_file_are_targets_as_they_are(dataset):
    part = read_part(dataset, "train", rate=8_000)
    given = np.random.default_rng(0).standard_normal((len(part.shape), 6)).astype(np.float32)
    changed = type(part)(**{**vars(part), "targets": given})
    np.testing.assert_array_equal(make_network("cnn").targets(changed), given)
    np.testing.assert_array_equal(make_network("cnn", **TC).targets(changed)[:, 0], given)


# Bad settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"snr_db": []}, r"snr_db is \[\], which holds no value; \[lowest, highest, step\] was expected"),
        ({"snr_db": [30, 6, 3]}, "snr_db is .*, which holds no value"),
        ({"snr_db": [6, 30, 0]}, "snr_db is .*, which holds no value"),
        ({"gain_db": [6]}, "gain_db is .*, which holds no value"),
        ({"snr": "both"}, "snr is 'both'; one of list, index was expected"),
        ({"window_centre": "end"}, "window_centre is 'end'; one of start, middle"),
        ({"validation": "loud"}, "validation is 'loud'; one of quiet, as_trained"),
        ({"boosts": [1, 2]}, "boosts has 2 numbers, but the shape model has 6 components; give 6"),
        ({"rest": [0.0] * 7}, "rest has 7 numbers"),
        ({"level": "loud"}, "level is 'loud'"),
    ],
)
def test_a_wrong_setting_is_one_line(arguments, said):
    with pytest.raises(TalkfaceError, match=said) as caught:
        make_network("cnn", **arguments)
    assert "\n" not in str(caught.value)


def test_batches_may_be_made_by_hand():
    network = undisturbed()
    batch = Batch(noise_for(network, 2), torch.zeros(2, 2, 6), torch.ones(2, 2, dtype=torch.bool))
    torch.testing.assert_close(network.loss(batch), network(batch.sound)[0].abs().mean())
