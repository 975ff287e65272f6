"""Speed of prediction: the base network over a whole file beside window by window; memory for an hour of speech."""

import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from published_prediction import published_coefficients
from published_training import PublishedNetwork
from speech_data import make_dataset, run_measured

from talkface.models import checkpoint
from talkface.models.registry import build_network
from talkface.prediction.streaming import predict_samples
from talkface.training.dataset import read_part, read_shape_model

ROUNDS = 5
HOUR_S = 3_600
PREDICT = """
from talkface.prediction.streaming import predict_file
predict_file(sys.argv[1], sys.argv[2], weights=sys.argv[3], threads=2, device="cpu")
"""


def run(data: Path | None) -> list[dict]:
    """Measure frames a second of `cnn`, largest difference, and peak memory for an hour of speech."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make_dataset(folder / "bench.h5", data)
        model, part = read_shape_model(path), read_part(path, "test", rate=8_000)
        torch.manual_seed(0)
        theirs, ours = PublishedNetwork(), build_network("cnn", model, {"level": "peak"}).eval()
        ours.load_state_dict(theirs.state_dict())
        samples = part.audio
        scaled = samples.astype(np.float32) / np.abs(samples.astype(np.float32)).max()
        times, results = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            slow = model.decode(published_coefficients(theirs, scaled))
            middle = time.perf_counter()
            fast = predict_samples(ours, samples)
            times.append((middle - start, time.perf_counter() - middle))
            results.append(np.abs(slow - fast).max())
        times = np.array(times)
        speed = len(fast) / np.median(times, axis=0)
        common = {"case": "prediction", "unit": "frames/s"}
        rows.append(
            common
            | {"work": f"cnn, {len(fast)} frames", "published": speed[0], "ours": speed[1]}
            | {"ratio": np.median(times[:, 0] / times[:, 1]), "required": ">= 7"}
        )
        rows.append(
            common
            | {"work": "cnn, largest difference", "unit": "outer-eye distances", "ours": max(results)}
            | {"required": "<= 1e-5"}
        )
        hour = folder / "hour.wav"
        with soundfile.SoundFile(str(hour), "w", 44_100, 1, subtype="PCM_16") as file:
            generator = np.random.default_rng(0)
            for _ in range(HOUR_S // 10):
                file.write(generator.uniform(-0.3, 0.3, 441_000).astype(np.float32))
        for network in ("talkface", "cnn"):
            weights = folder / f"{network}.pt"
            fresh = build_network(network, model, {})
            checkpoint.save_file(weights, checkpoint.pack_network(fresh, name=network, arguments={}, shape_model=model))
            start = time.perf_counter()
            peak = run_measured(PREDICT, hour, folder / "faces.npy", weights)
            seconds = time.perf_counter() - start
            work = f"{network}, peak memory for one hour of speech ({seconds:.0f} s)"
            rows.append(common | {"work": work, "unit": "MB", "ours": peak, "required": "< 1000"})
    return rows
