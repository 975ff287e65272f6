"""Threads are settled before libraries load: how many, and whether they spin, by the cores that are free."""

import os
import subprocess
import sys

import pytest

from talkface import threads

VARIABLES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment that says nothing of threads, and gets nothing of what is set here."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("wanted", "free", "policy"),
    [(2, 2.0, None), (2, 1.7, None), (2, 1.0, "PASSIVE"), (2, 0.2, "PASSIVE"), (8, 6.0, "PASSIVE"), (1, 0.0, None)],
)
def test_threads_sleep_where_cores_are_wanted_by_others(monkeypatch, wanted, free, policy):
    monkeypatch.setattr(threads, "free_cores", lambda: free)
    threads.settle_threads(wanted)
    assert os.environ["OMP_NUM_THREADS"] == str(wanted)
    assert os.environ.get("OMP_WAIT_POLICY") == policy


def test_what_the_environment_says_stands(monkeypatch):
    monkeypatch.setattr(threads, "free_cores", lambda: 0.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    threads.settle_threads(2)
    assert [os.environ[name] for name in VARIABLES] == ["7", "ACTIVE"]


def test_a_busy_process_takes_a_core():
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not tell which cores a process may use")
    core = next(iter(os.sched_getaffinity(0)))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # of one core alone, so that other tests beside this one change nothing
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert threads.free_cores(sample_s=0.5) < 0.4
    finally:
        busy.kill()
        busy.wait()
        os.sched_setaffinity(0, before)


def test_a_system_that_tells_nothing_counts_as_idle(monkeypatch):
    monkeypatch.setattr(threads, "_times", lambda cores: (_ for _ in ()).throw(OSError))
    assert threads.free_cores() == os.cpu_count()


def test_jobs_settle_before_numpy_is_loaded(project, tmp_path):
    code = (
        "import sys; from talkface.logs import log_to\n"
        f"with log_to({str(tmp_path / 'x.log')!r}, threads=1):\n"
        "    assert 'numpy' not in sys.modules\n    import os; print(os.environ['OMP_NUM_THREADS'])\n"
    )
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    environment["PYTHONPATH"] = str(project / "workflow" / "scripts")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
