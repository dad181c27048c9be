"""How large the page is, how soon it is there, how smoothly it follows the pointer, and how exact its numbers are.

    python benchmarks/page/run.py --model my-demo/model

Size and time: a look by a model of the paper's base size (6+6 layers, 8 heads) at 50 + 50 words, with what every head
and word is worth, opened in Chromium. Hovering: the finder of a model of 12+12 layers with 16 heads at 100 pieces.
Exactness: over 100 random sentences, all layers and heads, what the page's own modules compute in float64 (run in
node), beside an independent twin in NumPy and float64 (tests/looking/twin.py) and the model's float32. Writes
results.json and results.md next to this file. Wants a machine with nothing else to do.
"""

# ruff: noqa: T201

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from browsing import browsing, hovered, opened
from exactness import differences
from report import describe, table

from regard.config import configure, preset
from regard.decoding.directory import load, new_model
from regard.decoding.translator import Translator
from regard.demo.corpus import demo_corpus
from regard.looking.export import Shown, alti_data, page_data
from regard.looking.shell import page
from regard.looking.trace import Trace
from regard.looking.worth import worth
from regard.text.tokenizer import Tokenizer

HERE = Path(__file__).resolve().parent
BAR = {"opens_ms": 1000, "file_mb": 8, "alone_kb": 150, "frame_ms": 1000 / 60, "difference": 1e-5}
OPENINGS = 7
WIDE = {"model.n_encoder_layers": 12, "model.n_decoder_layers": 12, "model.n_heads": 16, "model.d_model": 256}
SHORT, LONG = (5, 29), (31, 50)  # pieces of random sentences, whose q, k and v travel as float32, as float16


def main() -> None:
    """Measures, writes, prints."""
    asked = _parser().parse_args()
    torch.set_num_threads(asked.threads)
    results: dict[str, Any] = describe() | {"bar": BAR, "alone_kb": len(page(page_data([])).encode()) / 1000}
    with tempfile.TemporaryDirectory() as folder:
        usual, wide = Path(folder, "usual.html"), Path(folder, "wide.html")
        results["usual"] = _write(usual, _words(_translator({}), 50), measure=True)
        results["wide"] = _write(wide, _pieces(_translator(WIDE), 100), measure=False)
        with browsing() as browser:
            results["browser"] = browser.version
            times = [opened(browser, usual) for _ in range(OPENINGS)]
            results["usual"] |= {name: statistics.median(time[name] for time in times) for name in times[0]}
            results["wide"] |= hovered(browser, wide)
    results["exactness"] = [{"case": name} | differences(traces) for name, traces in _cases(asked)]
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The page: its size, its speed, its exactness.")
    parser.add_argument("--model", metavar="DIR", help="a trained model of the demo's languages")
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1, help="of the model, while it is looked at")
    return parser


def _translator(settings: dict[str, Any]) -> Translator:
    """A model of the paper's base size, but for these settings, that has learned nothing."""
    config = configure(preset("base") | {"text.tokenizer": "bpe", "text.vocabulary": 2000} | settings)
    words = Tokenizer.train(demo_corpus().train, config.text, 1)
    torch.manual_seed(1)
    return Translator(new_model(config, words).eval(), words, config, "base")


def _words(translator: Translator, count: int) -> Trace:
    """A look at so many words of the demo's test set, and at as many of their translation."""
    test = demo_corpus().test
    source, target = (" ".join(" ".join(side[:40]).split()[:count]) for side in (test.source, test.target))
    return translator.look(source, target)


def _pieces(translator: Translator, count: int) -> Trace:
    """A look at so many random pieces."""
    chance = np.random.default_rng(1)
    return translator.look(*(_line(translator, chance, count) for _ in range(2)))


def _line(translator: Translator, chance: np.random.Generator, count: int) -> str:
    """Words that are one piece each."""
    words = translator.tokenizer.source
    begin = [number for number, name in enumerate(words.pieces(range(len(words)))) if name.startswith("\u2581")]
    return words.decode(chance.choice(begin, count).tolist()).strip()


def _write(path: Path, trace: Trace, *, measure: bool) -> dict[str, Any]:
    """Writes the page; its size."""
    record = worth(trace, count=2, beam_size=1, max_ratio=1.0).record() if measure else None
    path.write_text(page(page_data([Shown(trace, record, alti_data(trace))])), encoding="utf-8")
    facts = trace.model
    return {
        "model": f"{facts.n_encoder_layers}+{facts.n_decoder_layers} layers, {facts.n_heads} heads, d_model "
        f"{facts.d_model}",
        "words": len(trace.text.split()),
        "pieces": [len(trace.source_pieces), len(trace.writes)],
        "file_mb": path.stat().st_size / 1e6,
    }


def _cases(asked: argparse.Namespace) -> Iterator[tuple[str, Iterator[Trace]]]:
    base, chance = _translator({}), np.random.default_rng(1)

    def random(lengths: tuple[int, int]) -> Iterator[Trace]:
        for _ in range(asked.sentences):
            yield base.look(*(_line(base, chance, int(chance.integers(*lengths))) for _ in range(2)))

    yield (
        f"base size, fresh weights, {SHORT[0]} to {SHORT[1]} random pieces a side (float32 in the page)",
        random(SHORT),
    )
    if asked.model:
        test = demo_corpus().test
        rows = np.random.default_rng(1).choice(len(test.source), asked.sentences, replace=False)
        trained = load(asked.model)
        yield "the demo's model, its test set (float32 in the page)", (trained.look(test.source[row]) for row in rows)
    yield f"base size, {LONG[0]} to {LONG[1]} random pieces a side (float16 in the page)", random(LONG)


if __name__ == "__main__":
    sys.exit(main())
