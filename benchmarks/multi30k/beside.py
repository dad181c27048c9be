"""The RNN beside the Transformer on Multi30k, English to German: what each needs to reach the same BLEU.

    runs=benchmarks/.runs
    python benchmarks/multi30k/beside.py --transformer $runs/multi30k-en-de-forward --rnn $runs/multi30k-rnn-en-de

Two model directories that `benchmarks/multi30k/run` left hold the BLEU of every validation (greedy, 500 pairs). How
long an update takes is measured here, for a training may have run beside other work: both recipes begin anew, by turns,
and some of their updates are timed. Writes beside.json, beside.md and beside.png next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import json
import statistics
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regard.config import read_settings
from regard.experiments.figure import SERIES, panels
from regard.training.loop import Updated, train
from regard.training.prepare import Wanted, prepare

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import MULTI30K, describe, keep, need_multi30k, sentence  # noqa: E402

RECIPES = {"Transformer": "en-de", "RNN with attention": "rnn-en-de"}
WARM, TIMED = 20, 60  # updates that are not counted, and that are
LEVELS = range(28, 50)  # of BLEU
CPU = torch.device("cpu")


class Curve(NamedTuple):
    """What a training told of its validations."""

    updates: list[int]
    bleu: list[float]


def main() -> None:
    """Reads, times, writes."""
    asked = _parser().parse_args()
    need_multi30k("train.lc.norm.tok.en.gz")
    curves = {name: read(folder) for name, folder in zip(RECIPES, (asked.transformer, asked.rnn), strict=True)}
    paces: dict[str, list[float]] = {name: [] for name in RECIPES}
    for number in range(asked.rounds):
        for name in list(RECIPES)[:: 1 - 2 * (number % 2)]:
            paces[name].append(pace(RECIPES[name]))
            print(f"round {number + 1} of {asked.rounds}, {name}: {paces[name][-1]:.3f} s an update")
    results = describe(Path(__file__)) | {"rounds": asked.rounds, "threads": torch.get_num_threads()}
    results["models"] = {
        name: {"seconds_an_update": paces[name], "updates": curve.updates, "bleu": curve.bleu}
        for name, curve in curves.items()
    }
    keep(results, table(results), asked.into, "beside")
    draw(results, asked.into / "beside.png")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The RNN beside the Transformer on Multi30k.")
    parser.add_argument("--transformer", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rnn", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def read(folder: Path) -> Curve:
    """The validations of the model in this directory."""
    lines = (folder / "training" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    return Curve([one["update"] for one in told], [statistics.mean(one["bleu"].values()) for one in told])


def pace(recipe: str) -> float:
    """Seconds of an update, the median of some."""
    train_files, valid_files = (
        [str(MULTI30K / f"{part}.lc.norm.tok.{side}.gz") for side in ("en", "de")] for part in ("train", "val")
    )
    with tempfile.TemporaryDirectory() as name:
        given = read_settings(HERE / f"{recipe}.toml")
        wanted = Wanted(folder=Path(name) / "model", train=train_files, valid=valid_files, given=given, device=CPU)
        prepared = prepare(wanted)
        updates = (event for event in train(prepared.run, prepared.learner) if isinstance(event, Updated))
        return statistics.median(event.seconds for event in islice(updates, WARM, WARM + TIMED))


def reached(model: dict[str, Any], level: float) -> int | None:
    """The update of the first validation with this BLEU."""
    return next((update for update, bleu in zip(model["updates"], model["bleu"], strict=True) if bleu >= level), None)


def table(results: dict[str, Any]) -> str:
    """beside.md"""
    models = results["models"]
    seconds = {name: statistics.median(model["seconds_an_update"]) for name, model in models.items()}
    lines = ["# The RNN beside the Transformer on Multi30k", "", _told(results, seconds), ""]
    lines += ["| BLEU of a validation | " + " | ".join(f"{name}: updates, minutes" for name in models) + " |"]
    lines += ["|---" * (1 + len(models)) + "|"]
    for level in LEVELS:
        updates = {name: reached(model, level) for name, model in models.items()}
        if any(updates.values()):
            cells = (
                f"{update:,}, {update * seconds[name] / 60:.0f}"
                if update
                else f"not in {models[name]['updates'][-1]:,}"
                for name, update in updates.items()
            )
            lines.append(f"| {level} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _told(results: dict[str, Any], seconds: dict[str, float]) -> str:
    spread = {name: model["seconds_an_update"] for name, model in results["models"].items()}
    paces = "; ".join(
        f"{name} {seconds[name]:.3f} s ({min(spread[name]):.3f} to {max(spread[name]):.3f})" for name in spread
    )
    return (
        f"English to German, `benchmarks/multi30k/en-de.toml` and `rnn-en-de.toml`, the same words and batches. The "
        f"update at which a validation (greedy, 500 pairs) first had so much BLEU, and the minutes of the updates "
        f"until then, validations, and 2 s an epoch in which its pieces are drawn, not counted: {paces} an update, "
        f"median and spread of {results['rounds']} turns, {results['threads']} threads. {sentence(results)}"
    )


def draw(results: dict[str, Any], path: Path) -> None:
    """The BLEU of the validations against minutes."""
    figure, (axes,) = panels("RNN and Transformer on Multi30k, English to German", ["BLEU of validations, greedy"])
    figure.set_size_inches(7, 3)
    for (name, model), colour in zip(results["models"].items(), SERIES, strict=False):
        minutes = [update * statistics.median(model["seconds_an_update"]) / 60 for update in model["updates"]]
        axes.plot(minutes, model["bleu"], color=colour, linewidth=1.6, label=name)
    axes.set_xlabel("minutes of updates")
    axes.set_ylim(bottom=20)
    axes.legend(frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
