"""The first run: a corpus, a model that learns it in a minute or so, and how well it did."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regard.config import Settings
from regard.decoding.directory import load
from regard.decoding.translator import Translator
from regard.demo.antecedents import put_to_the_test
from regard.demo.corpus import HELD, DemoCorpus, demo_corpus
from regard.demo.family import Contrast
from regard.disk import write_text
from regard.errors import InputError
from regard.evaluation import bleu
from regard.looking.antecedents import Antecedents
from regard.looking.comparing import with_sentence
from regard.looking.documents import write_page
from regard.looking.plots import plot, plot_antecedents
from regard.text.formats import Pairs
from regard.training.card import write_card
from regard.training.loop import Event, train
from regard.training.prepare import Wanted, prepare

MARK = ".regard-demo"  # the file that tells that a folder is a demo's; it is written before any other
MINUTES = 1.35  # of training, whatever the machine
THERE, BACK = "fr-en", "en-fr"
SETTINGS: Settings = {
    "text.directions": (THERE, BACK),
    "text.tokenizer": "bpe",
    "text.vocabulary": 2000,
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 2,
    "model.d_model": 128,
    "model.d_ff": 256,
    "model.n_heads": 4,
    "model.norm": "pre",
    "model.p_drop": 0.0,  # every pair is seen three times or so: nothing to overfit
    "training.batch_tokens": 512,
    "training.accumulate": 2,  # side by side on two cores
    "training.precision": "float32",  # products as small as these are no quicker in bfloat16
    "training.learning_rate": 2.5e-3,
    "training.schedule": "cosine",
    "training.warmup": 200,
    "training.ema": 0.998,
    "training.minutes": MINUTES,
    "training.validate_every": 500,
    "training.validate_pairs": 50,
    "training.save_every": 500,
    "decoding.beam_size": 2,
}
UNSEEN = {THERE: [pair.fr for pair in HELD], BACK: [pair.en for pair in HELD[1:]]}


class Example(NamedTuple):
    """A sentence and its translation."""

    direction: str
    source: str
    translation: str


class Report(NamedTuple):
    """What the demo found out; the fields of report.json."""

    seconds: float  # from the start to the end
    bleu: dict[str, float]  # of greedy translations of the held-out sentences
    pronoun_accuracy: float  # share of contrastive pairs in which the right pronoun is more probable
    examples: list[Example]
    antecedents: Antecedents  # what heads and methods give to the noun that a pronoun stands for


def make_corpus(folder: Path, seed: int) -> DemoCorpus:
    """Writes the parts of the corpus as pairs of text files into folder/corpus; an earlier demo's model goes.

    Raises InputError where the folder holds anything, and no demo, not even one that was interrupted, has marked it.
    """
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        why = f"is not empty, and not a demo's ({MARK} is missing)"
        raise InputError(f"{folder} {why}. Name a new folder: regard demo NEW")
    write_text(mark, "`regard demo` made this folder; when it is called again, it makes corpus/ and model/ anew.\n")
    shutil.rmtree(folder / "model", ignore_errors=True)
    corpus = demo_corpus(seed)
    for name, part in (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test)):
        for language, lines in zip(("fr", "en"), part, strict=True):
            write_text(folder / "corpus" / f"{name}.{language}", "".join(f"{line}\n" for line in lines))
    return corpus


def learn(folder: Path, seed: int, device: torch.device) -> Iterator[Event]:
    """Trains the model in folder/model on the corpus in folder/corpus, by the same steps as `regard train`."""
    files = {
        part: [str(folder / "corpus" / f"{part}.{language}") for language in ("fr", "en")]
        for part in ("train", "valid")
    }
    given = SETTINGS | {"training.seed": seed}
    wanted = Wanted(folder=folder / "model", train=files["train"], valid=files["valid"], given=given, device=device)
    prepared = prepare(wanted)
    yield from train(prepared.run, prepared.learner)
    write_card(prepared.run)


def examine(folder: Path, corpus: DemoCorpus, began: float) -> Report:
    """Scores the model on what was held out and writes folder/report.json; `began`: time.monotonic() at the start."""
    translator = load(folder / "model")
    scores = {THERE: _bleu(translator, corpus.test, THERE), BACK: _bleu(translator, Pairs(*corpus.test[::-1]), BACK)}
    accuracy = pronoun_accuracy(translator, corpus.contrasts)
    examples = [
        Example(direction, line, answer.text)
        for direction, lines in UNSEEN.items()
        for line, answer in zip(lines, translator.translate(lines, direction=direction), strict=True)
    ]
    tested = put_to_the_test(translator, corpus.contrasts)
    report = Report(round(time.monotonic() - began, 1), scores, accuracy, examples, tested)
    told: dict[str, Any] = report._asdict() | {"examples": [example._asdict() for example in examples]}
    told["antecedents"] = tested.records()
    write_text(folder / "report.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    return report


def pronoun_accuracy(translator: Translator, contrasts: Sequence[Contrast]) -> float:
    """The share of the sentences whose right translation is more probable than the one with the other pronoun."""
    sources = [contrast.source for contrast in contrasts]
    right, wrong = (
        [sum(scored.log_probs) for scored in translator.score(sources, targets, direction=BACK)]
        for targets in ([contrast.right for contrast in contrasts], [contrast.wrong for contrast in contrasts])
    )
    return sum(a > b for a, b in zip(right, wrong, strict=True)) / len(contrasts)


class Pictures(NamedTuple):
    """Files that were drawn."""

    attention: Path  # the last layer's cross-attention, head by head, while the model wrote the last example
    antecedents: Path  # the table of antecedents


def show(folder: Path) -> Path:
    """Writes the page of every number of the pronoun's sentence, beside the one in which it stands for another noun."""
    tired, wide = UNSEEN[BACK]
    trace = load(folder / "model").look(tired, direction=BACK)
    write_page(trace, folder / "look.html", others=[with_sentence(trace, wide)])
    return folder / "look.html"


def draw(folder: Path, report: Report) -> Pictures:
    """Draws what the model looked at, and what that tells. Raises InputError where matplotlib is missing."""
    translator, example = load(folder / "model"), report.examples[-1]
    trace = translator.look(example.source, direction=example.direction)
    pictures = Pictures(folder / "attention.png", folder / "antecedents.png")
    plot(trace, "heads", kind="cross", layer=trace.model.n_decoder_layers).save(pictures.attention)
    plot_antecedents(report.antecedents).save(pictures.antecedents)
    return pictures


def _bleu(translator: Translator, pairs: Pairs, direction: str) -> float:
    answers = translator.translate(pairs.source, direction=direction, beam_size=1)
    return round(bleu([answer.text for answer in answers], pairs.target).score, 2)
