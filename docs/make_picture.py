"""Pictures of the README, made from a finished `make demo`.

docs/talkface.png: the people of the corpus, and an animation of a voice never heard; docs/look.png: overlay, plot,
comparison and wire face of that clip.

    snakemake results/overlay/jonas_3.mp4 results/plots/jonas_3.mp4
    snakemake results/comparison/talkface/jonas_3.mp4 results/anim3d/talkface/jonas_3.mp4
    PYTHONPATH=workflow/scripts python docs/make_picture.py
"""

from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile

from talkface.face.points import mouth_opening
from talkface.media.video import probe, read_frames

CLIP = "jonas_3"  # of the test split: a voice that training never heard
SHOWN = np.array([16, 20, 28, 33, 45])  # frames: lips closed, open, open, nearly closed, open
LOOKED_AT = 28  # frame
EDGE = 400  # pixels, height of a row of docs/look.png
RESULTS = Path("results")


def frames_of(path: Path) -> list[np.ndarray]:
    """Decode the frames (H, W, 3), red, green, blue, of a film."""
    return list(read_frames(probe(path), pixels="rgb24"))


def look() -> None:
    """Draw docs/look.png: the comparison above; the overlay, a plot and the wire face below."""

    def frame_of(name: str) -> np.ndarray:
        frame = frames_of(RESULTS / name)[LOOKED_AT]
        width = round(EDGE * frame.shape[1] / frame.shape[0])
        return cv2.resize(frame, (width, EDGE), interpolation=cv2.INTER_AREA)

    above = frame_of(f"comparison/talkface/{CLIP}.mp4")
    below = [frame_of(name) for name in (f"overlay/{CLIP}.mp4", f"plots/{CLIP}.mp4", f"anim3d/talkface/{CLIP}.mp4")]
    picture = np.full((2 * EDGE, above.shape[1], 3), above[-1, -1], np.uint8)
    picture[:EDGE] = above
    room = above.shape[1] - sum(part.shape[1] for part in below)
    left = 0
    for part in below:
        picture[EDGE:, left : left + part.shape[1]] = part
        left += part.shape[1] + room // (len(below) - 1)
    cv2.imwrite("docs/look.png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def main() -> None:
    """Draw docs/talkface.png: two rows of pictures and one of curves."""
    sheet = pd.read_csv("config/clips.tsv", sep="\t")
    people = [frames_of(Path(video))[20][60:440, 50:430] for video in sheet.drop_duplicates("speaker").video]
    film = frames_of(RESULTS / "anim" / f"{CLIP}.mp4")
    opening = 100 * mouth_opening(np.load(RESULTS / "predictions" / "talkface" / f"{CLIP}.npy"))
    sound, rate = soundfile.read(RESULTS / "audio" / f"{CLIP}.wav")
    figure = plt.figure(figsize=(10, 4.75), dpi=120, facecolor="white")
    grid = figure.add_gridspec(3, 10, height_ratios=(1, 2.1, 1.2), hspace=0.1, wspace=0.03)
    for place, picture in enumerate(people):
        axes = figure.add_subplot(grid[0, place])
        axes.imshow(picture)
        axes.axis("off")
    for place, index in enumerate(SHOWN):
        axes = figure.add_subplot(grid[1, 2 * place : 2 * place + 2])
        axes.imshow(cv2.resize(film[index][90:910, 90:910], (400, 400), interpolation=cv2.INTER_AREA))
        axes.set_title(f"{index / 25:.2f} s", fontsize=8, color="#555555", pad=2)
        axes.axis("off")
    axes = figure.add_subplot(grid[2, :])
    axes.plot(np.arange(len(sound)) / rate, sound / np.abs(sound).max(), color="#b8c4d0", linewidth=0.4)
    axes.set(xlim=(0, len(sound) / rate), ylim=(-1.05, 1.05), yticks=[])
    axes.set_xlabel("seconds", fontsize=8)
    second = axes.twinx()
    second.plot(np.arange(len(opening)) / 25, opening, color="#b5442c", linewidth=1.8)
    second.vlines(SHOWN / 25, 0, opening.max() * 1.15, color="#555555", linewidth=0.6, linestyle=":")
    second.set(ylim=(0, opening.max() * 1.15), ylabel="mouth opening\n(% of eye distance)")
    second.yaxis.label.set(color="#b5442c", fontsize=8)
    for side in (axes, second):
        side.spines[["top", "left", "right"]].set_visible(False)
        side.tick_params(labelsize=8)
    figure.savefig("docs/talkface.png", bbox_inches="tight", pad_inches=0.08)


if __name__ == "__main__":
    main()
    look()
