"""One measurement of shared_machine.py: prints the median seconds of one unit of work.

    python benchmarks/shared_machine_worker.py talkface bench.h5 settled 2

Libraries are imported after the threads are settled, as in a job of the workflow.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

from talkface.threads import settle_threads

TIMES = 9


def training(network: str, dataset: str) -> Callable[[], object]:
    """Return a step of a training."""
    import torch

    from talkface.models.registry import build_network
    from talkface.training.batches import Batches, batches
    from talkface.training.dataset import read_part, read_shape_model
    from talkface.training.loop import Run
    from talkface.training.recipe import Recipe

    if network == "talkface":
        settings = Recipe(network="talkface", stretches=16, frames=75, arguments={"noise_share": 0.0})
    else:
        settings = Recipe(network="cnn", stretches=8, frames=16)
    torch.manual_seed(0)
    made = build_network(network, read_shape_model(dataset), settings.arguments)
    corpus = Batches(read_part(dataset, "train", rate=made.rate), made, torch.device("cpu"))
    run = Run(made, settings, steps=10**9, device=torch.device("cpu"))
    steps = batches(corpus, settings, seed=0, first_step=0, last_step=10**9)
    return lambda: run.advance(next(steps)[1]).item()


def prediction(dataset: str) -> Callable[[], object]:
    """Return a prediction of a sentence."""
    import torch

    from talkface.models.registry import build_network
    from talkface.prediction.streaming import predict_samples
    from talkface.training.dataset import read_part, read_shape_model

    torch.manual_seed(0)
    network = build_network("talkface", read_shape_model(dataset), {}).eval()
    sound = read_part(dataset, "test", rate=network.rate).audio_of(0)
    return lambda: predict_samples(network, sound)


def evaluation(dataset: str) -> Callable[[], object]:
    """Return a mixture, its prediction and its measures."""
    import numpy as np

    from talkface.evaluation import metrics
    from talkface.models.registry import network_class
    from talkface.noise.mixing import add_noise
    from talkface.training.dataset import read_part, read_shape_model

    predict, shape_model = prediction(dataset), read_shape_model(dataset)
    part = read_part(dataset, "test", rate=network_class("talkface").rate)
    sound, truth = part.audio_of(0) / 32_768, part.shape_of(0)
    noise = np.random.default_rng(0).standard_normal(len(sound))
    loudness = np.random.default_rng(1).uniform(size=len(truth))

    def measured() -> None:
        add_noise(sound, noise, snr_db=10.0, level_db=-26.0)
        metrics.measure_all(predict()[: len(truth)], truth, loudness=loudness, shape_model=shape_model)

    return measured


def compiled() -> Callable[[], object]:
    """Return landmarks of faces by the compiled predictor."""
    import numpy as np

    from talkface.face.predictor import load_predictor, predict, predictor_path

    predictor = load_predictor(predictor_path())
    pictures = np.random.default_rng(0).integers(0, 255, (8, 120, 120)).astype(np.uint8)
    boxes = np.tile([20.0, 20.0, 99.0, 99.0], (64, 1))
    return lambda: predict(predictor, pictures, np.arange(64) % 8, boxes)


def main() -> None:
    """Measure what the command line names."""
    kind, dataset, how, threads = sys.argv[1:]
    if how == "settled":
        settle_threads(int(threads))
    elif how == "single":
        settle_threads(1)
    if kind != "compiled":
        import torch

        alone = how == "single" or kind in ("prediction", "evaluation")  # whose rules have one thread
        torch.set_num_threads(1 if alone else int(threads))
    work = {"prediction": prediction, "evaluation": evaluation}.get(kind)
    step = work(dataset) if work else compiled() if kind == "compiled" else training(kind, dataset)
    step(), step()  # the first ones allocate and compile
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    print(sorted(times)[len(times) // 2])


if __name__ == "__main__":
    main()
