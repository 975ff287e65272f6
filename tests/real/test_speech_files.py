"""Sample speech of other systems and of LibriSpeech: rates from 8 to 48 kHz, seconds to half a minute."""

import numpy as np
import pytest
import soundfile
import torch

from talkface import checkpoint, prediction
from talkface.models import build_network, network_names
from talkface.shape_model import fit_shape_model
from tests.toy_corpus import shapes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fresh weights of each network."""
    folder = tmp_path_factory.mktemp("models")
    faces = shapes(np.random.default_rng(0).uniform(size=100))
    faces += 0.01 * np.random.default_rng(1).standard_normal(faces.shape).astype(np.float32)
    shape_model = fit_shape_model(faces)
    for name in network_names():
        torch.manual_seed(0)
        network = build_network(name, shape_model, {})
        content = checkpoint.pack_network(network, name=name, arguments={}, shape_model=shape_model)
        checkpoint.save_file(folder / f"{name}.pt", content)
    return folder


@pytest.mark.parametrize("name", network_names())
def test_each_sample_gives_a_face_for_each_frame(shared_data, folder, tmp_path, name):
    files = sorted((shared_data / "speech").iterdir())
    short = [path for path in files if soundfile.info(path).duration < 6]
    assert len(short) >= 4
    for path in short:
        info = soundfile.info(path)
        prediction.predict_file(path, tmp_path / "faces.npy", weights=folder / f"{name}.pt", device="cpu")
        faces = np.load(tmp_path / "faces.npy")
        assert faces.shape == (int(np.ceil(info.frames * 8_000 / info.samplerate)) // 320 + 1, 68, 2), path.name
        assert np.isfinite(faces).all()
        assert np.ptp(faces, axis=0).max() > 1e-3, f"{path.name}: the face does not move"
