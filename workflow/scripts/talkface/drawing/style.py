"""How everything that people look at is drawn: colours, letters and lines, chosen once.

Pictures, films, figures and pages take them from here. Colours are those of Okabe and Ito (2008), which the
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
    """A size of this table for a panel of another height, pixels; never below 1, letters never below 9."""
    least = 9 if size >= NOTE else 1
    return max(least, round(size * panel / PANEL))


def colour_of(models: list[str]) -> dict[str, str]:
    """A colour, "#rrggbb", for each model, by the place where it is first named; beyond the palette they repeat."""
    return {model: PALETTE[place % len(PALETTE)] for place, model in enumerate(dict.fromkeys(models))}
