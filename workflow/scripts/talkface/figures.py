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
            for column, label, colour in (
                ("train_loss", "training", GREY),
                ("valid_loss", "validation", BLUE),
            ):
                axis.plot(
                    curve["step"], curve[column], color=colour, label=label, marker="o" if len(curve) < 3 else None
                )
            best = curve.loc[curve["valid_loss"].idxmin()]
            axis.plot(best["step"], best["valid_loss"], "o", color=BLUE, markersize=5)
            axis.annotate(
                f"{best['valid_loss']:.4g}",
                (best["step"], best["valid_loss"]),
                xytext=(0, -14),
                textcoords="offset points",
                ha="right",
            )
            axis.set(title=model, xlabel="step", ylabel="loss (that of the network)", xlim=(0, None))
            axis.margins(y=0.15)
            axis.grid(axis="y", color="#e5e5e5")
            axis.legend(frameon=False)
        with writing(output) as temporary:
            figure.savefig(temporary, dpi=150)
