"""A second head that tells phones apart, and lips that meet where it hears a p, b or m.

Phones are asked for at four instants about each frame: what is spoken ahead shapes the mouth now. They teach networks
from voices of which no face is known.

Axes: B stretches, T video frames, L instants, P classes of phones, K coefficients.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkface.face.points import LIP_PAIRS, mouth_opening
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.media.phone_names import BILABIAL, CLASSES, UNKNOWN, class_of

AHEAD = (-1, 0, 1, 2)  # video frames: the instants
NOW = AHEAD.index(0)


class PhoneHead(nn.Linear):
    """Tell phones apart: (B, T, features) to logits (B, T, L, P)."""

    def __init__(self, features: int):
        super().__init__(features, len(AHEAD) * CLASSES)

    def forward(self, heard: Tensor) -> Tensor:
        """Compute the logits."""
        return super().forward(heard).unflatten(-1, (len(AHEAD), CLASSES))


def phone_loss(logits: Tensor, phone: Tensor) -> Tensor:
    """Compute the cross-entropy of logits (B, T, L, P) over the frames whose phones (B, T) are known."""
    frames = phone.shape[1]
    padded = functional.pad(phone, (-min(AHEAD), max(AHEAD)), value=UNKNOWN)
    asked = torch.stack([padded[:, lead - min(AHEAD) :][:, :frames] for lead in AHEAD], dim=2)  # (B, T, L)
    total = functional.cross_entropy(
        logits.float().flatten(0, 2), asked.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )
    return total / (asked != UNKNOWN).sum().clamp(min=1)


class Closing(nn.Module):
    """Pull the lips together as far as a p, b or m is heard.

    Lips that meet are as far apart as the template's, onto which identity removal puts closed mouths. Of all faces with
    such lips the one is taken that the shape model finds nearest: coefficients move along their covariance, which takes
    jaw and outer lips along.

    Parameters
    ----------
    shape_model : ShapeModel
    strength : float
        What a certain p, b or m pulls by: 1 closes the lips whatever else was heard.
    """

    across: Tensor  # buffers
    direction: Tensor
    names: Tensor

    def __init__(self, shape_model: ShapeModel, strength: float):
        super().__init__()
        self.strength = strength
        mean = torch.from_numpy(shape_model.mean).float()
        plane = torch.from_numpy(shape_model.components).float().unflatten(1, tuple(mean.shape))  # (K, 68, D)
        upper, lower = (list(side) for side in zip(*LIP_PAIRS, strict=True))
        across = (plane[:, lower, 1] - plane[:, upper, 1]).mean(dim=1)  # (K), of the opening, downwards
        spread = torch.from_numpy(shape_model.deviation).float().square() * across
        self.open = float((mean[lower, 1] - mean[upper, 1]).mean())
        self.closed = float(mouth_opening(load_template()))
        self.register_buffer("across", across, persistent=False)
        self.register_buffer("direction", spread / (across @ spread).clamp(min=1e-12), persistent=False)
        self.register_buffer("names", torch.tensor(sorted({class_of(name) for name in BILABIAL})), persistent=False)

    def forward(self, coefficients: Tensor, logits: Tensor) -> Tensor:
        """Close the lips of coefficients (B, T, K) by logits (B, T, L, P)."""
        share = self.strength * logits[..., NOW, :].float().softmax(dim=-1)[..., self.names].sum(dim=-1)  # (B, T)
        gap = (self.open + coefficients @ self.across - self.closed).clamp(min=0)
        return coefficients - (share * gap)[..., None] * self.direction
