"""The command line: what it makes, what it refuses, and how it ends."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from talkface import __version__, cli
from tests.toy_head import write_toy_head


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two sounds and one that is none."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("hello", "my voice (1)"):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.standard_normal(8_000), 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    return tmp_path


def test_a_face_of_each_sound(folder, capsys):
    assert cli.main(["predict", "hello.wav", "my voice (1).wav", "-o", "faces"]) == 0
    assert capsys.readouterr().out.splitlines() == ["faces/hello.npy", "faces/my voice (1).npy"]
    face = np.load(folder / "faces" / "hello.npy")
    assert (face.shape, face.dtype) == ((13, 68, 2), np.float32)
    assert cli.main(["predict", "hello.wav"]) == 0
    np.testing.assert_array_equal(np.load(folder / "hello.npy"), face)


def test_nothing_is_replaced_unless_told(folder, capsys):
    (folder / "hello.npy").write_text("kept")
    assert cli.main(["predict", "hello.wav"]) == 1
    assert "hello.npy exists; remove it, name another with -o, or replace it with --force" in capsys.readouterr().err
    assert (folder / "hello.npy").read_text() == "kept"
    assert cli.main(["predict", "hello.wav", "--force"]) == 0
    assert np.load(folder / "hello.npy").shape == (13, 68, 2)


def test_one_that_fails_costs_the_others_nothing(folder, capsys):
    assert cli.main(["predict", "text.wav", "absent.wav", "hello.wav"]) == 1
    said = capsys.readouterr()
    assert next(line for line in said.err.splitlines() if line.startswith("talkface: ")).startswith(
        "talkface: text.wav"
    )
    assert "talkface: absent.wav: there is no such file" in said.err
    assert "Traceback" not in said.err
    assert said.out.splitlines() == ["hello.npy"]


def test_a_folder_stands_for_its_files(folder, capsys):
    voices = folder / "voices"
    voices.mkdir()
    for name in ("two words.wav", "$(touch x).wav", "Übung.flac", ".hidden.wav", "._two words.wav"):
        soundfile.write(voices / name, 0.1 * np.ones(8_000), 16_000)
    (voices / "notes.txt").write_text("no sound")
    assert cli.main(["predict", "voices", "hello.wav", "-o", "faces"]) == 0
    made = ["faces/$(touch x).npy", "faces/two words.npy", "faces/Übung.npy", "faces/hello.npy"]
    assert capsys.readouterr().out.splitlines() == made
    assert not (folder / "x").exists()
    (folder / "empty").mkdir()
    assert cli.main(["predict", "empty"]) == 1
    assert "empty: holds no file of sound or video; name another folder" in capsys.readouterr().err


def test_weights_for_engines(folder, capsys):
    assert cli.main(["weights", "hello.wav"]) == 0
    lines = (folder / "hello.csv").read_text().splitlines()
    assert lines[0].startswith("Timecode,BlendShapeCount,EyeBlinkLeft,")
    assert len(lines) == 1 + round(13 * 60 / 25)
    assert cli.main(["weights", "hello.wav", "-o", "face.json", "--fps", "30"]) == 0
    assert json.loads((folder / "face.json").read_text())["exportFps"] == 30
    assert cli.main(["weights", "hello.wav", "-o", "face.glb"]) == 1
    assert "face.glb: a head in space needs a face model; give --face-model" in capsys.readouterr().err
    write_toy_head(folder / "head.npz")
    assert cli.main(["weights", "hello.wav", "-o", "face.glb", "--face-model", "head.npz"]) == 0
    assert (folder / "face.glb").read_bytes()[:4] == b"glTF"


def test_a_film_and_a_gif(folder, capsys):
    assert cli.main(["animate", "hello.wav", "--style", "flat", "--size", "120"]) == 0
    assert (folder / "hello.mp4").stat().st_size > 1_000
    assert "drawing" in capsys.readouterr().err  # the bar
    assert cli.main(["animate", "hello.wav", "-o", "face.gif", "--size", "80", "--no-blink"]) == 0
    assert (folder / "face.gif").read_bytes()[:3] == b"GIF"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "hello.wav", "-m", "nobody"], "nobody: neither a file of weights nor a model that comes along"),
        (["predict", "hello.wav", "text.wav", "-o", "one.npy"], "one.npy is one file for 2 sources; give a folder"),
        (["predict", "hello.wav", "-o", "one.mp4"], "one.mp4: a name that ends in .npy, or a folder, was expected"),
        (["predict", "hello.wav", "sub/hello.wav"], "another source becomes hello.npy, too"),
        (["predict", "hello.wav", "--delay", "1"], "network 'talkface' has no argument 'delay'"),
        (["landmarks", "text.wav"], "text.wav"),
        (["sheet", "nowhere"], "nowhere: not a folder"),
    ],
)
def test_mistakes_are_one_line(folder, capsys, arguments, said):
    assert cli.main(arguments) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize("arguments", [[], ["draw"], ["animate"], ["animate", "a.wav", "--style", "oil"]])
def test_what_cannot_be_understood_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: talkface" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["animate", "predict", "landmarks", "sheet"])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"  talkface {command} " in capsys.readouterr().out


def test_help_and_version_load_nothing_heavy(project):
    code = "import sys; from talkface import cli; cli.main(sys.argv[1:])"
    for arguments in (["--version"], ["animate", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", code, *arguments],
            env={"PYTHONPATH": str(project / "workflow" / "scripts")}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0
        assert "torch" not in done.stderr
        assert "numpy" not in done.stderr
    assert cli._parser().prog == "talkface"
    assert __version__ in subprocess.run(
        [sys.executable, "-m", "talkface.cli", "--version"],
        env={"PYTHONPATH": str(project / "workflow" / "scripts")}, capture_output=True, text=True,
    ).stdout  # fmt: skip


def test_landmarks_of_a_video(shared_data, folder, capsys):
    assert cli.main(["landmarks", str(shared_data / "grid" / "s1" / "bbaf4p.mpg")]) == 0
    assert np.load(folder / "bbaf4p.npy").shape == (75, 68, 2)


def test_a_sheet(folder, capsys):
    for speaker in ("ann", "bob", "cid", "dan"):
        (folder / "videos" / speaker).mkdir(parents=True)
        (folder / "videos" / speaker / f"{speaker} one.mp4").touch()
    assert cli.main(["sheet", "videos", "-o", "mine.tsv"]) == 0
    said = capsys.readouterr().out
    assert "mine.tsv: 4 clips of 4 speakers" in said
    assert "snakemake --cores 2 train_all --config clips=mine.tsv corpus=mine" in said
    assert set(pd.read_csv(folder / "mine.tsv", sep="\t")["speaker"]) == {"ann", "bob", "cid", "dan"}
    assert cli.main(["sheet", "videos", "-o", "mine.tsv"]) == 1
    assert "mine.tsv exists" in capsys.readouterr().err
