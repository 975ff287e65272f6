"""What a person's videos must show for a talking head.

results/persons/{person}/quality.tsv: a row a video with `name`, `video`, `seconds`, `face_share` (of the frames),
`mouth_doubt` (share of the frames in which dlib does not see the lips clearly: a hand, a microphone, a mask) and
`refused`, which is empty or says why the video is not taken.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from talkface.conventions import FPS
from talkface.corpus.persons import names_of
from talkface.errors import TalkfaceError
from talkface.face.detection import landmark_shard, track_face
from talkface.face.predictor import predictor_path
from talkface.face.trust import doubt_share
from talkface.face3d.records import why_not
from talkface.files import writing
from talkface.head.actor import SHORT_S
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

SHORTEST_S = 6.0  # seconds of all videos of a person: less is refused
MOST_DOUBT = 0.2  # share of the frames: more whose mouth is in doubt are warned of
MOST_FACES = 0.1  # share of the counts that show a second face


def track_person(
    videos: Sequence[str | Path], output: str | Path, quality: str | Path, *, person: str,
    start_s: Sequence[float | None], end_s: Sequence[float | None],
    mesh: str | Path | None = None, predictor: str | Path | None = None,
    max_gap_frames: int = 5, recount_frames: int = 100,
) -> None:  # fmt: skip
    """Write the landmarks of a person's videos, by the face mesh, and what the videos show.

    Parameters
    ----------
    videos : sequence of paths
    output : path
        results/persons/{person}/landmarks.h5, of the layout of results/landmarks/; a video that is not taken is
        `rejected` there.
    quality : path
        results/persons/{person}/quality.tsv.
    person : str
    start_s, end_s : sequence of float or None
    mesh, predictor, max_gap_frames, recount_frames
        See `landmark_shard`.

    Raises
    ------
    TalkfaceError
        If too little is left.
    """
    names = names_of(len(videos))
    rows = []
    with writing(output) as temporary:
        landmark_shard(
            videos, temporary, clips=names, start_s=start_s, end_s=end_s, detector="mesh", mesh=mesh,
            max_gap_frames=max_gap_frames, recount_frames=recount_frames,
        )  # fmt: skip
        with h5py.File(temporary, "r+") as file:
            for name, video, begin in zip(names, videos, start_s, strict=True):
                group = file[name]
                group.attrs["rejected"] = reason = _fault(group, video, begin)
                seen = group["detected"][:] if "detected" in group else np.zeros(0, bool)
                rows.append({
                    "name": name, "video": video, "seconds": len(seen) / FPS,
                    "face_share": seen.mean() if len(seen) else 0.0, "mouth_doubt": np.nan, "refused": reason,
                })  # fmt: skip
        table = pd.DataFrame(rows)
        good = table.loc[table["refused"] == "", "seconds"].sum()
        if good < SHORTEST_S:
            reasons = "; ".join(dict.fromkeys(reason for reason in table["refused"] if reason))
            raise TalkfaceError(
                f"{person}: {good:.1f} s of video that can be used, of {table['seconds'].sum():.1f} s; "
                f"{SHORTEST_S:g} s in sum were expected, better {SHORT_S:g}; give more video"
                + (f"; {reasons}" if reasons else "")
            )
        if good < SHORT_S:
            log.warning("%s: %.1f s of video; from %g s on there are more mouths to show", person, good, SHORT_S)
        for row, video, begin, end in zip(table.index, videos, start_s, end_s, strict=True):
            if not table.at[row, "refused"]:
                table.at[row, "mouth_doubt"] = doubt = mouth_doubt(video, begin, end, predictor_path(predictor))
                if doubt > MOST_DOUBT:
                    log.warning(
                        "%s: the mouth is in doubt in %.0f %% of the frames; what hides it (a hand, a microphone, a "
                        "mask) would come into the film; give a stretch without it", video, 100 * doubt,
                    )  # fmt: skip
    with writing(quality) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.3f")


def mouth_doubt(video: str | Path, start_s: float | None, end_s: float | None, predictor: Path) -> float:
    """Return the share of a stretch's frames in which dlib does not see the lips clearly; NaN where it sees no face."""
    track = track_face(read_frames(probe(video), start_s=start_s, end_s=end_s), predictor=predictor)
    return doubt_share(track.spread)


def _fault(group: h5py.Group, video: str | Path, start_s: float | None) -> str:
    """Say why a video is not taken; empty if it is."""
    reason = why_not(group)
    if reason:
        return reason
    faces = group["faces"][:]
    counted = faces[faces >= 0]
    if len(counted) and (counted > 1).mean() > MOST_FACES:
        first = np.flatnonzero(faces > 1)[0] / FPS + (start_s or 0.0)
        return (
            f"{video}: two faces or more in {100 * (counted > 1).mean():.0f} % of the counts, first {first:.1f} s into "
            "the file; one person alone was expected; give a stretch as start_s and end_s"
        )
    return ""
