"""Where tensors are computed."""

import torch

from regard.errors import InputError


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; auto: CUDA, Apple's MPS, or the processor. Raises InputError where it is not there."""
    if name == "auto":
        found = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(found)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"The device '{name}' is not to be had here; try --device cpu, or leave the option out."
        ) from None
    return device
