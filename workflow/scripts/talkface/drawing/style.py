"""Style of pictures, films, figures and pages: colours, heights of letters and widths of lines.

Colours are those of Okabe and Ito (2008), which the
colour-blind tell apart. Letters and lines are sized for a picture whose panels are 500 pixels high, `scaled` to any
other, so that they stay readable where a film of 1500x500 is 390 pixels wide.
"""

GROUND, INK, SOFT, RULE = "#f7f4ee", "#2b2b2b", "#6b6b6b", "#d8d4ca"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f5f5f",
)  # fmt: skip
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY)  # of models, in their order
TRUTH = INK  # what was measured; predictions have a colour of PALETTE
MARK = VERMILION  # playhead, and a point that was interpolated
FONT = "sans"  # comes with OpenCV
PANEL = 500  # pixels: the height of a panel that the sizes below are made for
TITLE, LABEL, NOTE = 26, 20, 16  # pixels: heights of letters
LINE, THIN = 3, 1.5  # pixels: widths of strokes
DOT = 3.5  # pixels: radius of a point


def scaled(size: float, *, panel: float) -> int:
    """Scale a size of this module to a panel of another height, pixels; at least 1, letters at least 9.

    Examples
    --------
    >>> scaled(LABEL, panel=1000), scaled(LABEL, panel=100)
    (40, 9)
    """
    least = 9 if size >= NOTE else 1
    return max(least, round(size * panel / PANEL))


def colour_of(models: list[str]) -> dict[str, str]:
    """Give each model a colour, "#rrggbb", in the order in which they are first named; beyond `PALETTE` they repeat.

    Examples
    --------
    >>> colour_of(["cnn", "lstm", "cnn"])
    {'cnn': '#0072b2', 'lstm': '#d55e00'}
    """
    return {model: PALETTE[place % len(PALETTE)] for place, model in enumerate(dict.fromkeys(models))}
