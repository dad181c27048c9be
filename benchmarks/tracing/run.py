"""How exact a trace is, and what it costs.

    python benchmarks/tracing/run.py --model my-demo/model

Over 100 random sentences, all layers and heads: the largest difference between each number of a trace and the same
number computed from its q, k and v by an independent twin in NumPy and float64 (tests/looking/twin.py). And the time of
a forced pass that is traced, as a share of the same pass plain; pass by pass in turns, so that a machine that slows
down for a while slows down both. Writes results.json and results.md next to this file.
"""

# ruff: noqa: T201

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from regard.config import configure, preset
from regard.decoding.directory import load, new_model
from regard.decoding.translator import Translator
from regard.demo.corpus import demo_corpus
from regard.looking.trace import Trace
from regard.text.tokenizer import Tokenizer

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tests" / "looking")]

from machine import command, commit, processor  # noqa: E402
from twin import recomputed  # noqa: E402

BAR = {"difference": 1e-5, "cost": 2.0}
LENGTHS = (5, 50)  # pieces of a random sentence


def main() -> None:
    """Measures, writes, prints."""
    asked = _parser().parse_args()
    torch.set_num_threads(1)
    cases = {"base (6+6 layers, 8 heads, d_model 512), fresh weights, random pieces": _random(asked.sentences)}
    if asked.model:
        cases[f"{asked.named}, sentences of the demo's test set"] = _corpus(asked.model, asked.sentences)
    rows = [{"case": name} | measured(pairs) for name, pairs in cases.items()]
    results = describe() | {"sentences": asked.sentences, "bar": BAR, "cases": rows}
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="How exact a trace is, and what it costs.")
    parser.add_argument("--model", metavar="DIR", help="a trained model of the demo's languages")
    parser.add_argument("--named", default="the demo's model", help="what to call it")
    parser.add_argument("--sentences", type=int, default=100)
    return parser


Case = tuple[Translator, Iterator[tuple[str, str | None]]]  # lines, each with the translation that is forced upon it


def _random(count: int) -> Case:
    """A model of the paper's base size that has learned nothing, and pairs of lines of random pieces."""
    corpus = demo_corpus().train
    config = configure(preset("base") | {"text.tokenizer": "bpe", "text.vocabulary": 2000})
    words = Tokenizer.train(corpus, config.text, 1)
    torch.manual_seed(1)
    translator = Translator(new_model(config, words).eval(), words, config)
    rng = np.random.default_rng(1)

    def line() -> str:
        return words.source.decode(rng.integers(260, len(words.source), rng.integers(*LENGTHS)).tolist()).strip()

    return translator, ((line(), line()) for _ in range(count))


def _corpus(folder: str, count: int) -> Case:
    """A trained model, and sentences of the demo's test set, which it translates itself."""
    test = demo_corpus().test
    rows = np.random.default_rng(1).choice(len(test.source), count, replace=False)
    return load(folder), ((test.source[row], None) for row in rows)


def measured(case: Case) -> dict[str, Any]:
    """The largest differences, the medians of the times, and the counts."""
    translator, pairs = case
    largest: dict[str, float] = {}
    traced, plain, looked, translated, entries = [], [], [], [], 0
    for source, target in pairs:
        trace = translator.look(source, target)
        if target is None:
            looked.append(_seconds(lambda s=source: translator.look(s)))
            translated.append(_seconds(lambda s=source: translator.translate(s)))
        for name, value in _differences(trace).items():
            largest[name] = max(largest.get(name, 0.0), value)
        forced = trace.translation
        traced.append(_seconds(lambda s=source, t=forced: translator.look(s, t)))
        plain.append(_seconds(lambda s=source, t=forced: translator.score([s], [t])))
        entries += sum(block.weights.size for block in trace.attentions)
    row = {
        "parameters": trace.model.parameters,
        "weights_compared": entries,
        "largest_difference": largest,
        "traced_ms": 1000 * statistics.median(traced),
        "plain_ms": 1000 * statistics.median(plain),
        "cost": statistics.median(a / b for a, b in zip(traced, plain, strict=True)),
    }
    if looked:
        row["look_ms"], row["translate_ms"] = (1000 * statistics.median(times) for times in (looked, translated))
    return row


def _seconds(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _differences(trace: Trace) -> dict[str, float]:
    """The largest difference of each quantity over all blocks and heads; and in parts of it, where it is above 1."""
    largest: dict[str, float] = {}
    for block in trace.attentions:
        twin = recomputed(block, post_norm=trace.model.norm == "post", epsilon=trace.model.norm_epsilon)
        for name, value in twin.items():
            off = np.abs(getattr(block, name) - value)
            for kind, number in ((name, off), (f"{name}, relative", off / np.maximum(1, np.abs(value)))):
                largest[kind] = max(largest.get(kind, 0.0), float(number.max()))
    return largest


def describe() -> dict[str, Any]:
    """Where, when and how."""
    return {
        "command": command(Path(__file__)),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": {
            "processor": f"{processor()} ({torch.backends.cpu.get_cpu_capability()})",
            "cores": os.cpu_count(),
            "cores_used": 1,
            "system": platform.system(),
        },
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }


def table(results: dict[str, Any]) -> str:
    """results.md"""
    machine, cases = results["machine"], results["cases"]
    quantities = [name for name in cases[0]["largest_difference"] if not name.endswith("relative")]
    lines = [
        "# How exact a trace is, and what it costs",
        "",
        f"{results['sentences']} random sentences a model; all layers, heads and positions. {machine['processor']}, "
        f"{machine['cores']} cores, one used; torch {results['torch']}, Python {results['python']}; {results['date']}, "
        f"commit {results['commit']}: `{results['command']}`.",
        "",
        "The largest difference between the model's float32 number and the twin's, which is computed in float64 from "
        "q, k, v and the stream before the block. float32 keeps seven digits, so what is large differs by more: "
        "the second row of a model is in parts of the number, where that is above 1.",
        "",
        "| model | weights compared | " + " | ".join(quantities) + " |",
        "|---|---" + "|---" * len(quantities) + "|",
        *(line for row in cases for line in _exact(row, quantities)),
        "",
        "A forced pass that is traced, beside the same pass plain (`Translator.score`); and with a beam search before "
        "it, `look` beside `translate`. Medians, in milliseconds.",
        "",
        "| model | traced | plain | cost (median of the ratios) | look | translate |",
        "|---|---|---|---|---|---|",
        *(_cost(row) for row in cases),
    ]
    return "\n".join(lines) + "\n"


def _exact(row: dict[str, Any], quantities: list[str]) -> Iterator[str]:
    for end, label in (("", f"{row['case']}; {row['parameters']:,} parameters"), (", relative", "in parts of it")):
        numbers = " | ".join(f"{row['largest_difference'][name + end]:.1e}" for name in quantities)
        yield f"| {label} | {'' if end else format(row['weights_compared'], ',')} | {numbers} |"


def _cost(row: dict[str, Any]) -> str:
    searched = f"{row['look_ms']:.1f} | {row['translate_ms']:.1f}" if "look_ms" in row else "- | -"
    return f"| {row['case']} | {row['traced_ms']:.1f} | {row['plain_ms']:.1f} | {row['cost']:.2f} | {searched} |"


if __name__ == "__main__":
    main()
