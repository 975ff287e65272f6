"""Level and mel bands of speech, workflow/scripts/talkface/models/layers/speech_bands.tsv: `make speech DATA=folder`.

Measured on LibriSpeech's voices (CC BY 4.0), one utterance each, at full-scale peaks: the level that speech has in the
middle, in natural logarithms of power, less `EARLY_DB`; and of the frames in which someone speaks, mean and deviation
of each band beside the level that has been held, as `Cepstra` has it.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from talkface.media.audio import extract_audio
from talkface.models.layers.cepstra import DB, TABLE, Cepstra
from talkface.models.layers.log_mel import LogMel

BANDS, RATE, HOP, WINDOW = 40, 16_000, 160, 400
EARLY_DB = 8.7  # below the level of the loudest speech: what a file begins with


def main() -> None:
    """Measure and write the table."""
    features = LogMel(rate=RATE, bands=BANDS, hop=HOP, window=WINDOW, floor=1e-8)
    levels, beside = [], []
    kept, fall = np.exp(-HOP / RATE / Cepstra.SMOOTH_S), Cepstra.FALL_DB * DB * HOP / RATE
    for path in sorted((Path(sys.argv[1]) / "voices" / "librispeech").glob("*.*")):
        samples = extract_audio(path, rate=RATE).astype(np.float32)
        sound = torch.from_numpy(samples / np.abs(samples).max())[None]
        spectrum = features(sound)[0].double().numpy()
        loud, smooth, held = np.logaddexp.reduce(spectrum, axis=1), -np.inf, -np.inf
        course = []
        for value in loud:
            smooth = value if np.isinf(smooth) else kept * smooth + (1 - kept) * value
            held = max(smooth, held - fall)
            course.append(held)
        course = np.array(course)
        levels.append(course.max())
        beside.append(
            (spectrum - course[:, None])[(loud > course - Cepstra.GATE_DB * DB) & (np.arange(len(loud)) > 100)]
        )
    every = np.concatenate(beside)
    place = (np.arange(BANDS) + 0.5) / BANDS
    first = np.median(levels) - EARLY_DB * DB
    with TABLE.open("w", encoding="utf-8") as file:
        file.write(f"# speech of {len(levels)} voices of LibriSpeech beside its level (make speech)\n")
        file.write("place\tmean\tdeviation\tfirst_level\n")
        for row in zip(place, every.mean(axis=0), every.std(axis=0), np.full(BANDS, first), strict=True):
            file.write("\t".join(f"{value:.4f}" for value in row) + "\n")
    sys.stdout.write(f"{TABLE}: {len(levels)} voices, {len(every)} frames\n")


if __name__ == "__main__":
    main()
