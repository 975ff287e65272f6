"""Running the workflow as a user does, in a folder of its own."""

import os
import shutil
import subprocess
import sys

import pytest


def run_snakemake(project, *arguments, cwd, check=True, prefix=(), python=sys.executable):
    """Run snakemake as a process; give it, with the output in `.stdout` (both streams)."""
    command = [*prefix, str(python), "-m", "snakemake", "--snakefile", str(project / "Snakefile"), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-6000:]}")
    return done


def copy_workflow(project, place):
    """What a run needs of the project, elsewhere; give the place."""
    place.mkdir(parents=True)
    for name in ("Snakefile", "config", "workflow", "profiles", "envs"):
        source = project / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    return place


def run_rules(project, work, *targets, rules, check=True):
    """Run these rules alone, with the settings of mine.yaml in the working folder."""
    return run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", *rules, "--", *targets,
        cwd=work, check=check,
    )  # fmt: skip


@pytest.fixture
def snakemake(project, tmp_path):
    """Call snakemake with arguments, in a working folder of its own (`--directory` of nobody else)."""

    def run(*arguments, check=True, cwd=tmp_path, **keywords):
        return run_snakemake(project, *arguments, cwd=cwd, check=check, **keywords)

    return run
