"""What is known before any work: dry runs that plan, and mistakes that are refused with one line."""

import re

import pytest
import yaml

from tests.workflow.conftest import run_snakemake


def refusal(done):
    """The text of a failed run, lines folded into one."""
    assert done.returncode != 0, done.stdout[-3000:]
    return " ".join(done.stdout.split())


def test_the_whole_road_plans(snakemake, project):
    done = snakemake("--dry-run", "--cores", "2", "all")
    for rule in (
        "make_demo_clips_ada",
        "extract_audio",
        "detect_landmarks",
        "check_quality",
        "remove_identity",
        "assemble_dataset",
        "train_model",
        "predict_landmarks",
        "draw_animation",
        "copy_film",
    ):
        assert re.search(rf"^{rule}\s+\d+", done.stdout, flags=re.M), f"{rule} is not planned"


def test_cores_need_not_be_named(snakemake):
    """profiles/default, which Snakemake finds by itself, names them: `snakemake results/anim/<clip>.mp4` suffices."""
    assert snakemake("--dry-run", "train_all").returncode == 0


@pytest.mark.parametrize("target", ["extract_all", "landmark_all", "train_all", "evaluate_all", "animate_all"])
def test_collect_targets_plan(snakemake, target):
    assert re.search(r"^total\s+\d+", snakemake("--dry-run", "--cores", "1", target).stdout, flags=re.M)


def test_a_speech_file_is_a_target(snakemake, tmp_path):
    folder = tmp_path / "resources" / "speech"
    folder.mkdir(parents=True)
    for suffix in ("wav", "flac", "mp3", "ogg", "m4a"):
        (folder / f"hello_{suffix}.{suffix}").touch()
    done = snakemake(
        "--dry-run", "--cores", "1", *(f"results/anim/hello_{s}.mp4" for s in ("wav", "flac", "mp3", "ogg", "m4a"))
    )
    assert re.search(r"^draw_animation\s+5", done.stdout, flags=re.M)
    (folder / "my voice (1).wav").touch()
    done = snakemake("--dry-run", "results/anim/my_voice_1.mp4")
    assert "resources/speech/my voice (1).wav: goes by the name my_voice_1: results/anim/my_voice_1.mp4" in done.stdout


def test_all_speech_files_at_once(snakemake, tmp_path):
    folder = tmp_path / "resources" / "speech"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"voice{number}.wav").touch()
    done = snakemake("--dry-run", "speech_all")
    assert re.search(r"^draw_animation\s+3", done.stdout, flags=re.M)


def test_an_unknown_clip_is_refused_with_what_is_known(snakemake):
    text = refusal(snakemake("--dry-run", "results/anim/nobody.mp4", check=False))
    assert "'nobody' is not a known" in text
    assert "known are:" in text


def test_an_unknown_model_is_refused_with_what_is_known(snakemake, project):
    clip = (project / "config" / "clips.tsv").read_text(encoding="utf-8").splitlines()[-1].split("\t")[0]
    text = refusal(snakemake("--dry-run", f"results/anim/talkfce/{clip}.mp4", check=False))
    assert "'talkfce' is not a known model; did you mean 'talkface'?" in text
    text = refusal(snakemake("--dry-run", "train_all", "--config", "training={models: [talkfce]}", check=False))
    assert "'talkfce' is not a known model; did you mean 'talkface'?" in text
    text = refusal(snakemake("--dry-run", "results/anim/x.mp4", "--config", "animate={model: talkfce}", check=False))
    assert "'talkfce' is not a known model" in text


def test_an_unknown_key_is_refused(snakemake, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"landmarks": {"max_gap": 3}}))
    text = refusal(snakemake("--dry-run", "train_all", "--configfile", "mine.yaml", check=False))
    assert "config, landmarks: unknown key 'max_gap'; did you mean 'max_gap_frames'?" in text


def test_two_flags_of_files_are_refused(snakemake, tmp_path):
    """Snakemake reads the last alone and says nothing."""
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"seed": seed}))
    text = refusal(snakemake("--dry-run", "train_all", "--configfile", "a.yaml", "--configfile", "b.yaml", check=False))
    assert "--configfile is given more than once, and Snakemake reads the last one alone" in text
    assert snakemake("--dry-run", "train_all", "--configfile", "a.yaml", "b.yaml").returncode == 0


def test_a_sheet_of_ones_own(snakemake, tmp_path):
    """Relative videos start at the sheet's folder; a fault of the sheet stops before any work."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    rows = ["clip\tspeaker\tsplit\tvideo"]
    for number, split in enumerate(("train", "valid", "test")):
        (folder / f"my video {number}.mp4").touch()
        rows.append(f"c{number}\tspeaker{number}\t{split}\tmy video {number}.mp4")
    sheet = folder / "sheet.tsv"
    sheet.write_text("\n".join(rows) + "\n")
    arguments = ("--dry-run", "train_all", "--config", f"clips={sheet}", "corpus=mine")
    planned = snakemake(*arguments).stdout
    assert "results/dataset/mine.h5" in planned
    assert "make_demo_clip" not in planned
    sheet.write_text(sheet.read_text().replace("speaker1", "speaker2"))
    assert "several splits" in refusal(snakemake(*arguments, check=False))
    assert snakemake(*arguments, "split_by=clip").returncode == 0
    assert not (tmp_path / "results").exists()


def test_shards(snakemake, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"media": {"clips_per_shard": 1}}))

    def count(*arguments):
        planned = snakemake("--dry-run", *arguments).stdout
        return {name: int(number) for name, number in re.findall(r"^(\w+)\s+(\d+)$", planned, flags=re.M)}

    assert count("landmark_all", "--configfile", "mine.yaml")["detect_landmarks"] == 50
    assert count("landmark_all")["detect_landmarks"] == 12  # 10 people, two of whom are cut
    assert count("results/landmarks/iris_1.h5")["total"] == 2  # a clip alone
    jobs = count("train_all", "evaluate_all", "animate_all")
    assert jobs["total"] - 3 <= 110  # without the targets
    assert sum(number for name, number in jobs.items() if name.startswith("make_demo_clips_")) == 10


def test_another_talkface_in_the_environment_is_refused(project, tmp_path, monkeypatch):
    """Jobs would run its code: Snakemake appends the folder of the scripts to their path."""
    package = tmp_path / "site" / "talkface"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    text = refusal(run_snakemake(project, "--dry-run", "train_all", cwd=tmp_path, check=False))
    assert f"{package / '__init__.py'}: another talkface is installed" in text
    assert "pip uninstall talkface" in text


def test_the_workflow_installed_as_editable_is_no_other(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project / "workflow" / "scripts"))
    assert run_snakemake(project, "--dry-run", "train_all", cwd=tmp_path).returncode == 0


def test_lint_is_clean(snakemake, project):
    done = snakemake("--lint", check=False)
    assert done.returncode == 0, done.stdout
