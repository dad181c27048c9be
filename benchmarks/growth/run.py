"""How the cost of a Transformer grows, and how much of the machine it uses.

    python benchmarks/growth/run.py            (--quick: a few small points)

- the time of the encoder for one sentence of 8 to 2,048 pieces, beside the operations that it takes;
- time and memory of a training update, and of greedy translation by the PyTorch engine, when the layers, the width or
  the vocabulary are halved and doubled;
- what a token more in a batch adds to the memory of a training update;
- the share of the machine's measured matrix-product peak, in float32, bfloat16 and 8 bits, that training and
  translating reach, on one thread and on all; the operations are counted as in operations.py.

Every point is a process of its own (point.py): its memory is the most that it had above PyTorch itself. The weights are
random, the pieces too, nothing is padded, and no target ends before it is as long as it may be. Linux only, since it
reads /proc. Writes results.json, results.md and growth.png next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from operations import Pieces, encoding, translation, update
from report import draw, table

from regard.config import ModelConfig, preset

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, keep, need_proc  # noqa: E402

REFERENCE = {"n_encoder_layers": 4, "n_decoder_layers": 4, "d_model": 256, "d_ff": 1024, "n_heads": 4}
VOCABULARY = 8000
BATCH = Pieces(32, 32, 32)  # of an update and of a translation
FACTORS = (0.25, 0.5, 1, 2, 4)
LENGTHS = tuple(2**power for power in range(3, 12))
PRESETS = ("tiny", "small", "base")
SENTENCES = (32, 128)  # of the two updates whose memories are compared
EIGHT = "8 bits"
Told = dict[str, Any]


def main() -> None:
    """Measures, writes, prints."""
    asked = _parser().parse_args()
    need_proc()
    results = describe(Path(__file__)) | {"reference": REFERENCE | {"vocabulary": VOCABULARY}, "batch": BATCH._asdict()}
    results["lengths"] = list(lengths(asked))
    results["growth"] = list(growth(asked))
    results["tokens"] = list(tokens(asked))
    results["peaks"] = list(peaks(asked))
    results["shares"] = list(shares(asked, results["peaks"]))
    keep(results, table(results), asked.into)
    draw(results, asked.into / "growth.png")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="How the cost of a Transformer grows.")
    parser.add_argument("--quick", action="store_true", help="a few small points, to see that it runs")
    parser.add_argument("--repeats", type=int, default=5, help="of each point; the median counts")
    parser.add_argument("--cores", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def measured(kind: str, threads: int, asked: argparse.Namespace, **task: Any) -> Told:
    """What one point tells."""
    task = {"kind": kind, "threads": threads, "repeats": 2 if asked.quick else asked.repeats} | task
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, HERE / "point.py", json.dumps(task)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"growth: {kind} did not run: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if "seconds" in told:
        times = told["seconds"]
        told |= {"seconds": statistics.median(times), "fastest": min(times), "slowest": max(times)}
    print(f"{kind}, {threads} thread(s), {task.get('sizes', '')}: {told}", file=sys.stderr)
    return told


def lengths(asked: argparse.Namespace) -> Iterator[Told]:
    """The encoder of the reference model, one sentence, one thread."""
    for length in LENGTHS[:5] if asked.quick else LENGTHS:
        pieces = Pieces(1, length, 0)
        told = measured("encode", 1, asked, sizes=REFERENCE, vocabulary=VOCABULARY, pieces=pieces)
        yield told | {"length": length, "operations": encoding(ModelConfig(**REFERENCE), pieces)}


def growth(asked: argparse.Namespace) -> Iterator[Told]:
    """The reference model with one of its sizes changed, one thread."""
    for what in ("layers", "width", "vocabulary"):
        for factor in (0.25, 0.5) if asked.quick else FACTORS:
            sizes, vocabulary = changed(what, factor)
            task = {"sizes": sizes, "vocabulary": vocabulary, "pieces": BATCH}
            for kind in ("update", "translate"):
                told = measured(kind, 1, asked, **task)
                yield told | {"what": what, "factor": factor, "kind": kind, "sizes": sizes, "vocabulary": vocabulary}


def changed(what: str, factor: float) -> tuple[dict[str, int], int]:
    """The sizes of the reference model and its vocabulary, one of them times the factor."""
    names = {"layers": ("n_encoder_layers", "n_decoder_layers"), "width": ("d_model", "d_ff")}.get(what, ())
    sizes = {name: int(value * factor) if name in names else value for name, value in REFERENCE.items()}
    return sizes, int(VOCABULARY * factor) if what == "vocabulary" else VOCABULARY


def tokens(asked: argparse.Namespace) -> Iterator[Told]:
    """The memory of an update with few tokens and with many, and what the difference is for one; one thread."""
    for name in PRESETS[:1] if asked.quick else PRESETS:
        for precision in ("float32", "bfloat16"):
            task = {"sizes": _sizes(name), "vocabulary": VOCABULARY, "precision": precision, "repeats": 1}
            batches = [BATCH._replace(sentences=sentences) for sentences in SENTENCES]
            few, many = (measured("update", 1, asked, pieces=pieces, **task)["memory_mib"] for pieces in batches)
            lengths = BATCH.source + BATCH.target
            a_token = (many - few) / (lengths * (SENTENCES[1] - SENTENCES[0]))
            row = {"preset": name, "precision": precision, "few_mib": few, "many_mib": many}
            yield row | {"few": lengths * SENTENCES[0], "many": lengths * SENTENCES[1], "token_kib": 1024 * a_token}


def peaks(asked: argparse.Namespace) -> Iterator[Told]:
    """What the machine's matrix products reach."""
    precisions = ["float32", "bfloat16"] + ([EIGHT] if hasattr(torch, "_int_mm") else [])
    for threads in asked.cores:
        for precision in precisions:
            told = measured("peak", threads, asked, precision=precision)
            yield {"threads": threads, "precision": precision, "operations_per_second": told["operations_per_second"]}


def shares(asked: argparse.Namespace, peak: list[Told]) -> Iterator[Told]:
    """What training and translating reach of it; 8 bits, where they have no peak, are set against that of float32."""
    reached = {(row["threads"], row["precision"]): row["operations_per_second"] for row in peak}
    runs = [("update", "float32"), ("update", "bfloat16"), ("translate", "float32")]
    runs += [("fast", EIGHT)] if find_spec("ctranslate2") else []
    for name in PRESETS[:1] if asked.quick else PRESETS:
        sizes = _sizes(name)
        for threads in asked.cores:
            for kind, precision in runs:
                task = {"sizes": sizes, "vocabulary": VOCABULARY, "pieces": BATCH}
                task |= {"precision": precision} if precision != EIGHT else {}  # its weights are rounded when written
                told = measured(kind, threads, asked, **task)
                speed = _operations(kind, sizes, told) / told["seconds"]
                most = reached.get((threads, precision), reached[threads, "float32"])
                row = {"preset": name, "threads": threads, "kind": kind, "precision": precision}
                yield told | row | {"operations_per_second": speed, "share": speed / most}


def _sizes(name: str) -> dict[str, Any]:
    return {key.removeprefix("model."): value for key, value in preset(name).items()}


def _operations(kind: str, sizes: dict[str, int], told: Told) -> float:
    if kind == "update":
        return update(ModelConfig(**sizes), BATCH, VOCABULARY)
    if told["written"] != BATCH.sentences * BATCH.target:
        raise SystemExit(f"growth: {kind} wrote {told['written']} pieces and not {BATCH.sentences * BATCH.target}")
    return translation(ModelConfig(**sizes), BATCH, VOCABULARY)


if __name__ == "__main__":
    main()
