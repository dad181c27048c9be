"""A model directory: config.json, model.safetensors, the tokenizer's files."""

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from regard.config import Config, configure, flatten
from regard.decoding.translator import Later, Translator
from regard.disk import write_text
from regard.errors import InputError
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.model.encoder_decoder import EncoderDecoder

FORMAT = 1  # raised when a directory could no longer be read by an older version
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save(translator: Translator, folder: Path) -> None:
    """Writes the whole model directory."""
    from regard.weights import save_tensors, weights_of

    save_description(translator.config, translator.tokenizer, folder)
    save_tensors(folder / WEIGHTS, weights_of(translator.model))


def save_description(config: Config, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes all but the weights."""
    tokenizer.save(folder)
    write_text(folder / CONFIG, json.dumps({"format": FORMAT, "settings": flatten(config)}, indent=2) + "\n")


def load(folder: str | Path, device: str = "cpu") -> Translator:
    """The translator in a model directory, its weights in PyTorch, on this device.

    Raises InputError where there is none, or it is damaged or too new.
    """
    translator = describe(folder, device)
    return dataclasses.replace(translator, weights=translator.model)


def describe(folder: str | Path, device: str = "cpu") -> Translator:
    """`load`, but for the weights: they are read, and PyTorch is imported, when they are first asked for."""
    folder = Path(folder)
    config = load_config(folder)
    tokenizer = Tokenizer.load(folder, config.text.directions)
    if not (folder / WEIGHTS).exists():
        raise InputError(
            f"{folder}: no weights here yet ({WEIGHTS} is missing): a training writes them at its first validation. "
            f"Go on with it: regard train {folder}"
        )
    weights = Later(partial(_read, folder, config, tokenizer, device))
    return Translator(weights, tokenizer, config, folder.resolve().name)


def _read(folder: Path, config: Config, tokenizer: Tokenizer, device: str) -> "EncoderDecoder":
    from regard.device import pick_device
    from regard.weights import load_tensors, set_weights

    model = new_model(config, tokenizer)
    set_weights(model, load_tensors(folder / WEIGHTS)[0], folder / WEIGHTS)
    return model.to(pick_device(device)).eval()


def load_config(folder: Path) -> Config:
    """The settings a model was trained with."""
    path = folder / CONFIG
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        if described["format"] != FORMAT:
            raise InputError(f"model format {described['format']}; this version reads format {FORMAT}. Update regard.")
        return configure(described["settings"])
    except (FileNotFoundError, NotADirectoryError):
        if folder.is_file():
            raise InputError(f"{folder}: a file, but a model is a folder: the one that regard train wrote.") from None
        raise InputError(
            f"{folder}: no model here ({CONFIG} is missing). Train one: regard train {folder} ..."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}. May you read it?") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: not the {CONFIG} of a regard model, or damaged. Take it from a copy.") from None


def new_model(config: Config, tokenizer: Tokenizer) -> "EncoderDecoder":
    """A model for these words, its weights fresh from torch's random generator."""
    from regard.model.recurrent import Recurrent
    from regard.model.transformer import Transformer

    kind = Recurrent if config.model.architecture == "rnn" else Transformer
    return kind(config.model, len(tokenizer.source), len(tokenizer.target), tokenizer.joint)
