"""Translators of many shapes that have learned nothing, their weights far enough apart to tell their words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regard.config import EOS, configure
from regard.decoding.directory import new_model
from regard.decoding.translator import Translator
from regard.text.formats import Pairs, read_pairs
from regard.text.tokenizer import Tokenizer

LINES = ["the animal did not cross the street", "it was too tired", "a dog ran", "you don't know it", "a", "it ran"]
RIGHT = [
    "l'animal n'a pas traversé la rue",
    "il était trop fatigué",
    "un chien a couru",
    "tu ne le sais pas",
    "un",
    "il",
]
SHAPE = {
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 3,
    "model.d_model": 24,
    "model.d_ff": 37,
    "model.n_heads": 3,
    "text.vocabulary": 317,
    "text.tokenizer": "bpe",
    "decoding.max_ratio": 2.0,
}


@pytest.fixture(scope="session")
def random_translator() -> Callable[..., Translator]:
    """A translator of the shape above but for these settings; the larger `ends`, the sooner do its targets end."""

    tokenizers: dict[Any, Tokenizer] = {}

    def make(ends: float = 0.0, **settings: Any) -> Translator:
        config = configure(SHAPE | {name.replace("__", "."): value for name, value in settings.items()})
        if config.text not in tokenizers:
            tokenizers[config.text] = Tokenizer.train(Pairs(LINES, RIGHT), config.text, 1)
        words = tokenizers[config.text]
        torch.manual_seed(1)
        model = new_model(config, words).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if name.endswith("bias") or ".norm" in name:  # that all but these are random would hide what they do
                    torch.nn.init.normal_(weight, mean=float(name.endswith("weight")), std=0.3)
                else:
                    weight.mul_(2)
            last = model.decoder.norm if config.model.norm == "pre" else model.decoder.layers[-1].add_norm_3.norm
            model.output.weight[EOS] += ends * last.bias / last.bias.norm()
        return Translator(model, words, config)

    return make


@pytest.fixture
def saved(random_translator: Callable[..., Translator], tmp_path: Path) -> Callable[..., Path]:
    """A model directory of such a translator."""
    from regard.decoding.directory import save

    def make(**settings: Any) -> Path:
        save(random_translator(**settings), tmp_path / "model")
        return tmp_path / "model"

    return make


@pytest.fixture
def pairs(toy: Any) -> Pairs:
    """The sentences of the toy language."""
    return read_pairs([toy.folder / "toy.fr", toy.folder / "toy.en"])
