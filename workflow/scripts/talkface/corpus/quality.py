"""Quality control: each clip accepted, or rejected with the reason in words; and the clips that are left.

Jobs are planned with `accepted` and `decoded`; where the table is not there yet, they leave no clip out.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from talkface.conventions import FULL_SCALE
from talkface.face.points import outer_eye_distance
from talkface.face.sync import CERTAIN, UNSURE, audio_video_drift, audio_video_offset
from talkface.face.trust import doubt_share, mouth_motion, spread_of
from talkface.files import writing

log = logging.getLogger(__name__)

# What stands in the table, in this order.
COLUMNS = (
    "clip",
    "speaker",
    "split",
    "accepted",  # yes or no
    "reason",  # empty, or why not
    "detected_share",  # of the frames
    "face_size_px",  # median width of the face box
    "faces",  # most that were counted in one frame
    "jitter_percent",  # mean second difference in time, of the outer-eye distance
    "mouth_motion_percent",  # standard deviation of the mouth's opening, of the outer-eye distance
    "mouth_doubt_share",  # of the frames with a face: those whose lips' points depend on where their search begins
    "longest_gap_frames",  # in a row without a face
    "audio_dbfs",  # level of the whole clip
    "silence_share",  # of its 40 ms pieces
    "frames",
    "duration_s",  # of the picture
    "audio_s",  # of the sound
    "av_offset_ms",  # how late the sound is (negative: early), by what mouth and voice share
    "av_certainty",  # of that, 0 to 1
    "source_fps",  # frames a second of the file, on the average; frames are taken by its timestamps
    "detector",  # whose landmarks these are: dlib, mesh
    "drift_ms",  # how much later the sound is at the end than at the start; only of long clips
)
_PIECE_S = 0.04  # a frame
_OFFSET_MS = 100.0  # sound and picture further apart are seen by everyone
_LENGTHS_S = 0.1  # sound and picture that differ by more are no longer of one length
_NAMED = 3  # clips that a line names
_FLOOR_DBFS = -120.0  # given for digital silence, whose level has no logarithm


def measure_audio(samples: np.ndarray, *, rate: int, silence_dbfs: float) -> dict:
    """Measure the level and the share of silence of a clip.

    Parameters
    ----------
    samples : (S,) int16 array
    rate : int
        Hz.
    silence_dbfs : float
        Level below which a piece of 40 ms counts as silence.

    Returns
    -------
    dict
        audio_dbfs (root mean square, full scale = 0 dB), silence_share, audio_s; NaN without samples.
    """
    if len(samples) == 0:
        return {"audio_dbfs": float("nan"), "silence_share": float("nan"), "audio_s": 0.0}
    power = (np.asarray(samples, np.float64) / FULL_SCALE) ** 2
    piece = max(1, round(_PIECE_S * rate))
    pieces = np.add.reduceat(power, np.arange(0, len(power), piece)) / piece
    return {
        "audio_dbfs": _decibel(power.mean()),
        "silence_share": float(np.mean([_decibel(value) < silence_dbfs for value in pieces])),
        "audio_s": len(samples) / rate,
    }


def _decibel(power: float) -> float:
    return max(_FLOOR_DBFS, 10 * np.log10(power)) if power > 0 else _FLOOR_DBFS


def measure_landmarks(
    landmarks: np.ndarray, *, detected: np.ndarray, box: np.ndarray, faces: np.ndarray, spread: np.ndarray
) -> dict:
    """Measure detection, size and steadiness of a clip's landmarks.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        Pixels; NaN where no face is known.
    detected : (T,) bool array
    box : (T, 4) array
        Left, top, right, bottom in pixels.
    faces : (T,) int array
        Faces counted, -1 where not.
    spread : (T, 2) array
        See `detection.Track`.

    Returns
    -------
    dict
        detected_share, face_size_px, faces, counts (the faces of each frame searched),
        jitter_percent, mouth_motion_percent, mouth_doubt_share, longest_gap_frames, frames.
    """
    detected = np.asarray(detected, bool)
    counts = faces[faces >= 0]
    seen = np.flatnonzero(detected)
    known = np.concatenate([[-1], seen, [len(detected)]])
    points = np.where(detected[:, None, None], landmarks, np.nan).astype(np.float64)
    steps = np.linalg.norm(np.diff(points, 2, axis=0), axis=-1)
    steps = steps[~np.isnan(steps)]
    eyes = outer_eye_distance(points[seen])
    return {
        "detected_share": float(detected.mean()) if len(detected) else 0.0,
        "face_size_px": float(np.median(box[seen, 2] - box[seen, 0])) if len(seen) else 0.0,
        "faces": int(counts.max(initial=0)),
        "counts": counts,
        "jitter_percent": float(100 * steps.mean() / np.median(eyes)) if len(steps) else float("nan"),
        "mouth_motion_percent": mouth_motion(points[seen]),
        "mouth_doubt_share": doubt_share(spread),
        "longest_gap_frames": int(np.diff(known).max() - 1),
        "frames": len(detected),
    }


def measure_sync(landmarks: np.ndarray, samples: np.ndarray, *, rate: int, detector: str = "dlib") -> dict:
    """Measure how late the sound of a clip is, and whether it drifts.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        NaN where no face is known; then nothing is measured.
    samples : (S,) array
    rate : int
        Hz.
    detector : {"dlib", "mesh"}
        Whose landmarks these are.

    Returns
    -------
    dict
        av_offset_ms, av_certainty, drift_ms: see `sync.audio_video_offset` and `sync.audio_video_drift`.
    """
    if np.isnan(landmarks).any():
        return {name: float("nan") for name in ("av_offset_ms", "av_certainty", "drift_ms")}
    found = audio_video_offset(landmarks, samples, rate=rate, detector=detector)
    drift = audio_video_drift(landmarks, samples, rate=rate, detector=detector)
    return {"av_offset_ms": found.offset_ms, "av_certainty": found.certainty, "drift_ms": drift}


def judge(
    row: dict,
    *,
    min_detected_share: float,
    min_face_px: float,
    max_faces: int,
    max_jitter_percent: float,
    min_duration_s: float,
    min_audio_dbfs: float,
    max_silence_share: float,
    min_mouth_motion_percent: float | None = None,
    max_mouth_doubt_share: float | None = None,
    max_length_gap_s: float | None = None,
    max_offset_ms: float | None = None,
) -> str:
    """Say why a clip with these measures cannot be used, with the keys of the limits; empty if it can.

    An offset of sound and picture counts only where it is certain enough (`sync.CERTAIN`). A limit of None is none.
    """
    limit_ms, doubt_limit, gap_limit_s = (
        float("inf") if limit is None else limit for limit in (max_offset_ms, max_mouth_doubt_share, max_length_gap_s)
    )
    motion_limit = min_mouth_motion_percent or 0.0
    crowded = float(np.mean(row["counts"] > max_faces)) if len(row["counts"]) else 0.0
    checks = (
        (
            row["detected_share"] < min_detected_share,
            "min_detected_share",
            f"a face in {row['detected_share']:.0%} of the frames",
        ),
        (row["face_size_px"] < min_face_px, "min_face_px", f"a face {row['face_size_px']:.0f} pixels wide"),
        (crowded >= 0.5 and row["faces"] > max_faces, "max_faces", f"{row['faces']} faces"),
        (
            row["jitter_percent"] > max_jitter_percent,
            "max_jitter_percent",
            f"landmarks jitter by {row['jitter_percent']:.1f} %",
        ),
        (
            row["mouth_motion_percent"] < motion_limit,
            "min_mouth_motion_percent",
            f"a mouth that hardly moves ({row['mouth_motion_percent']:.1f} % of the outer-eye distance): at rest, "
            "covered, or a picture",
        ),
        (
            row["mouth_doubt_share"] > doubt_limit,
            "max_mouth_doubt_share",
            f"a mouth that is hardly to be seen in {row['mouth_doubt_share']:.0%} of the frames: covered by a mask, a "
            "hand or a microphone, or of a damaged picture",
        ),
        (row["duration_s"] < min_duration_s, "min_duration_s", f"{row['duration_s']:.2f} s of picture"),
        (row["audio_s"] < min_duration_s, "min_duration_s", f"{row['audio_s']:.2f} s of sound"),
        (
            abs(row["audio_s"] - row["duration_s"]) > gap_limit_s,
            "max_length_gap_s",
            _lengths(row),
        ),
        (row["audio_dbfs"] < min_audio_dbfs, "min_audio_dbfs", f"sound of {row['audio_dbfs']:.0f} dBFS"),
        (
            row["silence_share"] > max_silence_share,
            "max_silence_share",
            f"{row['silence_share']:.0%} of the sound is silence",
        ),
        (
            row["av_certainty"] >= CERTAIN and abs(row["av_offset_ms"]) > limit_ms,
            "max_offset_ms",
            f"the sound is {abs(row['av_offset_ms']):.0f} ms {_side(row['av_offset_ms'])}",
        ),
    )
    limits = {
        "min_detected_share": min_detected_share,
        "min_face_px": min_face_px,
        "max_faces": max_faces,
        "max_jitter_percent": max_jitter_percent,
        "min_duration_s": min_duration_s,
        "min_audio_dbfs": min_audio_dbfs,
        "max_silence_share": max_silence_share,
        "min_mouth_motion_percent": motion_limit,
        "max_mouth_doubt_share": doubt_limit,
        "max_length_gap_s": gap_limit_s,
        "max_offset_ms": limit_ms,
    }
    return "; ".join(f"{found} (qc.{key}: {limits[key]:g})" for failed, key, found in checks if failed)


def check_quality(
    output: Path | str,
    *,
    clips: Sequence[str],
    speakers: Sequence[str],
    splits: Sequence[str],
    audio: Sequence[Path | str],
    landmarks: Sequence[Path | str],
    silence_dbfs: float,
    **limits: float | None,
) -> pd.DataFrame:
    """Write the table of all clips.

    Parameters
    ----------
    output : path
        results/qc/clips.tsv.
    clips, speakers, splits : sequences of str
        The sheet.
    audio, landmarks : sequences of paths
        The shard of each clip.
    silence_dbfs : float
        See `measure_audio`.
    **limits
        See `judge`.

    Returns
    -------
    pandas.DataFrame
        What was written.

    Notes
    -----
    A split without an accepted clip is no fault here, so that the table can be read; the dataset refuses it.
    """
    rows = []
    for clip, speaker, split, sound, points in zip(clips, speakers, splits, audio, landmarks, strict=True):
        row = {"clip": clip, "speaker": speaker, "split": split}
        row |= _measure(clip, sound, points, silence_dbfs=silence_dbfs, limits=limits)
        row["accepted"] = "no" if row["reason"] else "yes"
        if row["reason"]:
            log.warning("clip %s rejected: %s", clip, row["reason"])
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    with writing(output) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.4g")
    log.info("%d of %d clips accepted", (table["accepted"] == "yes").sum(), len(table))
    return table


def why_rejected(
    clip: str, *, audio: Path | str, landmarks: Path | str, silence_dbfs: float, **limits: float | None
) -> str:
    """Say why one clip cannot be used, as the table does; empty if it can; arguments as in `check_quality`."""
    return _measure(clip, audio, landmarks, silence_dbfs=silence_dbfs, limits=limits)["reason"]


def _measure(clip: str, audio: Path | str, landmarks: Path | str, *, silence_dbfs: float, limits: dict) -> dict:
    """Measure one clip, with the reason of its rejection; what an earlier stage found wrong comes first."""
    with h5py.File(audio) as file, h5py.File(landmarks) as other:
        sound, group = file[clip], other[clip]
        reasons = [str(part.attrs["rejected"]) for part in (group, sound) if part.attrs["rejected"]]
        row = measure_audio(sound[:], rate=int(sound.attrs["rate"]), silence_dbfs=silence_dbfs)
        row["duration_s"] = float(group.attrs.get("duration_s", 0.0))
        row["detector"] = str(group.attrs.get("detector", "dlib"))
        row["source_fps"] = float(group.attrs.get("source_fps", float("nan")))
        if "detected" in group:
            points = group["landmarks"][:]
            row |= measure_landmarks(
                points, **{name: group[name][:] for name in ("detected", "box", "faces")}, spread=spread_of(group)
            )
            row |= measure_sync(points, sound[:], rate=int(sound.attrs["rate"]), detector=row["detector"])
            if not reasons:
                reasons = [text for text in [judge(row, **limits)] if text]
        else:
            row |= {"frames": 0}
    # A file that is no video fails in both stages with the same words.
    return row | {"reason": "; ".join(dict.fromkeys(reasons))}


def _side(offset_ms: float) -> str:
    return "late" if offset_ms > 0 else "early"


def _lengths(row: Mapping) -> str:
    return f"{row['audio_s']:.2f} s of sound and {row['duration_s']:.2f} s of picture"


def find_doubtful(table: pd.DataFrame) -> dict[str, list[str]]:
    """Find what is worth a look in the clips that are used.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns of `COLUMNS`.

    Returns
    -------
    dict
        What was found, and the clips with their figures, the worst first; empty where all is well.
    """
    used = table[table["accepted"] == "yes"]
    offset, certainty = used["av_offset_ms"], used["av_certainty"]
    apart = used[(offset.abs() > _OFFSET_MS) & (certainty >= UNSURE)].sort_values(
        "av_offset_ms", key=lambda values: -values.abs()
    )
    unsure = used[certainty < UNSURE].sort_values("av_certainty")
    uneven = used.assign(gap=(used["audio_s"] - used["duration_s"]).abs())
    uneven = uneven[uneven["gap"] > _LENGTHS_S].sort_values("gap", ascending=False)
    found = {
        f"sound and picture more than {_OFFSET_MS:.0f} ms apart": [
            f"{row['clip']}: sound {abs(row['av_offset_ms']):.0f} ms {_side(row['av_offset_ms'])}, "
            f"certainty {row['av_certainty']:.2f}"
            for row in apart.to_dict("records")
        ],
        f"sound and picture that fit at no offset better than at others (certainty below {UNSURE:g}), as another "
        "sentence's sound, another speed or a dissolve to somebody else": [
            f"{row['clip']}: {row['av_certainty']:.2f}" for row in unsure.to_dict("records")
        ],
        "sound and picture of different lengths, of which the common part is taken": [
            f"{row['clip']}: {_lengths(row)}" for row in uneven.to_dict("records")
        ],
    }
    return {what: clips for what, clips in found.items() if clips}


def closing_line(path: str | Path) -> str:
    """Sum up results/qc/clips.tsv in one line, as it is said at the end of a run that made it."""
    texts = dict.fromkeys(("clip", "accepted"), str)
    table = pd.read_csv(path, sep="\t", dtype=texts)
    parts = [f"{path}: {(table['accepted'] == 'yes').sum()} of {len(table)} clips accepted"]
    for what, clips in find_doubtful(table).items():
        more = f", and {len(clips) - _NAMED} more" if len(clips) > _NAMED else ""
        parts.append(f"{len(clips)} with {what} ({', '.join(clips[:_NAMED])}{more})")
    return "; ".join(parts)


def accepted(clips: Sequence[str], table: str | Path) -> list[str]:
    """Keep the clips that quality control does not reject.

    Parameters
    ----------
    clips : sequence of str
    table : path
        results/qc/clips.tsv.
    """
    return _but(clips, table, column="accepted", value="no")


def decoded(clips: Sequence[str], table: str | Path) -> list[str]:
    """Keep the clips whose video has frames; arguments as in `accepted`."""
    return _but(clips, table, column="frames", value="0")


def _but(clips: Sequence[str], table: str | Path, *, column: str, value: str) -> list[str]:
    """Drop the clips that have a value in a column of the table."""
    path = Path(table)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [""]
    names = lines[0].split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:])
    left_out = {row.get("clip") for row in rows if row.get(column) == value}
    return [clip for clip in clips if clip not in left_out]


def brief(reason: str) -> str:
    """Shorten the reason of a rejection: without the paths of its files, as it is read beside the clip's name.

    Examples
    --------
    >>> brief("videos/anna.mp4: no face in any of 75 frames")
    'no face in any of 75 frames'
    """
    parts = [(part, *part.partition(": ")) for part in reason.split("; ")]
    return "; ".join(rest if "/" in head else part for part, head, _, rest in parts)
