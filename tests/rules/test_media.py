"""One job of each media and landmark rule, on made-up videos: what is bad stands in the table, the rest goes on."""

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from tests.unit.media.test_video import encode, ffmpeg
from tests.workflow.conftest import run_snakemake


@pytest.fixture
def corpus(tmp_path):
    """A sheet of six clips, none of them with a face; one has its sound in a file of its own."""
    bars = ffmpeg.input("testsrc2=s=160x120:r=30:d=1.2", f="lavfi")
    tone = ffmpeg.input("sine=d=1.2", f="lavfi")
    encode(bars, tone, path=tmp_path / "bars & $(touch x).mp4", pix_fmt="yuv420p")
    encode(bars, path=tmp_path / "mute.mp4", pix_fmt="yuv420p")
    encode(ffmpeg.input("sine=f=880:d=1.1", f="lavfi"), path=tmp_path / "voice.wav")
    (tmp_path / "letter.mp4").write_text("Dear reader")
    names = {"bars": "bars & $(touch x).mp4", "mute": "mute.mp4", "letter": "letter.mp4"}
    sheet = pd.DataFrame(
        {
            "clip": ["bars", "part", "mute", "dubbed", "letter", "again"],
            "speaker": ["a", "a", "a", "a", "b", "c"],
            "split": ["train", "train", "train", "train", "valid", "test"],
            "video": [names["bars"], names["bars"], names["mute"], names["mute"], names["letter"], names["bars"]],
            "audio": [None, None, None, "voice.wav", None, None],
            "start_s": [None, 0.2, None, 0.1, None, None],
            "end_s": [None, 1.0, None, 0.6, None, None],
        }
    )
    sheet.to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    (tmp_path / "mine.yaml").write_text("clips: clips.tsv\nmedia: {clips_per_shard: 2, first_frame: 1}\n")
    return tmp_path


def test_shards_wav_and_frames(project, corpus):
    speech = corpus / "resources" / "speech"
    speech.mkdir(parents=True)
    encode(ffmpeg.input("sine=d=0.5", f="lavfi"), path=speech / "hello.ogg")
    done = run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--",
        "extract_all", *(f"results/audio/{clip}.wav" for clip in ("part", "dubbed", "hello")), "results/frames/part",
        cwd=corpus,
    )  # fmt: skip
    assert done.returncode == 0
    shards = sorted((corpus / "results" / "audio").glob("*.h5"))
    assert [shard.stem.split("-")[0] for shard in shards] == ["a", "a", "a", "b", "c"]
    kept = {}
    for shard in shards:
        with h5py.File(shard) as file:
            kept |= {clip: (data[:], dict(data.attrs)) for clip, data in file.items()}
    assert kept.keys() == {"bars", "part", "mute", "dubbed", "letter", "again"}
    assert len(kept["part"][0]) == pytest.approx(0.8 * 44_100, abs=10)
    assert len(kept["dubbed"][0]) == pytest.approx(0.5 * 44_100, abs=10)
    assert np.abs(np.fft.rfft(kept["dubbed"][0][:22_000])).argmax() == pytest.approx(
        440, abs=2
    )  # 880 Hz in half a second
    assert kept["dubbed"][1]["source"] == "voice.wav"
    assert soundfile.info(corpus / "results" / "audio" / "dubbed.wav").frames == len(kept["dubbed"][0])
    assert "no audio stream" in kept["mute"][1]["rejected"]
    assert "letter.mp4: not a media file" in kept["letter"][1]["rejected"]
    samples, rate = soundfile.read(corpus / "results" / "audio" / "part.wav", dtype="int16")
    assert (samples == kept["part"][0]).all()
    assert rate == 44_100
    assert soundfile.info(corpus / "results" / "audio" / "hello.wav").frames == pytest.approx(22_050, abs=100)
    frames = sorted(path.name for path in (corpus / "results" / "frames" / "part").glob("*.jpg"))
    assert (len(frames), frames[0], frames[-1]) == (20, "000001.jpg", "000020.jpg")  # media.first_frame
    assert not list(corpus.rglob("x"))


def test_a_corpus_without_a_face_ends_with_one_line(project, corpus):
    done = run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--", "train_all", cwd=corpus, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert "split train: none of its 4 clips can be used" in lines[0]
    assert "no face in any of 30 frames" in lines[0]
    table = pd.read_csv(corpus / "results" / "qc" / "clips.tsv", sep="\t")
    assert list(table["accepted"]) == ["no"] * 6
    # Landmarks made before are kept, with the reason.
    found = {}
    for shard in (corpus / "results" / "landmarks").glob("*.h5"):
        with h5py.File(shard) as file:
            found |= {clip: file[clip].attrs["rejected"] for clip in file}
    assert len(found) == 6
    assert "letter.mp4: not a media file" in found["letter"]
    assert "no face" in found["mute"]


def test_a_speech_file_that_is_silent_is_taken_with_a_warning(project, corpus):
    speech = corpus / "resources" / "speech"
    speech.mkdir(parents=True)
    encode(ffmpeg.input("anullsrc=d=0.5", f="lavfi", t=0.5), path=speech / "quiet.wav")
    done = run_snakemake(
        project, "--cores", "1", "--configfile", "mine.yaml", "--", "results/audio/quiet.wav", cwd=corpus
    )
    assert "1 of 1 steps (100%) done" in done.stdout
    log = (corpus / "results" / "logs" / "extract_wav" / "quiet.log").read_text()
    assert "quiet.wav: digital silence; the face will rest" in log
