"""Speed beside busy processes: threads that are settled by the cores that are free, beside one thread and the defaults.

Each measurement is a process of its own, as a job of the workflow is: how threads wait is read when libraries load. The
column `published` is what the row says it stands beside.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from speech_data import make_dataset

BUSY = (0, 1, 4)  # processes beside the one that is measured
ROUNDS = 3  # of processes, the settings in turn
THREADS = 2
# Of each kind of work: what one unit is.
TRAINING = {"talkface": "training step of talkface, 16 x 75 frames", "cnn": "training step of cnn, 8 x 16 frames"}
SINGLE = {
    "prediction": "prediction of 3 s by talkface",
    "evaluation": "mixing, prediction and measures of 3 s, talkface",
    "compiled": "landmarks of 64 pictures by the compiled predictor",
}


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many cores busy meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(kind: str, dataset: Path, *, how: str) -> float:
    """Return the seconds of one unit of work, in a process of its own; `how`: settled, single or default."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "KMP_"))}
    worker = Path(__file__).with_name("shared_machine_worker.py")
    command = [sys.executable, str(worker), kind, str(dataset), how, str(THREADS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def run(data: Path | None) -> list[dict]:
    """Measure each kind of work with 0, 1 and 4 busy processes beside it."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = make_dataset(Path(folder) / "bench.h5", data)
        for count in BUSY:
            beside = f"{count} busy process{'' if count == 1 else 'es'} beside it"
            with busy(count):
                for kind, work in TRAINING.items():
                    ways = ("settled", "single", "default")
                    times = {way: [] for way in ways}
                    for _ in range(ROUNDS):
                        for way in ways:
                            times[way].append(measure(kind, path, how=way))
                    ours, one, default = (float(np.median(times[way])) for way in ways)
                    limit = ">= 0.97" if count == 0 else ""
                    rows.append(_row(f"{work}, {beside}; beside threads that spin", default, ours, limit))
                    limit = "" if count == 0 else ">= 0.67"
                    rows.append(_row(f"{work}, {beside}; beside one thread", one, ours, limit))
                for kind, work in SINGLE.items():
                    pairs = [[measure(kind, path, how=way) for way in ("single", "default")] for _ in range(ROUNDS)]
                    ours, default = map(float, np.median(pairs, axis=0))
                    rows.append(_row(f"{work}, {beside}; beside the libraries' defaults", default, ours, ">= 0.97"))
    return rows


def _row(work: str, other: float, ours: float, required: str) -> dict:
    return {
        "case": "shared machine",
        "work": work,
        "unit": "ms",
        "published": 1e3 * other,
        "ours": 1e3 * ours,
        "ratio": other / ours,
        "required": required,
    }
