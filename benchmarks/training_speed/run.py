"""How quickly regard and its peers train the same small Transformer on one core: Multi30k, French to English.

    benchmarks/training_speed/install_peers
    python benchmarks/training_speed/run.py

Every round runs each system once, in a process of its own, in an order that moves on by one each round; so a machine
that slows down for a while slows them all. Writes results.json and results.md next to this file.
"""

# ruff: noqa: T201

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regard.config import TextConfig, preset
from regard.text.batching import pad, token_batches
from regard.text.formats import Pairs, drop_empty, read_pairs
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(os.environ.get("REGARD_DATA", ROOT.parent / "shared" / "data")) / "multi30k"
PEERS = ROOT / os.environ.get("PEERS", "benchmarks/.peers")
TINY = preset("tiny")
TASK = {
    "model": {
        "layers": TINY["model.n_encoder_layers"],  # in each of the two stacks
        "d_model": TINY["model.d_model"],
        "d_ff": TINY["model.d_ff"],
        "n_heads": TINY["model.n_heads"],
        "p_drop": 0.1,
    },
    "vocabulary": 8000,
    "batch_tokens": 4096,  # source and target, padding included
    "label_smoothing": 0.1,
    "clip": 1.0,
    "learning_rate": 5e-4,
    "warmup": 3,  # updates before the clock starts
    "seed": 1,
}


class System(NamedTuple):
    """One row of the table."""

    name: str
    file: str
    python: Path
    batches: str  # what it is given


SYSTEMS = (
    System("regard", "own_regard.py", Path(sys.executable), "regard's, ready"),
    System("HF MarianMTModel, plain loop", "peer_marian.py", PEERS / "marian/bin/python", "the same tensors"),
    System(
        "JoeyNMT",
        "peer_joeynmt.py",
        PEERS / "joeynmt/bin/python",
        "its own, from text: unsorted, sentences x longest side up to 2,048",
    ),
)


def main() -> None:
    """Prepares, races, compares the losses, writes the results."""
    asked = _parser().parse_args()
    if not (DATA / "train.fr.gz").exists():
        print(f"skipped: no {DATA.name}/train.fr.gz; set REGARD_DATA to the folder that holds {DATA.name}/")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = TASK | {"vocabulary": prepare(folder)}
        rounds = race(folder, task | {"seconds": asked.seconds, "updates": 0}, asked.rounds)
        losses = learn(folder, task | {"seconds": 0, "updates": asked.updates, "warmup": 0})
    results = describe(asked) | {"task": task, "systems": [summary(system, rounds, losses) for system in SYSTEMS]}
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Training speed of regard and its peers on one core.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="of one system in one round")
    parser.add_argument("--updates", type=int, default=60, help="after which the losses are compared")
    return parser


def prepare(folder: Path) -> int:
    """Writes the corpus for all systems, as text and as batches; returns the number of pieces of the vocabulary."""
    corpora = {name: _read(name) for name in ("train", "val")}
    config = TextConfig(vocabulary=TASK["vocabulary"])
    tokenizer = Tokenizer.train(corpora["train"], config, TASK["seed"])
    tokenizer.save(folder)
    pieces = tokenizer.source.pieces(range(len(tokenizer.source)))
    (folder / "vocabulary.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    for name, pairs in corpora.items():
        for side, lines in zip(("source", "target"), pairs, strict=True):
            (folder / f"{name}.{side}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        torch.save(_batches(tokenizer, pairs), folder / f"{name}.pt")
    return len(pieces)


def _read(name: str) -> Pairs:
    return drop_empty(read_pairs([DATA / f"{name}.fr.gz", DATA / f"{name}.en.gz"]))[0]


def _batches(tokenizer: Tokenizer, pairs: Pairs) -> list[tuple[torch.Tensor, torch.Tensor]]:
    source, target = encode_pairs(tokenizer, pairs)
    order = token_batches(source.lengths, target.lengths, budget=TASK["batch_tokens"], seed=TASK["seed"], epoch=0)
    sides = [[torch.from_numpy(pad([side[row] for row in rows])) for rows in order] for side in (source, target)]
    return list(zip(*sides, strict=True))


def race(folder: Path, task: dict[str, Any], rounds: int) -> list[dict[str, dict[str, Any]]]:
    """The rounds: what each system told, by its name."""
    told = []
    for number in range(rounds):
        first = number % len(SYSTEMS)
        told.append({system.name: measure(folder, system, task) for system in SYSTEMS[first:] + SYSTEMS[:first]})
        print(f"round {number + 1} of {rounds}: " + ", ".join(f"{name} {_speed(r)}" for name, r in told[-1].items()))
    return told


def learn(folder: Path, task: dict[str, Any]) -> dict[str, float]:
    """-log p of a piece of the validation set after so many updates, for the systems that train on the same batches."""
    told = {system.name: measure(folder, system, task) for system in SYSTEMS[:2]}
    print(f"log-loss after {task['updates']} updates: {', '.join(f'{name} {_loss(r)}' for name, r in told.items())}")
    return {name: result["log_loss"] for name, result in told.items() if "log_loss" in result}


def measure(folder: Path, system: System, task: dict[str, Any]) -> dict[str, Any]:
    """What one system tells of one run, or the error that it ends with."""
    if not system.python.exists():
        return {"error": "not installed; run benchmarks/training_speed/install_peers"}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    (folder / "result.json").unlink(missing_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if system.file.startswith("peer_"):
        environment.pop("PYTHONPATH", None)  # a peer's packages are its own
    load = os.getloadavg()[0]
    command = [system.python, HERE / system.file, folder]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not (folder / "result.json").exists():
        return {"error": (done.stderr.strip() or "no result").splitlines()[-1]}
    return json.loads((folder / "result.json").read_text(encoding="utf-8")) | {"load_before": load}


def describe(asked: argparse.Namespace) -> dict[str, Any]:
    """Where, when and how."""
    commit = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    return {
        "command": shlex.join(["python", "benchmarks/training_speed/run.py", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "commit": subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "cores_used": 1, "system": platform.system()},
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "updates_before_loss": asked.updates,
    }


def _processor() -> str:
    """The processor's name, and what of its instructions matters to matrix products."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} ({torch.backends.cpu.get_cpu_capability()})"


def summary(system: System, rounds: list[dict[str, Any]], losses: dict[str, float]) -> dict[str, Any]:
    """One system's row, with all its rounds; without a speed, where it did not run."""
    told = [results[system.name] for results in rounds]
    row: dict[str, Any] = {"name": system.name, "batches": system.batches, "rounds": told}
    good = [result for result in told if "error" not in result]
    if not good:
        return row | {"error": told[0]["error"]}
    speeds = [result["tokens_per_second"] for result in good]
    padded = sum(result["padded_tokens"] for result in good)
    return row | {
        "version": good[0]["version"],
        "parameters": good[0]["parameters"],
        "median": statistics.median(speeds),
        "min": min(speeds),
        "max": max(speeds),
        "filled": sum(result["tokens"] for result in good) / padded,
        "padded_tokens_per_update": padded / sum(result["updates"] for result in good),
        "log_loss": losses.get(system.name),
    }


def table(results: dict[str, Any]) -> str:
    """results.md"""
    model, machine, own = results["task"]["model"], results["machine"], results["systems"][0]
    lines = [
        "# Training speed on one core",
        "",
        f"Multi30k French to English, joint vocabulary of {results['task']['vocabulary']:,} pieces, "
        f"{model['layers']}+{model['layers']} layers, d_model {model['d_model']}, d_ff {model['d_ff']}, "
        f"{model['n_heads']} heads, dropout {model['p_drop']}, label smoothing {results['task']['label_smoothing']}, "
        f"Adam, fp32, {results['task']['batch_tokens']:,} tokens a batch (source + target, padded). "
        f"Tokens are source and target pieces without padding, the end of each sentence included.",
        "",
        f"{machine['processor']}, {machine['cores']} cores, one used; torch {results['torch']}, "
        f"Python {results['python']}; {results['date']}, commit {results['commit']}. "
        f"Median and spread of {results['rounds']} interleaved rounds of {results['seconds']:g} s: "
        f"`{results['command']}`.",
        "",
        "| | tokens/s, median (min to max) | of regard | its batches | filled | padded tokens an update "
        f"| log-loss after {results['updates_before_loss']} updates |",
        "|---|---|---|---|---|---|---|",
        *(_row(row, own.get("median")) for row in results["systems"]),
    ]
    return "\n".join(lines) + "\n"


def _row(row: dict[str, Any], own: float | None) -> str:
    if "error" in row:
        return f"| {row['name']} | did not run: {row['error']} | - | {row['batches']} | - | - | - |"
    loss = "-" if row["log_loss"] is None else f"{row['log_loss']:.2f}"
    share = f"{row['median'] / own:.0%}" if own else "-"
    return (
        f"| {row['name']} {row['version']} | {row['median']:,.0f} ({row['min']:,.0f} to {row['max']:,.0f}) | {share} "
        f"| {row['batches']} | {row['filled']:.0%} | {row['padded_tokens_per_update']:,.0f} | {loss} |"
    )


def _speed(result: dict[str, Any]) -> str:
    return result["error"] if "error" in result else f"{result['tokens_per_second']:,.0f} tokens/s"


def _loss(result: dict[str, Any]) -> str:
    return result["error"] if "error" in result else f"{result['log_loss']:.3f}"


if __name__ == "__main__":
    main()
