"""What is known before any work: dry runs that plan, and mistakes that are refused with one line."""

import re
import resource
import site
import venv

import pytest
import yaml

from tests.workflow.conftest import copy_workflow, run_snakemake


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
    assert jobs["total"] - 3 <= 111  # without the targets
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


def write_rows(folder, rows):
    """A sheet of (clip, speaker, split), whose videos are empty files."""
    lines = ["clip\tspeaker\tsplit\tvideo"]
    for clip, speaker, split in rows:
        (folder / f"{clip}.mp4").touch()
        lines.append(f"{clip}\t{speaker}\t{split}\t{clip}.mp4")
    (folder / "sheet.tsv").write_text("\n".join(lines) + "\n")
    return ("--config", "clips=sheet.tsv", "animate={model: talkface_demo}", "look={models: [talkface_demo]}", "--")


NO_TRAINING = [
    "extract_all", "landmark_all", "frames_all", "overlay_all", "source_all", "plots_all", "identity_all", "gif_all",
    "comparison_all", "curves_all", "anim3d_all", "speech_all", "results/anim/a.mp4", "results/anim3d/a.mp4",
    "results/predictions/talkface_demo/a.npy", "results/overlay/talkface_demo/a.mp4", "results/curves/a.svg",
]  # fmt: skip


def test_a_sheet_of_one_clip_serves_all_that_trains_nothing(snakemake, tmp_path):
    words = write_rows(tmp_path, [("a", "ann", "test")])
    done = snakemake("--dry-run", *words, *NO_TRAINING)
    assert "train_model" not in done.stdout
    for rule in ("detect_landmarks", "remove_identity", "draw_overlay", "predict_landmarks"):
        assert re.search(rf"^{rule}\s+\d+", done.stdout, flags=re.M), rule
    for target in ("train_all", "evaluate_all"):
        text = refusal(snakemake("--dry-run", *words, target, check=False))
        assert "expected at least one in each of train, valid, test" in text


def test_five_thousand_rows_are_planned_in_ten_seconds(snakemake, tmp_path):
    """Of a processor, at the default size of shards, where the demo's fifty take three: 6.3 and 2.8 when written."""

    def cpu_s(*words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        snakemake("--dry-run", "--quiet", "all", *(words or ("--",)), "train_all", "evaluate_all")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    words = write_rows(
        tmp_path,
        [(f"s{speaker}_{number}", f"s{speaker}", ("train", "valid", "test")[speaker % 3])
         for speaker in range(50) for number in range(100)],
    )  # fmt: skip
    assert cpu_s(*words) < 10 / 3 * cpu_s()


def test_a_corpus_named_by_a_number(snakemake, tmp_path):
    words = write_rows(tmp_path, [("a", "ann", "train"), ("b", "bob", "valid"), ("c", "cid", "test")])
    done = snakemake("--dry-run", "--config", "corpus=2024", *words[1:], "results/dataset/2024.h5")
    assert "assemble_dataset" in done.stdout


def test_braces_in_the_workflows_path_are_refused(project, tmp_path):
    copy = copy_workflow(project, tmp_path / "x{1}")
    text = refusal(run_snakemake(copy, "--dry-run", "train_all", cwd=tmp_path, check=False))
    assert "jobs cannot start from the workflow's folder when its path holds '{'; move or rename that folder" in text


def test_any_other_path_of_the_workflow_works(project, tmp_path):
    copy = copy_workflow(project, tmp_path / "a [c] 'd' & $e; #f \"g\" % видео")
    done = run_snakemake(copy, "--cores", "1", "resources/demo/noise/hum.wav", cwd=tmp_path)
    assert "1 of 1 steps (100%) done" in done.stdout


def test_an_interpreter_with_a_blank_in_its_path_is_refused(project, tmp_path):
    """Snakemake puts it unquoted into a shell line: every job would fail."""
    place = tmp_path / "my environment"
    venv.create(place, symlinks=True)
    (folder,) = place.glob("lib/python*/site-packages")
    (folder / "pins.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    done = run_snakemake(project, "--dry-run", "train_all", cwd=tmp_path, check=False, python=place / "bin" / "python")
    assert "jobs cannot start from the Python that runs Snakemake when its path holds ' '" in refusal(done)
