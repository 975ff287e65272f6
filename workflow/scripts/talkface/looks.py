"""How a drawn person looks: colours, hair, clothes and backdrop, all as plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Look:
    """Appearance of a shaded face; colours are "#rrggbb".

    Attributes
    ----------
    skin : str
        Colour of lit skin; shadows and lights are derived from it.
    lips, iris, brow, hair, clothes : str
        Colours.
    hair_style : str
        One of `wardrobe.HAIR_STYLES`.
    neckline : str
        "round", "v", "collar" or "turtle".
    backdrop : tuple of str
        Upper and lower colour and the colour of the out-of-focus lights.
    hair_grey : float
        Share of grey strands, 0-1.
    age : float
        Strength of folds and lines, 0-1.
    beard : float
        0 none, 0.4 stubble, 1 a full short beard.
    lashes : float
        Weight of the upper lid's line, 1 is ordinary.
    blush : float
        Strength of colour on cheeks and nose, 0-1.
    freckles : bool
        Freckles over nose and cheeks.
    brow_width : float
        Thickness of the brows, 1 is ordinary.
    earrings : str
        Colour, "" for none.
    neck, shoulders : float
        Their width, 1 is broad.
    """

    skin: str = "#dba27f"
    lips: str = "#b4504b"
    iris: str = "#5a7fa0"
    brow: str = "#4a3222"
    hair: str = "#4a3020"
    hair_style: str = "short"
    clothes: str = "#40586b"
    neckline: str = "round"
    backdrop: tuple[str, str, str] = ("#8fa6b2", "#5d7482", "#d9e4e6")
    hair_grey: float = 0.0
    age: float = 0.2
    beard: float = 0.0
    lashes: float = 1.0
    blush: float = 0.4
    freckles: bool = False
    brow_width: float = 1.0
    earrings: str = ""
    neck: float = 1.0
    shoulders: float = 1.0
