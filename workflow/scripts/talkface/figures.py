"""Pictures of numbers: curves of training."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import matplotlib.figure
import pandas as pd

from talkface.storage import writing

GREY, BLUE = "#9a9a9a", "#0b6e99"
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "svg.hashsalt": "talkface",  # the same curves give the same file
}


def plot_curves(curves: Mapping[str, str | Path], output: str | Path) -> None:
    """Draw the losses of training and validation of each model by step.

    Parameters
    ----------
    curves : mapping of model to its curve.tsv
    output : path
        Picture; the suffix chooses the format.
    """
    with matplotlib.rc_context(STYLE):
        figure = matplotlib.figure.Figure(figsize=(4.4 * len(curves), 3.2), layout="constrained")
        axes = figure.subplots(1, len(curves), squeeze=False)
        for axis, (model, path) in zip(axes[0], curves.items(), strict=True):
            curve = pd.read_csv(path, sep="\t")
            best = curve.loc[curve["valid_loss"].idxmin()]
            marker = "o" if len(curve) < 3 else None  # a line needs points to be seen
            axis.plot(curve["step"], curve["train_loss"], color=GREY, marker=marker, label="training")
            axis.plot(curve["step"], curve["valid_loss"], color=BLUE, marker=marker, label="validation")
            kept = f"kept: {best['valid_loss']:.3g} at step {best['step']:.0f}"
            axis.plot(best["step"], best["valid_loss"], "o", color=BLUE, markersize=6, label=kept)
            axis.set(title=model, xlabel="step", ylabel="loss", xlim=(0, None))
            axis.margins(y=0.15)
            axis.grid(axis="y", color="#e5e5e5")
            axis.legend(frameon=False)
        with writing(output) as temporary:
            figure.savefig(temporary, dpi=150)
