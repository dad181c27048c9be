"""What an experiment is asked, how far it is, and what it found."""

import json
import os
import platform
import shlex
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import torch

from regard.disk import write_text, written_whole
from regard.errors import InputError
from regard.text.formats import Pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")


class Corpus(NamedTuple):
    """Pairs of the user's own, for the experiments that train on any."""

    train: Pairs
    valid: Pairs
    test: Pairs


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What an experiment is asked to do."""

    folder: Path  # for its models, and for what it finds
    quick: bool = False  # within three minutes on two cores, with wider intervals
    seed: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    corpus: Corpus | None = None  # none: the one that comes with regard
    options: Sequence[str] = ()  # of the command line, which name the corpus


class Step(NamedTuple):
    """How far an experiment is."""

    done: float  # share of the whole, 0 to 1
    doing: str


Rows = Sequence[Mapping[str, Any]]  # a table: column -> value, the same columns in each row


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What an experiment found."""

    claim: str  # what the lecture says
    conclusion: str  # what was found, with its interval
    tables: Mapping[str, Rows]  # title -> what was measured
    figure: "Figure"


Experiment = Generator[Step, None, Finding]  # what the function `run` of an experiment gives


def share(part: Generator[Step, None, T], number: int, count: int, doing: str = "") -> Generator[Step, None, T]:
    """The steps of part `number` (from 0) of `count` parts alike, as steps of the whole; then what the part gives."""
    while True:
        try:
            step = next(part)
        except StopIteration as end:
            return end.value
        yield Step((number + step.done) / count, f"{doing}: {step.doing}" if doing else step.doing)


def save(name: str, finding: Finding, trial: Trial, seconds: float) -> list[Path]:
    """Writes NAME.json (all that was measured), NAME.png and NAME.md (both, to be read) into the trial's folder."""
    data, picture, page = (trial.folder / f"{name}.{kind}" for kind in ("json", "png", "md"))
    told = {
        "experiment": name,
        "command": command(name, trial),
        "claim": finding.claim,
        "conclusion": finding.conclusion,
        "seconds": round(seconds, 1),
        "machine": machine(),
        "tables": {title: [dict(row) for row in rows] for title, rows in finding.tables.items()},
    }
    write_text(data, json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    with written_whole(picture) as aside:
        finding.figure.savefig(aside, format="png")
    tables = (f"\n{title}\n\n{markdown(rows)}" for title, rows in finding.tables.items())
    made = f"`{told['command']}`: {seconds:.0f} s on {told['machine']}."
    write_text(page, f"**{finding.conclusion}**\n\n![{finding.claim}]({picture.name})\n{''.join(tables)}\n{made}\n")
    return [data, picture, page]


def command(name: str, trial: Trial) -> str:
    """The command that repeats it."""
    chosen = ["--quick"] * trial.quick + ["--seed", str(trial.seed)] * (trial.seed != 1)
    return shlex.join(["regard", "experiment", name, *chosen, *trial.options])


def machine() -> str:
    """Where it was measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores ({platform.machine()}), PyTorch {torch.__version__.split('+')[0]}"


def markdown(rows: Rows) -> str:
    """A table as Markdown; fractions with as many digits as say something."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([_cell(row[name]) for name in names] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if type(value) is int else "" if value is None else str(value).replace("|", "\\|")


def need_figures() -> None:
    """Says before the work begins that the figure at its end cannot be drawn. Raises InputError then."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("An experiment draws a figure, which needs matplotlib: pip install 'regard[plots]'") from None
