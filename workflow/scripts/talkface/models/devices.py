"""Where arithmetic runs: a graphics card in half precision when there is one, the CPU otherwise, by the same code."""

import contextlib

import torch


def choose_device(device: str = "auto") -> torch.device:
    """The card where there is one and `device` is "auto", else what is asked for ("cpu", "cuda")."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def has_bfloat16() -> bool:
    """Whether the card computes in bfloat16 by itself (Ampere and later) and needs no scaled gradients."""
    return torch.cuda.is_bf16_supported(including_emulation=False)


def half_precision(device: torch.device) -> contextlib.AbstractContextManager:
    """Autocast to half precision on a card; nothing on the CPU, where it would be slower and less exact."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16 if has_bfloat16() else torch.float16)
