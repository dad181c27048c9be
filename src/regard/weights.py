"""Where a training stands, as one file: tensors and a JSON header (safetensors; nothing in it can run)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from regard.disk import written_whole
from regard.errors import InputError


def save_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any] | None = None) -> None:
    """Writes the tensors, whole or not at all, with a header of JSON values."""
    with written_whole(path) as aside:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        aside.write_bytes(save(whole, metadata={"regard": json.dumps(header or {})}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file and its header. Raises InputError where the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("regard", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except FileNotFoundError:
        why = "cannot be read. May you read it?" if path.exists() else "there is no such file."
        raise InputError(f"{path}: {why}") from None  # safetensors does not tell the two apart
    except (SafetensorError, OSError, ValueError) as error:  # a ValueError: the header is no JSON
        raise InputError(f"{path}: not a whole safetensors file ({error}); take it from a copy.") from None


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """The weights by name; a matrix that is tied comes once, under its first name."""
    return dict(model.named_parameters())


def set_weights(model: nn.Module, tensors: Mapping[str, Tensor], where: Path) -> None:
    """Copies the tensors into the model, name by name. Raises InputError naming what is missing, unlike or too much."""
    weights = weights_of(model)
    missing, foreign = sorted(weights.keys() - tensors.keys()), sorted(tensors.keys() - weights.keys())
    if missing or foreign:
        kind, name = ("lacks", missing[0]) if missing else ("has the foreign", foreign[0])
        raise InputError(f"{where}: {kind} weight '{name}': the file and its config.json are not of one model.")
    with torch.no_grad():
        for name, weight in weights.items():
            if weight.shape != tensors[name].shape:
                was, wanted = tuple(tensors[name].shape), tuple(weight.shape)
                raise InputError(f"{where}: '{name}' has the shape {was}, but config.json wants {wanted}.")
            weight.copy_(tensors[name])
