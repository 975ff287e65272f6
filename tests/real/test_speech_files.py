"""Sample speech of other systems and of LibriSpeech: rates from 8 to 48 kHz, seconds to half a minute."""

import numpy as np
import pytest
import soundfile

from talkface.models.registry import network_names
from talkface.prediction import streaming
from tests.toy_corpus import save_fresh_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fresh weights of each network."""
    return save_fresh_weights(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("name", network_names())
def test_each_sample_gives_a_face_for_each_frame(shared_data, folder, tmp_path, name):
    files = sorted((shared_data / "speech").iterdir())
    short = [path for path in files if soundfile.info(path).duration < 6]
    assert len(short) >= 4
    for path in short:
        info = soundfile.info(path)
        streaming.predict_file(path, tmp_path / "faces.npy", weights=folder / f"{name}.pt", device="cpu")
        faces = np.load(tmp_path / "faces.npy")
        assert faces.shape == (int(np.ceil(info.frames * 8_000 / info.samplerate)) // 320 + 1, 68, 2), path.name
        assert np.isfinite(faces).all()
        assert np.ptp(faces, axis=0).max() > 1e-3, f"{path.name}: the face does not move"
