"""What every test stands on: one seed, one thread, and the folder of real corpora."""

import os
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import settings

from regard.cli import main

ROOT = Path(__file__).parents[1]

torch.set_num_threads(1)
settings.register_profile("regard", derandomize=True, deadline=None)
settings.load_profile("regard")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Every test, and the fixtures that it makes, begin at the same random state, alone or in company."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (libraries that draw from the global state are to be repeatable too)
    torch.manual_seed(1)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora, which is no part of the repository."""
    folder = Path(os.environ.get("REGARD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no corpora in {folder}; set REGARD_DATA to a folder that holds them")
    return folder


TOY = dict(
    zip(
        ["ba", "be", "bi", "bo", "bu", "da", "de", "di", "do", "du"],
        ["nab", "neb", "nib", "nob", "nub", "nad", "ned", "nid", "nod", "nud"],
        strict=True,
    )
)
TOY_SETTINGS = """
[model]
n_encoder_layers = 1
n_decoder_layers = 1
d_model = 32
d_ff = 64
n_heads = 4
p_drop = 0.0
[text]
tokenizer = "word"
vocabulary = 300
max_length = 23
[training]
batch_tokens = 512
accumulate = 1
precision = "float32"
learning_rate = 0.01
warmup = 60
ema = 0.9
validate_every = 1000
"""


class Toy(NamedTuple):
    """A language whose every word has one translation, and models that were trained on it; only to be read."""

    folder: Path  # toy.fr, toy.en: 300 pairs; toy.toml: the settings of a small model

    def translate(self, line: str) -> str:
        """The right answer."""
        return " ".join(TOY[word] for word in line.split())

    def train(self, name: str, *options: str) -> Path:
        """The model directory of that name, trained by the command line."""
        files = [str(self.folder / f"toy.{side}") for side in ("fr", "en")]
        command = ["train", str(self.folder / name), "--quiet", "--config", str(self.folder / "toy.toml")]
        assert main([*command, "--train", *files, *options]) == 0
        return self.folder / name


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The toy language."""
    toy, chance = Toy(tmp_path_factory.mktemp("toy")), random.Random(1)
    lines = [" ".join(chance.choices(list(TOY), k=chance.randint(1, 5))) for _ in range(300)]
    (toy.folder / "toy.fr").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (toy.folder / "toy.en").write_text("\n".join(map(toy.translate, lines)) + "\n", encoding="utf-8")
    (toy.folder / "toy.toml").write_text(TOY_SETTINGS, encoding="utf-8")
    return toy


@pytest.fixture(scope="session")
def two_way(toy: Toy) -> Path:
    """A model that knows fr-en and en-fr, both nearly perfectly."""
    return toy.train("two-way", "--directions", "fr-en", "en-fr", "--epochs", "25")


@pytest.fixture(scope="session")
def one_way(toy: Toy) -> Path:
    """A model of one direction, with a vocabulary for each side, which has not learned much."""
    return toy.train("one-way", "--set", "text.joint=false", "--epochs", "2")
