"""Which ffmpeg is taken, and whose fault it is when one fails."""

import errno
import inspect
import os
import re
import subprocess
import sys

import av
import numpy as np
import pytest

from talkface.errors import InputError, MachineError, TalkfaceError
from talkface.face.detection import landmark_shard
from talkface.media import encoding, program, video
from talkface.media.audio import extract_audio_shard
from talkface.media.encoding import encode
from talkface.media.program import NEEDED, VARIABLE, ffmpeg_program, sort_fault, start

LISTS = """case "$*" in *-encoders*|*-filters*) exec {real} "$@";; esac
"""


@pytest.fixture
def real():
    """The ffmpeg of the wheel."""
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


@pytest.fixture
def stand_in(tmp_path, monkeypatch, real):
    """Put a shell script in the place of the ffmpeg that the environment names."""
    program.ffmpeg_program.cache_clear()

    def write(body, *, name="ffmpeg", variable=True):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n" + body.format(real=real))
        path.chmod(0o755)
        if variable:
            monkeypatch.setenv(VARIABLE, str(path))
        return path

    yield write
    program.ffmpeg_program.cache_clear()


@pytest.fixture
def clip(tmp_path, real):
    """A second of grey picture and noise."""
    path = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=1", "-f", "lavfi", "-i", "anoisesrc=d=1:a=0.3"]
    subprocess.run([real, "-nostdin", "-loglevel", "error", *source, str(path)], check=True)
    return path


def test_the_wheel_comes_before_the_path(stand_in, monkeypatch, real):
    broken = stand_in("exit 127\n", variable=False)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    assert ffmpeg_program() == real


def test_without_the_wheel_the_path_is_taken(stand_in, monkeypatch):
    whole = stand_in('exec {real} "$@"\n', variable=False)
    monkeypatch.setenv("PATH", f"{whole.parent}:{os.environ['PATH']}")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert ffmpeg_program() == str(whole)


def test_an_environment_variable_comes_first(stand_in):
    named = stand_in('exec {real} "$@"\n', name="mine")
    assert ffmpeg_program() == str(named)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            "case $* in *-encoders*) {real} $@ | grep -v libx264; exit;; esac; exec {real} $@\n",
            "lacks the encoders libx264",
        ),
        ("echo 'error while loading shared libraries: libav.so' >&2; exit 127\n", "libav.so"),
        ("kill -9 $$\n", "ended by SIGKILL"),
        (None, "No such file"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_used_is_named_with_the_reason(body, fault, stand_in, monkeypatch, tmp_path):
    if body is None:
        monkeypatch.setenv(VARIABLE, "/nowhere/ffmpeg")
    else:
        stand_in(body)
    with pytest.raises(MachineError, match=re.escape(fault)) as error:
        ffmpeg_program()
    assert str(error.value).startswith(VARIABLE)
    program.ffmpeg_program.cache_clear()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(MachineError, match="pip install imageio-ffmpeg"):
        ffmpeg_program()


def test_what_the_package_uses_is_asked_for():
    """Filters and encoders that stand in the code, among those that are looked for."""
    code = "".join(inspect.getsource(module) for module in (encoding, video))
    filters = set(re.findall(r'\.filter\(\s*"(\w+)"', code)) | {"paletteuse"}
    assert filters == set(NEEDED["filters"])
    assert set(re.findall(r'"?(?:vcodec|acodec)"?[:=]\s*"(\w+)"', code)) <= set(NEEDED["encoders"])


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (-9, [], MachineError),
        (137, [], MachineError),  # as a shell has it
        (-11, [], MachineError),
        (126, ["Permission denied"], MachineError),
        (127, [], MachineError),
        (1, ["ffmpeg: error while loading shared libraries: libx.so: cannot open shared object file"], MachineError),
        (228, ["av_interleaved_write_frame(): No space left on device", "Conversion failed!"], MachineError),
        (1, ["Unknown encoder 'libx264'"], MachineError),
        (1, ["Decoder (codec h264) not found for input stream #0:0"], MachineError),
        (1, ["[AVFilterGraph] No such filter: 'fps'", "Error opening filters!"], MachineError),
        (1, ["Decoder (codec none) not found for input stream #0:0"], InputError),
        (1, ["moov atom not found", "Invalid data found when processing input"], InputError),
        (183, [], InputError),
        (254, ["x.mp4: No such file or directory"], InputError),
    ],
)
def test_whose_fault_it_is(code, said, kind):
    fault = sort_fault(code, said, what="a b.mp4")
    assert type(fault) is kind
    assert str(fault).startswith("a b.mp4: ")
    assert "\n" not in str(fault)


def test_nothing_is_wrong():
    assert sort_fault(0, ["a warning"], what="x.mp4") is None


@pytest.mark.parametrize("make", [extract_audio_shard, landmark_shard])
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOMEM, errno.EMFILE])
def test_a_fault_of_the_machine_is_no_verdict_on_a_clip(make, number, clip, monkeypatch, tmp_path):
    """It ends the job in one line, and nothing is stored; later the same call goes on."""
    output = tmp_path / "out" / "shard.h5"
    arguments = {"clips": ["clip"], "start_s": [None], "end_s": [None]}

    def refuse(*arguments, **keywords):
        av.error.err_check(-number)

    with monkeypatch.context() as patch:
        patch.setattr(av, "open", refuse)
        with pytest.raises(MachineError, match=r"clip.mp4: "):
            make([clip], output, **arguments)
    assert list(output.parent.iterdir()) == []
    make([clip], output, **arguments)
    assert output.exists()


def test_an_encoder_that_is_killed(stand_in, tmp_path):
    stand_in(LISTS + "head -c 100 >/dev/null; kill -9 $$\n")
    frames = [np.zeros((64, 64, 3), np.uint8)] * 50
    with pytest.raises(MachineError, match=r"film.mp4: ffmpeg was ended by SIGKILL"):
        encode(frames, tmp_path / "film.mp4", size=(64, 64))


def test_a_flood_of_words_blocks_nothing():
    """More than a pipe holds, on standard error, while nobody reads it."""
    code = "import sys\nfor i in range(20000): print('line', i, file=sys.stderr)"
    with start([sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as (process, said):
        pass
    assert process.returncode == 0
    assert list(said)[-1] == "line 19999"
    assert len(said) == 20


def test_one_that_is_not_there():
    with (
        pytest.raises(MachineError, match="/nowhere/ffmpeg: cannot start"),
        start(["/nowhere/ffmpeg"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL),
    ):
        pass


def test_the_classes():
    assert issubclass(InputError, TalkfaceError)
    assert issubclass(MachineError, TalkfaceError)
    assert not issubclass(MachineError, InputError)
