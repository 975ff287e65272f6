"""A speaking head in readers that are not ours: the Khronos glTF validator, three.js in a real browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from talkface.export.gltf import write_gltf
from talkface.face3d import arkit
from talkface.face3d.camera import FLIP, turn_of
from talkface.face3d.face_model import load_face_model
from talkface.face3d.records import Motion

ENGINES = Path(__file__).resolve().parents[1] / "engines"
TYPES = {".html": "text/html", ".js": "text/javascript", ".glb": "model/gltf-binary"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Folder with the packages of engines/package.json; without node skipped, but an error in CI."""
    folder = tmp_path_factory.mktemp("engines")
    reason = "" if shutil.which("npm") else "no npm on the PATH"
    if not reason:
        for name in ("package.json", "validate.js", "page.html"):
            shutil.copy(ENGINES / name, folder)
        words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        reason = f"npm install: {installed.stderr[-300:]}" if installed.returncode else ""
    if reason:
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI requires it (see .ci/run)")
        pytest.skip(f"{reason}: heads are not opened by other readers")
    return folder


@pytest.fixture(scope="module")
def head(packages, shared_data):
    """The folder, with face.glb in it, of somebody who opens and closes the mouth and turns; and what moves."""
    t = np.arange(50)
    weights = np.zeros((50, 52), np.float32)
    weights[:, arkit.INDEX["jawOpen"]] = (0.5 - 0.5 * np.cos(t / 4)).clip(0, 1)
    weights[:, arkit.INDEX["mouthSmileLeft"]] = t / 60
    motion = Motion(weights, np.column_stack([0.3 * np.sin(t / 9), 0.1 * np.cos(t / 7), 0 * t]))
    model = load_face_model(shared_data / "models" / "ict_facekit.npz")
    write_gltf(model, motion, packages / "face.glb", identity=[1.0, -0.5])
    return packages, motion


def test_the_validator_finds_nothing(head):
    folder, _ = head
    assert (folder / "face.glb").stat().st_size < 8e6
    words = ["node", "validate.js", "face.glb"]
    said = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(said.stdout)
    assert report["issues"]["numErrors"] == report["issues"]["numWarnings"] == 0, report["issues"]["messages"][:5]
    assert report["info"]["hasMorphTargets"]
    assert report["info"]["animationCount"] == 1


def test_three_js_moves_the_right_target_at_the_right_time(head, chromium):
    folder, motion = head
    page = chromium.new_page()

    def serve(route):
        path = folder / route.request.url.split("://head/")[1]
        route.fulfill(body=path.read_bytes(), content_type=TYPES.get(path.suffix, "text/plain"))

    page.route("**/*", serve)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("http://head/page.html")
    page.wait_for_function("window.ready", timeout=30_000)
    for frame in (0, 7, 20, 43):
        found = page.evaluate("seconds => window.at(seconds)", frame / 25)
        assert len(found["weights"]) == 5
        for part in found["weights"]:
            assert list(part) == list(arkit.NAMES)
            assert part["jawOpen"] == pytest.approx(motion.weights[frame, arkit.INDEX["jawOpen"]], abs=1e-3)
            assert part["mouthSmileLeft"] == pytest.approx(frame / 60, abs=1e-3)
            assert part["mouthSmileRight"] == 0
        x, y, z, w = found["turn"]
        upright = FLIP @ turn_of(motion.turn[frame : frame + 1])[0] @ FLIP
        assert 2 * (x * z + w * y) == pytest.approx(upright[0, 2], abs=1e-3)
    between = page.evaluate("seconds => window.at(seconds)", 7.5 / 25)["weights"][0]["jawOpen"]
    expected = motion.weights[7:9, arkit.INDEX["jawOpen"]].mean()
    assert between == pytest.approx(expected, abs=1e-3)
    page.close()
    assert not faults
