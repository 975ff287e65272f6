"""Choice of device and precision: a graphics card in half precision where there is one, else the CPU."""

import contextlib

import torch


def choose_device(device: str = "auto") -> torch.device:
    """Return the device "cpu" or "cuda"; "auto" takes the graphics card where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def has_bfloat16() -> bool:
    """Tell whether the card computes in bfloat16 by itself (Ampere and later) and needs no scaled gradients."""
    return torch.cuda.is_bf16_supported(including_emulation=False)


def half_precision(device: torch.device) -> contextlib.AbstractContextManager:
    """Return a context that casts to half precision on a card; on the CPU, where that is slower, one without effect."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16 if has_bfloat16() else torch.float16)
