"""CUDA graphs of functions of tensors: recorded once for the shapes of the arguments, then replayed."""

import functools
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

GRAPHS_KEPT = 16  # recorded shapes: two of each layer while training, and room for another shape


class Recording:
    """A function of tensors on a graphics card, recorded for their shapes and played again on other numbers.

    What it returns is copied out of the recording's own memory, so that a second call does not spoil the first one's
    results.
    """

    def __init__(self, function: Callable[..., tuple[Tensor | None, ...]], given: tuple[Tensor | None, ...]):
        self.inputs = [None if value is None else value.detach().clone() for value in given]
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside), torch.no_grad():  # libraries take their workspaces before the recording
            for _ in range(2):
                function(*self.inputs)
        here.wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.outputs = function(*self.inputs)

    def __call__(self, given: tuple[Tensor | None, ...]) -> tuple:
        """Replay on other arguments of the same shapes and return what the function returns."""
        for held, value in zip(self.inputs, given, strict=True):
            if held is not None and value is not None:
                held.copy_(value)
        self.graph.replay()
        return tuple(None if value is None else value.clone() for value in self.outputs)


recordings: OrderedDict[tuple, Recording] = OrderedDict()


def can_record(x: Tensor) -> bool:
    """Tell whether to record: on a card, unless somebody else is recording."""
    return x.is_cuda and not torch.cuda.is_current_stream_capturing()


def recorded(function: Callable, way: tuple, given: tuple[Tensor | None, ...]) -> Recording:
    """Return the recording of `function(*given, way=way)` for these shapes, made when they are first seen."""
    shapes = tuple(None if value is None else (tuple(value.shape), value.dtype) for value in given)
    device = next(value.device for value in given if value is not None)
    key = (function.__name__, way, shapes, device)
    if key not in recordings:
        with torch.cuda.device(device):
            recordings[key] = Recording(functools.partial(function, way=way), given)
    recordings.move_to_end(key)
    while len(recordings) > GRAPHS_KEPT:
        recordings.popitem(last=False)
    return recordings[key]
