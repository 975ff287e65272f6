"""Page of a film, which plays inside the report.

Snakemake's report offers a film as a download; a page it shows in a frame, by an address that holds the whole page.
Chromium takes no such address above 2 MiB (url::kMaxURLChars), and base64 has stood in it twice by then, so a film that
is larger than `MOST_BYTES` is encoded again.
"""

import base64
import logging
import tempfile
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from talkface.errors import TalkfaceError
from talkface.files import writing
from talkface.media.encoding import shrink
from talkface.media.video import probe

log = logging.getLogger(__name__)

MOST_BYTES = 1_050_000  # times 16 / 9 it is 1.87 MB
MOST_S = 30.0  # seconds; of a longer film the beginning is shown
WIDEST = 1280  # pixels of a film that is encoded again
SOUND = 48_000  # bits a second
ASSETS = Path(__file__).parent / "assets"
LAYOUT = ASSETS / "film_page.html"
# Of the table of a talking head's film: what a reader should know first.
OF_HEADS = {
    "lips found less lips asked, by mesh": "Lips found beside those asked for:",
    "opening found and asked, correlation, by mesh": "correlation of their opening",
    "opening found to asked, amplitude, by mesh": "its amplitude",
    "mouth, second difference in time": "second difference in time",
    "dlib's 128 numbers, distance": "dlib's 128 numbers lie apart by",
    "nearest filmed mouth, worst twentieth": "nearest filmed mouth, worst twentieth",
}
STYLES = [ASSETS / name for name in ("page_colours.css", "page_style.css")]


def fit_film(path: str | Path, *, most_bytes: int = MOST_BYTES, most_s: float = MOST_S) -> tuple[bytes, float]:
    """Make a film small enough: leave it as it is, or encode its beginning again, narrower and with fewer bits.

    Returns
    -------
    film : bytes
        An mp4.
    duration : float
        Seconds of it.

    Raises
    ------
    TalkfaceError
        If it cannot be made small enough, or is no film.
    """
    media = probe(path)
    whole = Path(path).read_bytes()
    if len(whole) <= most_bytes:
        return whole, media.duration_s
    duration = min(media.duration_s, most_s)
    for share in (0.85, 0.6, 0.4):
        rate = max(40_000, int(share * 8 * most_bytes / duration) - SOUND)
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / "film.mp4"
            shrink(path, film, duration_s=duration, bits=rate, widest=WIDEST, sound=SOUND)
            small = film.read_bytes()
        log.info("%s: %d bytes, encoded again: %d", path, len(whole), len(small))
        if len(small) <= most_bytes:
            return small, duration
    raise TalkfaceError(f"{path}: {len(whole)} bytes, and still {len(small)} encoded again; give a shorter clip")


def write_film(output: str | Path, *, film: str | Path, title: str, text: str, most_bytes: int = MOST_BYTES) -> None:
    """Write a page that plays a film.

    Parameters
    ----------
    output : path
        results/report/films/{model}.html.
    film : path
        results/comparison/{model}/{clip}.mp4.
    title, text : str
        What stands above and below it.
    most_bytes : int
        See `fit_film`.
    """
    data, duration = fit_film(film, most_bytes=most_bytes)
    media = probe(film)
    if duration < media.duration_s - 0.1:
        text += f" The first {duration:.0f} seconds of it; all of it: {film}."
    page = Template(LAYOUT.read_text(encoding="utf-8")).substitute(
        title=escape(title), text=escape(text), style="".join(part.read_text(encoding="utf-8") for part in STYLES),
        film=base64.b64encode(data).decode(), width=media.width, height=media.height,
    )  # fmt: skip
    with writing(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def write_head_film(output: str | Path, *, film: str | Path, table: str | Path, title: str) -> None:
    """Write a page that plays the film of a talking head, and says what it shows.

    Parameters
    ----------
    output : path
        results/report/heads/{person}/{clip}.html.
    film, table : path
        results/head/{person}/{clip}.mp4, and its quality.tsv.
    title : str
    """
    measured = pd.read_csv(table, sep="\t").set_index("measure").to_dict("index")
    said = []
    for name, words in OF_HEADS.items():
        row = measured[name]
        unit = f" {row['unit']}" if isinstance(row["unit"], str) else ""
        beside = "" if pd.isna(row["person"]) else f" (filmed: {row['person']:.2f})"
        said.append(f"{words} {row['film']:.2f}{unit}{beside}")
    write_film(output, film=film, title=title, text=f"A synthetic film. {'; '.join(said)}.")
