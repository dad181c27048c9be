"""A corpus of a few words, and trainings on it that take a second."""

import random
from pathlib import Path

import pytest
import torch

from regard.training.prepare import Wanted, prepare

WORDS = {"un": "one", "deux": "two", "trois": "three", "cinq": "five", "sept": "seven"}
SMALL = {
    "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 1,
    "model.d_model": 14,
    "model.d_ff": 11,
    "model.n_heads": 2,
    "model.p_drop": 0.3,
    "text.tokenizer": "word",
    "text.vocabulary": 300,
    "training.batch_tokens": 128,
    "training.accumulate": 1,
    "training.precision": "float32",
    "training.validate_every": 3,
    "training.validate_pairs": 0,
    "training.warmup": 3,
    "training.ema": 0.9,
}


@pytest.fixture
def files(tmp_path):
    """A training corpus of 97 pairs, each but once, and one of 11 for validation, as numbers.fr and numbers.en."""
    lines = set()
    numbers = random.Random(1)
    while len(lines) < 108:
        lines.add(" ".join(numbers.choices(list(WORDS), k=numbers.randint(2, 7))))
    lines = sorted(lines)
    numbers.shuffle(lines)
    paths = {}
    for kind, part in (("numbers", lines[:97]), ("valid", lines[97:])):
        english = [" ".join(WORDS[word] for word in line.split()) for line in part]
        paths[kind] = [str(tmp_path / f"{kind}.{code}") for code in ("fr", "en")]
        for path, side in zip(paths[kind], (part, english), strict=True):
            Path(path).write_text("".join(f"{line}\n" for line in side), encoding="utf-8")
    return paths


@pytest.fixture
def begin(tmp_path, files):
    """Begins a small training in a folder of that name, or goes on with it; settings as name=value, _ for the dot."""

    def start(name="model", train=None, valid=None, origin=None, **settings):
        given = {key.replace("_", ".", 1): value for key, value in settings.items()}
        resumed = (tmp_path / name / "training").exists()
        return prepare(
            Wanted(
                folder=tmp_path / name,
                train=([] if resumed else files["numbers"]) if train is None else train,
                valid=([] if resumed else files["valid"]) if valid is None else valid,
                given=given if resumed else SMALL | given,
                origin=origin,
                device=torch.device("cpu"),
            )
        )

    return start
