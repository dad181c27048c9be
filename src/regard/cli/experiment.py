"""`regard experiment`: a claim about attention, tried on this machine."""

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import Any

from regard.cli.options import EVERY, add_verb, folder, say, start_torch
from regard.errors import InputError

EXPERIMENTS = {  # name -> what is tried
    "length": "N words at once, or N steps: time, memory and training speed of both",
    "missing": "words that are missing: how well an RNN and a Transformer cope",
    "order": "words out of order: how well both cope, with positions and without",
    "scale": "the division by the root of d_k: what it does to scores, weights and gradients",
    "values": "a value of any width: quality, parameters and speed",
    "antecedent": 'what "it" is: accuracy, and what heads and methods say of it',
    "heads": "how many heads are needed, and which parts they play",
}
ROOM = "regard-experiments"
PARTS = {"train": "to learn from", "valid": "to validate with", "test": "to measure with"}
OF_ANY_CORPUS = ("missing", "order", "scale", "values", "heads")


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "experiment", run, help="try one of the lecture's claims: a figure, the numbers, and a conclusion",
        example="regard experiment order --quick",
    )  # fmt: skip
    parser.epilog = (
        "\n".join(["experiments:", *(f"  {name:<12}{what}" for name, what in EXPERIMENTS.items())])
        + f"\n\n{parser.epilog}"
    )
    parser.add_argument("name", choices=EXPERIMENTS, metavar="NAME", help="one of those below")
    parser.add_argument(
        "folder", nargs="?", default=ROOM, metavar="DIR", type=folder, help=f"for results (default {ROOM})"
    )
    parser.add_argument("--quick", action="store_true", help="within three minutes on two cores; wider intervals")
    for part, what in PARTS.items():
        parser.add_argument(
            f"--{part}", nargs="+", metavar="FILE", help=f"pairs {what} (default: the corpus of the demo)"
        )


def run(asked: argparse.Namespace) -> int:
    """Tries the claim, tells what was found and where it is written down."""
    from regard.experiments.finding import Step, Trial, need_figures, save

    need_figures()
    trial = Trial(
        folder=Path(asked.folder), quick=asked.quick, seed=1 if asked.seed is None else asked.seed,
        device=start_torch(asked), corpus=_corpus(asked), options=_options(asked),
    )  # fmt: skip
    steps = importlib.import_module(f"regard.experiments.{asked.name}").run(trial)
    began = time.monotonic()
    try:
        progress = _Progress(asked, began)
        while True:
            step: Step = next(steps)
            progress.show(step.done, step.doing)
    except StopIteration as end:
        finding = end.value
    written = save(asked.name, finding, trial, time.monotonic() - began)
    print(finding.conclusion)
    say(asked, f"Written: {', '.join(map(str, written))}")
    return 0


class _Progress:
    """How far it is, and how long it will take, on stderr: one line that is written over, or now and then a line."""

    def __init__(self, asked: argparse.Namespace, began: float) -> None:
        self.asked, self.began, self.told = asked, began, began
        self.live = sys.stderr.isatty()

    def show(self, done: float, doing: str) -> None:
        """Tells, if it is time to."""
        from regard.cli.options import clock

        now = time.monotonic()
        if now - self.told < (0.1 if self.live else EVERY):
            return
        self.told = now
        left = f", {clock((now - self.began) * (1 - done) / done)} left" if done > 0.02 else ""
        words = f"{done:4.0%}{left}: {doing}"
        say(self.asked, f"{words:<79}" if self.live else words, end="\r" if self.live else "\n")


def _corpus(asked: argparse.Namespace) -> Any:
    """The user's pairs, if there are any."""
    given = {part: getattr(asked, part) for part in PARTS}
    if not any(given.values()):
        return None
    if not all(given.values()):
        raise InputError("A corpus has three parts here; give all of them: --train, --valid and --test.")
    if asked.name not in OF_ANY_CORPUS:
        raise InputError(
            f"{asked.name} tries sentences of its own; leave --train, --valid and --test out. "
            f"Of any corpus: {', '.join(OF_ANY_CORPUS)}."
        )
    from regard.experiments.finding import Corpus
    from regard.text.formats import drop_empty, read_pairs

    corpus = Corpus(*(drop_empty(read_pairs(files))[0] for files in given.values()))
    for (part, files), pairs in zip(given.items(), corpus, strict=True):
        if not pairs.source:
            raise InputError(f"--{part} {' '.join(files)}: no pair with something on both sides; give it some.")
    return corpus


def _options(asked: argparse.Namespace) -> list[str]:
    """The options that name the corpus, as they were given."""
    given = ((f"--{part}", getattr(asked, part)) for part in PARTS)
    return [word for option, files in given if files for word in (option, *files)]
