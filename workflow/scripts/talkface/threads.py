"""Threads of numerical libraries: how many they start, and how these wait for each other.

OpenMP's threads wait by spinning, which is fastest where each has a core. Where another process wants that core, they
spin while the one they wait for stands still: beside one busy process a training step of two threads took two to three
times that of one thread, beside four up to four times. Threads that sleep instead cost a tenth or two there, but nearly
double a step on an idle machine. So the cores that are free decide when a process begins. The numbers are the same
either way: they depend on how many threads there are, not on how these wait.
"""

import os
import time
from pathlib import Path

SAMPLE_S = 0.2  # a process that just ended is no longer seen, one that spins is
ENOUGH = 0.5  # cores; a few daemons may take so much of those that the threads want


def settle_threads(threads: int) -> None:
    """Say how many threads libraries shall start, and how these wait; before any such library is loaded.

    Sets `OMP_NUM_THREADS`, which OpenMP, OpenBLAS and MKL heed, and `OMP_WAIT_POLICY`, which GNU's OpenMP (wheels of
    torch) and LLVM's (conda) heed. What the environment says already stands.

    Parameters
    ----------
    threads : int
        Of this process.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if threads > 1 and "OMP_WAIT_POLICY" not in os.environ and free_cores() < threads - ENOUGH:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def free_cores(*, sample_s: float = SAMPLE_S) -> float:
    """Measure how many of the cores that this process may use are idle; all of them where the system does not tell."""
    try:
        cores = os.sched_getaffinity(0)
        before = _times(cores)
        time.sleep(sample_s)
        idle, total = (after - earlier for after, earlier in zip(_times(cores), before, strict=True))
    except (AttributeError, OSError, ValueError):  # Linux alone has both
        return float(os.cpu_count() or 1)
    return len(cores) * idle / total if total else float(len(cores))


def _times(cores: set[int]) -> tuple[int, int]:
    """Read how long cores were idle, and how long they have run, in ticks; waiting for a disk counts as idle."""
    idle = total = 0
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *counts = line.split()
        if name.removeprefix("cpu").isdigit() and int(name.removeprefix("cpu")) in cores:
            ticks = [int(count) for count in counts[:8]]  # user nice system idle iowait irq softirq steal
            idle, total = idle + ticks[3] + ticks[4], total + sum(ticks)
    return idle, total
