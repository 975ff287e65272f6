"""One job of the rules that draw landmarks and predictions on the video, and crop it around the face."""

import cv2
import ffmpeg
import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import BLUE, VERMILION
from talkface.face.template import load_template
from talkface.media.video import probe
from tests.unit.media.test_video import encode
from tests.workflow.conftest import run_snakemake

RULES = ("draw_overlay", "draw_overlay_of_model", "draw_overlay_frame", "draw_overlay_frame_of_model", "crop_source")
FRAMES = 15


@pytest.fixture
def folder(tmp_path):
    """A working folder with two clips as far as their predictions; `lost` shows no face."""
    picture = ffmpeg.input("color=c=0x808080:s=320x240:r=25:d=0.6", f="lavfi")
    encode(picture, ffmpeg.input("sine=d=0.6", f="lavfi"), path=tmp_path / "grey.mp4", pix_fmt="yuv420p")
    sheet = pd.DataFrame(
        {"clip": ["seen", "lost", "more"], "speaker": "a", "split": ["train", "test", "valid"], "video": "grey.mp4"}
    )
    sheet.to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    (tmp_path / "mine.yaml").write_text(
        "clips: clips.tsv\nmedia: {clips_per_shard: 1}\ntraining: {models: [talkface, cnn]}\nsplit_by: clip\n"
    )
    results = tmp_path / "results"
    for name in ("landmarks", "audio", "shapes", "predictions/cnn", "predictions/external-theirs"):
        (results / name).mkdir(parents=True)
    faces = np.repeat(load_template()[None], FRAMES, axis=0).astype(np.float32)
    for clip in ("seen", "lost"):
        known = clip == "seen"
        with h5py.File(results / "landmarks" / f"{clip}.h5", "w") as file:
            group = file.create_group(clip)
            group["landmarks"] = faces * 60 + [160, 90] if known else np.full_like(faces, np.nan)
            group["detected"], group["faces"] = np.full(FRAMES, known), np.full(FRAMES, int(known))
            group["box"] = np.tile(np.float32([110, 60, 215, 165] if known else 4 * [np.nan]), (FRAMES, 1))
            reason = "" if known else "grey.mp4: no face in any of 15 frames"
            group.attrs.update(width=320, height=240, rejected=reason, duration_s=FRAMES / 25)
        with h5py.File(results / "audio" / f"{clip}.h5", "w") as file:
            file[clip] = (5_000 * np.sin(np.arange(26_460) / 9)).astype(np.int16)
            file[clip].attrs.update(rate=44_100, rejected="")
        np.save(results / "predictions" / "cnn" / f"{clip}.npy", faces + np.float32([0, 0.5]))
        np.save(results / "predictions" / "external-theirs" / f"{clip}.npy", faces)
    with h5py.File(results / "shapes" / "a.h5", "w") as file:
        file["seen/shape"] = faces
        file["seen"].attrs["rejected"] = ""
        file.create_group("lost").attrs["rejected"] = "grey.mp4: no face in any of 15 frames"
    return tmp_path


@pytest.fixture
def draw(project, folder):
    """Ask for targets in that folder, with the rules of this file alone."""

    def call(*targets, check=True):
        return run_snakemake(
            project, "--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", *RULES, "--", *targets,
            cwd=folder, check=check,
        )  # fmt: skip

    return call


def share(path, colour):
    return float((np.abs(cv2.imread(str(path)).astype(int) - to_bgr(colour)).max(axis=-1) < 30).mean())


def test_films_and_pictures(draw, folder):
    (folder / "theirs").mkdir()
    for clip in ("seen", "lost"):
        (folder / "theirs" / f"{clip}.npy").write_bytes(
            (folder / f"results/predictions/external-theirs/{clip}.npy").read_bytes()
        )
    with open(folder / "mine.yaml", "a") as file:
        file.write("external: {theirs: theirs}\n")
    films = ["overlay/seen", "overlay/external-theirs/seen", "source/lost"]
    pictures = ["overlay/seen/0", "overlay/cnn/seen/14", "overlay/cnn/lost/007"]
    draw(*(f"results/{name}.mp4" for name in films), *(f"results/{name}.png" for name in pictures))
    for name in films:
        media = probe(folder / "results" / f"{name}.mp4")
        assert (media.fps, media.duration_s, media.has_audio) == (25, 0.6, True), name
        assert media.width == (480 if "source" in name else 720)
    cnn = folder / "results/overlay/cnn/seen/14.png"
    assert share(cnn, VERMILION) > 0.005 > share(cnn, BLUE)  # the second model of the selection
    again = draw(*(f"results/{name}.mp4" for name in films), "results/overlay/seen/0.png")
    assert "Nothing to be done" in again.stdout


def test_one_line_for_what_cannot_be(draw, folder):
    done = draw("results/overlay/seen/15.png", check=False)
    assert done.returncode
    said = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert said == ["talkface: seen: no frame 15; it has 15 frames, from 0 to 14; name one of them"]
    assert not (folder / "results/overlay/seen/15.png").exists()
    for target, words in {
        "results/overlay/unseen.mp4": ("'unseen' is not a known clip of the sheet", "did you mean 'seen'?"),
        "results/overlay/cn/seen.mp4": ("'cn' is not a known model", "did you mean 'cnn'?"),
    }.items():
        done = draw(target, check=False)
        assert done.returncode, target
        assert all(word in done.stdout for word in words), done.stdout
