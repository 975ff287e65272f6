"""The package as people install it: what the wheel holds, what it asks for, and that it works far from the checkout."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement

import talkface


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=project, check=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def settings(project):
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_wheel_holds_the_package_its_pages_and_the_weights(wheel, project):
    names = set(zipfile.ZipFile(wheel).namelist())
    scripts = project / "workflow" / "scripts"
    for path in (scripts / "talkface").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(scripts).as_posix() in names
    assert {"talkface/weights/talkface_demo.pt", "talkface/weights/talkface_voice.pt"} <= names
    assert not [name for name in names if not name.startswith(("talkface/", "talkface-"))]
    assert wheel.stat().st_size < 11_000_000


OUTSIDE = """
import json, sys
import talkface
light = "torch" not in sys.modules and "numpy" not in sys.modules
import numpy as np
model = talkface.load_model("talkface_voice")
face = talkface.predict(model, np.zeros(16_000), rate=16_000)
heavy = [name for name in ("snakemake", "dlib", "ffmpeg", "cv2", "av") if name in sys.modules]
print(json.dumps([talkface.__file__, talkface.__version__, light, list(face.shape), heavy]))
"""


def test_it_works_far_from_the_checkout(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE], cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    file, version, light, shape, heavy = json.loads(done.stdout)
    assert file.startswith(str(site))
    assert (version, light, shape, heavy) == (talkface.__version__, True, [26, 68, 2], [])


def test_the_pins_of_the_workflow_satisfy_what_the_package_asks_for(project, settings):
    def read(file):
        lines = (project / file).read_text(encoding="utf-8").splitlines()
        named = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
        return {re.sub("[-_.]+", "-", name).lower(): version for name, version in named}

    pins = read("requirements.txt")
    known = read("requirements-dev.txt") | pins  # extras that the workflow does without are tried in the tests
    groups = [settings["dependencies"], *settings["optional-dependencies"].values()]
    asked = [Requirement(text) for group in groups for text in group]
    for requirement in asked:
        name = re.sub("[-_.]+", "-", requirement.name).lower()
        if name != "talkface":
            assert requirement.specifier.contains(known[name]), f"{requirement}: the tests have {known[name]}"
            assert {bound.operator for bound in requirement.specifier} == {">="}
    named = {re.sub("[-_.]+", "-", requirement.name).lower() for requirement in asked}
    assert set(pins) <= named  # the extra workflow is all of it


def test_one_version(project, settings):
    assert settings["dynamic"] == ["version"]
    cited = re.search(r"^version: (.+)$", (project / "CITATION.cff").read_text(encoding="utf-8"), flags=re.M)
    assert cited.group(1).strip('"') == talkface.__version__
