"""Experiments, run by the command line on toy pairs, and what they left behind."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from regard.cli import main
from regard.experiments.resilience import Answer, Outcome, Question, Student


class Found(NamedTuple):
    """What an experiment left behind."""

    folder: Path
    out: str
    told: dict[str, Any]  # NAME.json


def run(name: str, folder: Path, *options: object) -> Found:
    """Runs one by the command line."""
    with redirect_stdout(io.StringIO()) as out:
        assert main(["experiment", name, str(folder), "--quiet", *map(str, options)]) == 0
    return Found(folder, out.getvalue(), json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def experiment() -> Callable[..., Found]:
    """Runs an experiment by the command line: `experiment("order", folder, "--quick")`."""
    return run


@pytest.fixture(scope="session")
def toy_corpus(toy: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that give an experiment 61 pairs of the toy language."""
    folder = tmp_path_factory.mktemp("pairs")
    files = [folder / f"few.{side}" for side in ("fr", "en")]
    for path in files:
        lines = (toy.folder / f"toy{path.suffix}").read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(lines[:61]) + "\n", encoding="utf-8")
    names = [str(path) for path in files]
    return ["--train", *names, "--valid", *names, "--test", *names]


@pytest.fixture
def answer() -> Callable[..., Answer]:
    """Made-up outcomes: `answer(question, bleu)`, where bleu(student, spoiling) is that of each seed."""

    def make(question: Question, bleu: Callable[[Student, str], list[float]], changed: float = 0.0) -> Answer:
        outcomes = [
            Outcome(student, seed, spoiling, score, score / 2, changed)
            for student in question.students
            for spoiling in question.spoilings
            for seed, score in enumerate(bleu(student, spoiling), 1)
        ]
        return Answer(question, outcomes)

    return make
