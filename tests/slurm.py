"""Stand-ins for the commands of Slurm that its executor calls: each job runs at once, on this machine."""

import stat
import sys

COMMANDS = {
    "sinfo": "",
    "scancel": "",
    "sacct": "",
    "sacctmgr": "",
    "scontrol": 'print("MinJobAge = 3600 sec")',
    "squeue": """
for path in sorted(jobs.glob("*.status")):
    print(f"{path.stem}|{path.read_text()}")
""",
    "sbatch": """
(wrap,) = [word.removeprefix("--wrap=") for word in words if word.startswith("--wrap=")]
number = str(len(list(jobs.glob("*.status"))) + 1)
status = jobs / f"{number}.status"
status.write_text("RUNNING")
(jobs / f"{number}.command").write_text(wrap)
end = f'if sh {jobs / number}.command >{jobs / number}.log 2>&1; then echo COMPLETED; else echo FAILED; fi >{status}'
subprocess.Popen(["sh", "-c", end], env=os.environ | {"SLURM_JOB_ID": number}, start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(number)
""",
    "srun": """
while words[0].startswith("-"):
    words.pop(0)
os.execvp(words[0], words)
""",
}
HEAD = """#!{python}
import os, pathlib, subprocess, sys
jobs, words = pathlib.Path({jobs!r}), sys.argv[1:]
"""
EXECUTOR = (
    "--executor", "slurm", "--jobs", "2", "--slurm-no-account", "--slurm-status-command", "squeue",
    "--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1", "--latency-wait", "5",
)  # fmt: skip


def write_commands(folder):
    """Write them into folder/bin, which belongs on the PATH; what jobs say stands in folder/jobs/{number}.log."""
    jobs, programs = folder / "jobs", folder / "bin"
    jobs.mkdir()
    programs.mkdir()
    for name, body in COMMANDS.items():
        program = programs / name
        program.write_text(HEAD.format(python=sys.executable, jobs=str(jobs)) + body)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return programs, jobs
