import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from talkface.errors import TalkfaceError
from talkface.media.sound import Leveller
from talkface.models import checkpoint
from talkface.models.base import BaseNetwork
from talkface.models.registry import network_names
from talkface.prediction import streaming
from tests.toy_corpus import save_fresh_weights, toy_shape_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Weights of every network, fresh from the constructor."""
    return save_fresh_weights(tmp_path_factory.mktemp("models"))


def noise(seconds, rate, *, seed=0):
    return np.random.default_rng(seed).uniform(-0.4, 0.4, int(seconds * rate)).astype(np.float32)


def predict(trained, name, audio, tmp_path):
    streaming.predict_file(audio, tmp_path / "faces.npy", weights=trained / f"{name}.pt", device="cpu")
    return np.load(tmp_path / "faces.npy")


@pytest.mark.parametrize("name", network_names())
@pytest.mark.parametrize(
    ("samples", "rate", "frames"),
    [
        (24_000, 8_000, 76),
        (23_999, 8_000, 75),
        (100, 8_000, 1),
        (132_300, 44_100, 76),
        (1, 44_100, 1),
        (48_000, 48_000, 26),
    ],
)
def test_shape_type_and_number_of_frames(trained, tmp_path, name, samples, rate, frames):
    soundfile.write(tmp_path / "a.wav", noise(4, rate)[:samples], rate)
    faces = predict(trained, name, tmp_path / "a.wav", tmp_path)
    assert faces.shape == (frames, 68, 2)
    assert faces.dtype == np.float32
    assert np.isfinite(faces).all()


@pytest.mark.parametrize("name", network_names())
def test_the_cut_into_chunks_changes_nothing(trained, name):
    network = checkpoint.load_network(trained / f"{name}.pt")
    samples = (noise(6, network.rate) * 32767).astype(np.int16)
    results = []
    for chunk, blocks in ((1_000, [samples]), (7, np.array_split(samples, 31)), (1, [samples])):
        chunks = streaming.predict_blocks(network, blocks, rate=network.rate, peak=0.4, chunk_frames=chunk)
        results.append(np.concatenate(list(chunks)))
        assert results[-1].shape == (151, 68, 2)
        np.testing.assert_allclose(results[-1], results[0], atol=1e-5)


def test_cnn_over_the_file_equals_windows_one_by_one(trained, tmp_path):
    rate, seconds = 8_000, 12.3
    soundfile.write(tmp_path / "a.wav", noise(seconds, rate), rate, subtype="PCM_16")
    faces = predict(trained, "cnn", tmp_path / "a.wav", tmp_path)
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    network = checkpoint.load_network(trained / "cnn.pt")
    padded = np.pad(Leveller(network.level, rate=rate).apply(samples), 1_120)  # half a window of zeros at both ends
    frames = len(samples) // 320 + 1
    assert len(faces) == frames
    with torch.inference_mode():
        for frame in range(0, frames, 7):
            window = torch.from_numpy(padded[320 * frame : 320 * frame + 2_240])[None]
            single = network.decode(network(window)[0])[0, 0].numpy()
            np.testing.assert_allclose(faces[frame], single, atol=1e-5)


@pytest.mark.parametrize("name", network_names())
def test_prediction_is_the_same_twice(trained, tmp_path, name):
    soundfile.write(tmp_path / "a.wav", noise(2, 16_000), 16_000, subtype="FLOAT")
    first = predict(trained, name, tmp_path / "a.wav", tmp_path)
    np.testing.assert_array_equal(predict(trained, name, tmp_path / "a.wav", tmp_path), first)


def test_where_the_level_follows_the_sound_a_quieter_file_gives_the_same(trained, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(2, 16_000), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", noise(2, 16_000) / 4, 16_000, subtype="FLOAT")
    first = predict(trained, "cnn", tmp_path / "a.wav", tmp_path)
    np.testing.assert_allclose(predict(trained, "cnn", tmp_path / "b.wav", tmp_path), first, atol=2e-3)


@pytest.mark.parametrize("name", network_names())
def test_silence_gives_a_still_face(trained, tmp_path, name):
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000 * 2), 16_000)
    faces = predict(trained, name, tmp_path / "a.wav", tmp_path)
    assert faces.shape == (51, 68, 2)
    assert np.ptp(faces[10:40], axis=0).max() < 0.05


def test_bad_sound_leaves_nothing_behind(trained, tmp_path):
    bad = noise(2, 16_000)
    bad[20_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", bad, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "empty.wav", bad[:0], 16_000)
    for name, said in (("nan", "no number"), ("empty", "no samples"), ("absent", "not readable")):
        with pytest.raises(TalkfaceError, match=said):
            predict(trained, "cnn", tmp_path / f"{name}.wav", tmp_path)
    assert not list(tmp_path.glob("*.npy"))


def test_weights_that_are_none_are_named(trained, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(1, 8_000), 8_000)
    (tmp_path / "weights.pt").write_text("no weights")
    with pytest.raises(TalkfaceError, match=r"weights\.pt: not readable as weights"):
        streaming.predict_file(tmp_path / "a.wav", tmp_path / "f.npy", weights=tmp_path / "weights.pt")
    torch.save({"network": "cnn"}, tmp_path / "weights.pt")
    with pytest.raises(TalkfaceError, match=r"weights\.pt: not weights of this version"):
        streaming.predict_file(tmp_path / "a.wav", tmp_path / "f.npy", weights=tmp_path / "weights.pt")


def test_weights_rebuild_their_network(trained):
    content = checkpoint.read_file(trained / "cnn.pt")
    network = checkpoint.unpack_network(content)
    assert not network.training
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in content["weights"].items())


PEAK = """
import sys
sys.path.insert(0, sys.argv[1])
from talkface.prediction.streaming import predict_file
predict_file(sys.argv[2], sys.argv[3], weights=sys.argv[4], device="cpu")
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(line.split()[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_file(trained, tmp_path, project):
    """Ten minutes take little more than half a minute: 40 MB would not hold the sound of the longer one."""
    peaks = []
    for minutes in (0.5, 10):
        soundfile.write(tmp_path / "a.wav", noise(60 * minutes, 44_100), 44_100, subtype="PCM_16")
        command = [sys.executable, "-c", PEAK, str(project / "workflow" / "scripts"), str(tmp_path / "a.wav")]
        command += [str(tmp_path / "f.npy"), str(trained / "talkface.pt")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
        assert len(np.load(tmp_path / "f.npy", mmap_mode="r")) == int(1_500 * minutes) + 1
    assert peaks[1] - peaks[0] < 40, peaks
    assert peaks[1] < 1_000


class Echo(BaseNetwork):
    """Shows each frame its sound, to see what lies beyond the ends of a file."""

    rate = 8_000
    edges = "reflect"
    before, after = 5, 640

    def __init__(self):
        super().__init__(toy_shape_model(), level="recorded")

    def forward(self, sound, state=None):
        return sound.unfold(1, self.before + self.after, self.hop), None

    def decode(self, outputs):
        return outputs.unflatten(2, (-1, 1))

    def loss(self, batch):
        return batch.sound.sum()


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_network_that_wants_it_hears_the_ends_mirrored(chunk):
    samples = np.arange(1, 321 * 4, dtype=np.int16)
    chunks = streaming.predict_blocks(Echo().eval(), [samples], rate=8_000, peak=1.0, chunk_frames=chunk)
    heard = np.concatenate([chunk for chunk in chunks if len(chunk)])[..., 0] * 32_768
    whole = np.pad(samples, (5, 1_000), mode="reflect")
    np.testing.assert_allclose(heard, [whole[320 * frame :][:645] for frame in range(5)], rtol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", network_names())
def test_a_stream_gives_what_the_whole_file_gives(trained, tmp_path, name, rate):
    samples = noise(3.1, rate)
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    whole = predict(trained, name, tmp_path / "a.wav", tmp_path)
    network = checkpoint.load_network(trained / f"{name}.pt")
    peak = max(
        np.abs(block.astype(int)).max(initial=0) / 32_768
        for block in streaming.read_blocks(tmp_path / "a.wav", network.rate)
    )
    stream = streaming.Stream(network, rate=rate, peak=peak)
    sizes = np.random.default_rng(1).integers(0, rate // 5, 200)
    ends = np.minimum(np.cumsum(sizes), len(samples))
    parts = [stream.push(block) for block in np.split(samples, ends[ends < len(samples)])]
    faces = np.concatenate([*parts, stream.finish()])
    np.testing.assert_allclose(faces, whole, rtol=0, atol=4e-6)  # faces of fresh weights are several units wide
    with pytest.raises(ValueError, match="finished"):
        stream.push(samples)


def test_a_stream_gives_each_frame_as_soon_as_it_can(trained):
    """The network talkface looks 120 ms ahead: frame i is known when sound until i/25 + 0.12 s is there."""
    network = checkpoint.load_network(trained / "talkface.pt")
    network.level = "running"
    stream = streaming.Stream(network)
    given = 0
    for step in range(100):
        given += len(stream.push(noise(0.02, network.rate, seed=step)))
        heard = (step + 1) * 20  # ms
        assert given == max(0, (heard - 120) // 40 + 1)
    assert given + len(stream.finish()) == 51


def test_a_stream_needs_the_peak_where_that_sets_the_level(trained):
    network = checkpoint.load_network(trained / "cnn.pt")
    network.level = "peak"
    with pytest.raises(TalkfaceError, match="give that as peak"):
        streaming.Stream(network)
    stream = streaming.Stream(network, peak=1.0)
    with pytest.raises(TalkfaceError, match="one channel of finite numbers"):
        stream.push(np.zeros((100, 2)))
    with pytest.raises(TalkfaceError, match="finite"):
        stream.push(np.array([np.nan]))
    assert stream.finish().shape == (0, 68, 2)
