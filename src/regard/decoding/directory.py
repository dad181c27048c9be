"""A model directory: config.json, model.safetensors, the tokenizer's files."""

import json
from pathlib import Path

from regard.config import Config, configure, flatten
from regard.decoding.translator import Translator
from regard.device import pick_device
from regard.disk import write_text
from regard.errors import InputError
from regard.model.transformer import Transformer
from regard.text.tokenizer import Tokenizer
from regard.weights import load_tensors, save_tensors, set_weights, weights_of

FORMAT = 1  # raised when a directory could no longer be read by an older version
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save(translator: Translator, folder: Path) -> None:
    """Writes the whole model directory."""
    save_description(translator.config, translator.tokenizer, folder)
    save_tensors(folder / WEIGHTS, weights_of(translator.model))


def save_description(config: Config, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes all but the weights."""
    tokenizer.save(folder)
    write_text(folder / CONFIG, json.dumps({"format": FORMAT, "settings": flatten(config)}, indent=2) + "\n")


def load(folder: str | Path, device: str = "cpu") -> Translator:
    """The translator in a model directory. Raises InputError where there is none, or it is damaged or too new."""
    folder = Path(folder)
    config = load_config(folder)
    tokenizer = Tokenizer.load(folder, config.text.directions)
    if not (folder / WEIGHTS).exists():
        raise InputError(
            f"{folder}: no weights here yet ({WEIGHTS} is missing): a training writes them at its first validation. "
            f"Go on with it: regard train {folder}"
        )
    model = new_model(config, tokenizer)
    set_weights(model, load_tensors(folder / WEIGHTS)[0], folder / WEIGHTS)
    return Translator(model.to(pick_device(device)).eval(), tokenizer, config, folder.resolve().name)


def load_config(folder: Path) -> Config:
    """The settings a model was trained with."""
    path = folder / CONFIG
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        if described["format"] != FORMAT:
            raise InputError(f"model format {described['format']}; this version reads format {FORMAT}. Update regard.")
        return configure(described["settings"])
    except OSError:
        raise InputError(
            f"{folder}: no model here ({CONFIG} is missing). Train one: regard train {folder} ..."
        ) from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}: not the {CONFIG} of a regard model, or damaged. Take it from a copy.") from None


def new_model(config: Config, tokenizer: Tokenizer) -> Transformer:
    """A model for these words, its weights fresh from torch's random generator."""
    return Transformer(config.model, len(tokenizer.source), len(tokenizer.target), tokenizer.joint)
