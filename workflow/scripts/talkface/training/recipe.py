"""Training recipe: the settings of one model, as its block in the config gives them."""

import dataclasses
from typing import Any

from talkface.errors import TalkfaceError
from talkface.models.base import choice
from talkface.models.registry import network_class
from talkface.training.batches import LAST_BATCHES, SPLITTERS


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One entry of the config's catalogue `models`.

    Attributes
    ----------
    network : str
        Module of `talkface.models.networks`.
    arguments : dict
        Keywords of the network.
    components : int
        Shape coefficients.
    stretches, frames : int
        Of a batch: stretches a step and frames a stretch; their product is what a step is supervised on.
    learning_rate, betas, weight_decay
        Of AdamW (Adam where the decay is 0).
    schedule : {"constant", "cosine"}
        Of the learning rate; cosine rises over the first 5 % of the steps and falls to zero at the last.
    average : float
        Decay a step of the running mean of the weights that is validated and kept; 0 keeps the weights themselves.
    max_epochs, min_steps, max_steps : int
        Training lasts `max_epochs`, but at least `min_steps` (epochs of a small corpus are short), and at most
        `max_steps` unless that is 0.
    patience_epochs : int
        Epochs without a better validation loss after which training stops; 0 never stops early.
    split : {"sheet", "none", "window", "clip", "speaker"}
        Which frames judge a training, see `batches.resplit`.
    keep : {"best", "last"}
        Which weights are kept: those of the smallest validation loss, or those of the last step.
    last_batch : {"drop", "keep", "wrap"}
        What becomes of the stretches of an epoch that fill no batch: they are left out; make a smaller one, as Eskimez
        et al. 2020 and Li et al. have it; are filled up with the next epoch's, an epoch being one batch longer than
        the full ones, as Eskimez et al. 2018 count.
    empty_clip : bool
        Whether a clip of zeros is learnt from, too: the empty last row in the training files of Eskimez et al. 2018.
    published : bool
        Whether what the network's class calls published stands above all other keys.
    init : str, optional
        File of weights to start from, or a model of the catalogue. What our own give as coefficients of their shape
        model is turned into this corpus's (network talkface), or their shape model is taken, too.
    weights : str, optional
        File of weights that are imported instead of trained, see `training.importing`.
    shape_model : dict
        Files mean, components, template, boosts (.npy) that belong to weights or a training file from elsewhere.
    dataset : str, optional
        Training file to use instead of the corpus's: in the layout of Eskimez et al. 2018 or 2020, or ours.
    noise : str, optional
        HDF5 file of noise, for networks that train with it and for noisy copies.
    voices : str, optional
        HDF5 file of voices whose faces nobody saw, for networks that learn phones, see `training.voices`.
    voice_stretches : int
        Of a batch: stretches of these voices beside those of the corpus.
    voice_faces : bool
        Whether they get faces by what the corpus's people do at each phone, see `training.phone_lips`.
    noisy_copies : int
        So many copies of each clip with noise are learned from beside it (and judged by), whatever the network.
    noise_snr_db : (lowest, highest)
        dB; their signal-to-noise ratio.
    seed : int, optional
        Instead of the run's.
    """

    network: str
    arguments: dict = dataclasses.field(default_factory=dict)
    components: int = 6
    stretches: int = 8
    frames: int = 16
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: str = "constant"
    average: float = 0.0
    max_epochs: int = 100
    min_steps: int = 0
    max_steps: int = 0
    patience_epochs: int = 20
    split: str = "sheet"
    keep: str = "best"
    last_batch: str = "drop"
    empty_clip: bool = False
    published: bool = False
    init: str | None = None
    weights: str | None = None
    shape_model: dict = dataclasses.field(default_factory=dict)
    dataset: str | None = None
    noise: str | None = None
    voices: str | None = None
    voice_stretches: int = 16
    voice_faces: bool = True
    noisy_copies: int = 0
    noise_snr_db: tuple[float, float] = (-5, 25)
    seed: int | None = None

    @classmethod
    def read(cls, block: dict[str, Any], *, name: str) -> "Recipe":
        """Read a recipe from a block of the config; raise a TalkfaceError for a key that is unknown."""
        known = [field.name for field in dataclasses.fields(cls)]
        for key in block:
            if key not in known:
                raise TalkfaceError(
                    f"config: models.{name} has no key {key!r}; known are {', '.join(known)}; correct the config"
                )
        if block.get("published"):
            published = network_class(block["network"]).PUBLISHED
            arguments = {**block.get("arguments", {}), **published.get("arguments", {})}
            block = {**block, **published, "arguments": arguments}
        choice(f"{name}.split", block.get("split", "sheet"), SPLITTERS)
        choice(f"{name}.last_batch", block.get("last_batch", "drop"), LAST_BATCHES)
        choice(f"{name}.keep", block.get("keep", "best"), ("best", "last"))
        return cls(**block)
