"""The folder in which the commands and the Python of the pages are run: a corpus, and a model that learned it."""

import shutil
from pathlib import Path

import pytest

from regard.cli import main

PAIRS = {
    "je suis étudiant": "I am a student",
    "je suis médecin": "I am a doctor",
    "un chien": "a dog",
    "deux chats": "two cats",
    "Le chat est trop fatigué.": "The cat is too tired.",
    "Le chien est trop fatigué.": "The dog is too tired.",
    "L'animal est fatigué.": "The animal is tired.",
    "L'animal n'a pas traversé la rue parce qu'il était trop fatigué.": (
        "The animal did not cross the street because it was too tired."
    ),
    "L'animal n'a pas traversé la rue parce qu'elle était trop large.": (
        "The animal did not cross the street because it was too wide."
    ),
}
TIMES = 20  # that each pair stands in the corpus
SETTINGS = """
[model]
n_encoder_layers = 2
n_decoder_layers = 2
d_model = 32
d_ff = 64
n_heads = 2
p_drop = 0.0
[text]
tokenizer = "bpe"
vocabulary = 600
[training]
batch_tokens = 256
accumulate = 1
precision = "float32"
learning_rate = 0.01
warmup = 30
ema = 0.9
epochs = 16
validate_every = 1000
"""
FILES = {  # what the pages call files of the reader's
    "broken.tsv": "un chien\ta dog\nun chat a cat\n",
    "short.en": "a dog\n",
    "words.align": "0-0 1-1\n0-0 1-1\n",
    "two.tsv": "un chien\ta dog\ndeux chats\ttwo cats\n",
}


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; only to be read."""
    folder = tmp_path_factory.mktemp("docs")
    for name, text in FILES.items() | {"settings.toml": SETTINGS}.items():
        (folder / name).write_text(text, encoding="utf-8")
    for side, lines in (("fr", list(PAIRS)), ("en", list(PAIRS.values()))):
        for name, times in (("corpus", TIMES), ("dev", 1), ("test", 1), ("text", 1)):
            (folder / f"{name}.{side}").write_text("".join(f"{line}\n" for line in lines * times), encoding="utf-8")
    pairs = [str(folder / f"{name}.{side}") for name in ("corpus", "dev") for side in ("fr", "en")]
    command = ["train", str(folder / "my-model"), "--quiet", "--directions", "fr-en", "en-fr"]
    assert (
        main([*command, "--config", str(folder / "settings.toml"), "--train", *pairs[:2], "--valid", *pairs[2:]]) == 0
    )
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working directory."""
    shutil.copytree(learned, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"
