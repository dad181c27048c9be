"""How quickly regard and its peers train the same small Transformers: Multi30k, French to English.

    benchmarks/training_speed/install_peers
    scripts/bench

All systems of a table stand ready at the same time, each a process of its own, and take turns: in every round each of
them trains for some seconds, in an order that moves on by one, so a machine that slows down for a while slows them all.
Before that, each is trained from its own beginning for some updates, two at a time, since only the loss is looked at.
Writes results.json and results.md next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import datetime
import json
import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from report import describe, table
from systems import HERE, SYSTEMS, Running, System, Told

from regard.config import TextConfig, preset
from regard.text.batching import pad, token_batches
from regard.text.formats import Pairs, drop_empty, read_pairs
from regard.text.store import Encoded, encode_pairs
from regard.text.tokenizer import Tokenizer

DATA = Path(os.environ.get("REGARD_DATA", HERE.parents[2] / "shared" / "data")) / "multi30k"
UPDATES = {"tiny": 80, "small": 20}  # before the losses are compared, by preset
TASK = {
    "vocabulary": 8000,
    "batch_tokens": 4096,  # of an update: source and target, padding included
    "label_smoothing": 0.1,
    "clip": 1.0,
    "learning_rate": 1e-3,
    "warmup": 2,  # updates before the clock starts
    "seed": 1,
    "updates": 0,
    "precision": "",  # of regard's products: what it chooses for this machine
}
Rows = dict[str, Told]  # by the system's name


def main() -> None:
    """Prepares, compares the losses, races, writes the results."""
    asked = _parser().parse_args()
    if not (DATA / "train.fr.gz").exists():
        print(f"skipped: no {DATA.name}/train.fr.gz; set REGARD_DATA to the folder that holds {DATA.name}/")
        return
    results = describe() | {"date": datetime.date.today().isoformat(), "command": shlex.join(["python", *sys.argv])}
    results |= {"rounds": asked.rounds, "seconds": asked.seconds, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = TASK | prepare(folder, asked.cores)
        results |= {"task": task, "tables": [measure(folder, task, asked, name) for name in asked.models]}
    asked.into.mkdir(parents=True, exist_ok=True)
    (asked.into / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (asked.into / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Training speed of regard and its peers.")
    parser.add_argument("--models", nargs="+", choices=list(UPDATES), default=list(UPDATES))
    parser.add_argument("--cores", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=3, help="of one system in one round, and the update begun then"
    )
    parser.add_argument("--updates", type=int, help=f"after which the losses are compared ({UPDATES}); 0: not at all")
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def prepare(folder: Path, cores: list[int]) -> dict[str, int]:
    """Writes the batches for all systems: of a whole update, and of each core's share of it."""
    corpora = {name: _read(name) for name in ("train", "val")}
    tokenizer = Tokenizer.train(corpora["train"], TextConfig(vocabulary=TASK["vocabulary"]), TASK["seed"])
    train, val = (encode_pairs(tokenizer, pairs) for pairs in corpora.values())
    for abreast in {1, *cores}:
        tokens = TASK["batch_tokens"] // abreast
        torch.save(_batches(train, tokens), folder / f"train-{tokens}.pt")
    torch.save(_batches(val, TASK["batch_tokens"]), folder / "val.pt")
    return {"vocabulary": len(tokenizer.source), "pairs": len(train.source.lengths)}


def _read(name: str) -> Pairs:
    return drop_empty(read_pairs([DATA / f"{name}.fr.gz", DATA / f"{name}.en.gz"]))[0]


def _batches(pairs: Encoded, tokens: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    order = token_batches(*(side.lengths for side in pairs), budget=tokens, seed=TASK["seed"], epoch=0)
    sides = [[torch.from_numpy(pad([side[row] for row in rows])) for rows in order] for side in pairs]
    return list(zip(*sides, strict=True))


def measure(folder: Path, task: dict[str, Any], asked: argparse.Namespace, name: str) -> dict[str, Any]:
    """All tables of one size of model."""
    task = task | sizes_of(name, p_drop=0.1)
    updates = UPDATES[name] if asked.updates is None else asked.updates
    losses = list(learn(folder, task | {"updates": updates}, asked.cores)) if updates else [{}] * len(asked.cores)
    tables = [
        {"cores": cores, "systems": [_row(system, rounds[system.name], lost.get(system.name)) for system in SYSTEMS]}
        for cores, lost in zip(asked.cores, losses, strict=True)
        for rounds in [race(folder, task | {"cores": cores}, asked)]
    ]
    return {"name": name, "model": task["model"], "updates": updates, "by_cores": tables}


def sizes_of(name: str, p_drop: float) -> dict[str, Any]:
    """What a task says of the model of a preset."""
    sizes = preset(name)
    model = {key: sizes[f"model.{key}"] for key in ("d_model", "d_ff", "n_heads")}
    return {"model": model | {"layers": sizes["model.n_encoder_layers"], "p_drop": p_drop}}


def learn(folder: Path, task: dict[str, Any], numbers: list[int]) -> Iterator[Rows]:
    """-log p of a piece of the validation set after so many updates, for each number of cores.

    Side by side on one core each. Only what does something else on more cores is trained once more, alone.
    """

    def trained(system: System, cores: int) -> Told:
        with Running(system, folder, task | {"cores": cores}) as running:
            return running.read()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        told = dict(zip((s.name for s in SYSTEMS), pool.map(lambda system: trained(system, 1), SYSTEMS), strict=True))
    for cores in numbers:
        again = {system.name: trained(system, cores) for system in SYSTEMS if cores > 1 and system.own}
        print(f"cores: {cores}, log-loss after {task['updates']} updates: {_told(told | again, 'log_loss', '.4f')}")
        yield told | again


def race(folder: Path, task: dict[str, Any], asked: argparse.Namespace) -> dict[str, list[Told]]:
    """The rounds of each system, by its name, and as the last one what it tells of itself."""
    with ExitStack() as stack:
        ready = [stack.enter_context(_started(system, folder, task)) for system in SYSTEMS]
        rounds: dict[str, list[Told]] = {running.name: [] for running in ready}
        for number in range(asked.rounds):
            first = number % len(ready)
            for running in ready[first:] + ready[:first]:
                rounds[running.name].append(_with_speed(running.train(asked.seconds)))
            last = {name: told[-1] for name, told in rounds.items()}
            print(f"cores: {task['cores']}, round {number + 1}, tokens/s: {_told(last, 'speed', ',.0f')}")
        return {running.name: [*rounds[running.name], running.end()] for running in ready}


def _started(system: System, folder: Path, task: dict[str, Any]) -> Running:
    """The system once it is warm, so that the next one starts on a quiet machine."""
    running = Running(system, folder, task)
    running.read()
    return running


def _with_speed(told: Told) -> Told:
    return told if "error" in told else told | {"speed": told["tokens"] / told["seconds"]}


def _row(system: System, told: list[Told], lost: Told | None) -> dict[str, Any]:
    """One system's row, with all its rounds; without a speed, where it did not run."""
    *rounds, about = told
    row: dict[str, Any] = {"name": system.name, "own": system.own} | about | {"rounds": rounds}
    errors = [result["error"] for result in [*told, lost or {}] if "error" in result]
    if errors:
        return row | {"error": errors[0]}
    speeds = [result["speed"] for result in rounds]
    row |= {"median": statistics.median(speeds), "min": min(speeds), "max": max(speeds)}
    return row | {"log_loss": lost["log_loss"] if lost else None}


def _told(rows: Rows, what: str, form: str) -> str:
    return ", ".join(
        f"{name} {row['error'] if 'error' in row else format(row[what], form)}" for name, row in rows.items()
    )


if __name__ == "__main__":
    main()
