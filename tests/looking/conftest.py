"""Models of many shapes with fresh weights, their words, and the NumPy twin of attention."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from regard.config import EOS, configure
from regard.decoding.directory import load, new_model
from regard.decoding.translator import Translator
from regard.looking.blocks import Sentences, as_sentences
from regard.model.transformer import Transformer
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer

SHAPE = {
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 3,
    "model.d_model": 22,
    "model.d_ff": 17,
    "model.n_heads": 2,
    "model.d_k": 7,
    "model.d_v": 5,
    "text.tokenizer": "bpe",
    "text.vocabulary": 320,
    "text.max_length": 37,
    "decoding.beam_size": 3,
    "decoding.max_ratio": 1.0,
}
LEFT = ["the animal did not cross the street", "it was too tired", "a dog ran", "you don't know it"]
RIGHT = ["l'animal n'a pas traversé la rue", "il était trop fatigué", "un chien a couru", "tu ne le sais pas"]


@pytest.fixture(scope="session")
def twin() -> ModuleType:
    """twin.py"""
    path = Path(__file__).with_name("twin.py")
    spec = importlib.util.spec_from_file_location("twin", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fresh() -> Callable[..., Translator]:
    """A translator of the shape above but for these settings, such as {"model.norm": "pre"}; it has learned nothing."""
    tokenizers: dict[Any, Tokenizer] = {}

    def make(settings: dict[str, Any] | None = None) -> Translator:
        config = configure(SHAPE | (settings or {}))
        if config.text not in tokenizers:
            tokenizers[config.text] = Tokenizer.train(Pairs(LEFT, RIGHT), config.text, 1)
        words = tokenizers[config.text]
        torch.manual_seed(1)
        return Translator(unsettled(new_model(config, words)), words, config, "fresh")

    return make


def unsettled(model: nn.Module) -> Any:
    """The model, its biases and norms as random as its other weights: as they begin, they would hide what they do."""
    for name, weight in model.named_parameters():
        if name.endswith("bias") or ".norm" in name:
            nn.init.normal_(weight, mean=float(name.endswith("weight")), std=0.3)
    return model.eval()


@pytest.fixture(params=["pre", "post"])
def model(request: pytest.FixtureRequest) -> Transformer:
    """A Transformer of the shape above for 29 pieces, in float64."""
    return unsettled(Transformer(configure(SHAPE | {"model.norm": request.param}).model, 29, 29).double())


@pytest.fixture
def batch(model: Transformer) -> Sentences:
    """Two pairs of different lengths, as ids."""
    return as_sentences(model, [[5, 9, 13, 11, 8, 17, EOS], [6, 7, EOS]], [[8, 12, 20, 4, EOS], [15, 9, EOS]])


@pytest.fixture(scope="session")
def learned(two_way: Path) -> Translator:
    """A translator that knows the toy language, both ways."""
    return load(two_way)
