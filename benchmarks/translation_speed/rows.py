"""What an output layer costs CTranslate2 for one sentence alone, and so what a shortlist can give at most.

    taskset -c 0 python benchmarks/translation_speed/rows.py

Engines in 8 bits of random weights, which differ in nothing but the rows of their output layer, take turns at a
sentence of 14 pieces that is to have a target of 14, on one thread. Writes rows.json and rows.md next to this file.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import ctranslate2
import torch

from regard.config import configure, preset
from regard.interop.ctranslate2 import write_engine
from regard.model.transformer import Transformer
from regard.text.tokenizer import Tokenizer
from regard.weights import weights_of

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, keep, sentence  # noqa: E402
from words import Words  # noqa: E402

ROWS = (500, 4_000, 8_000, 16_000, 32_000)
PIECES, REPEATS = 14, 300
BEAMS = {1: "greedy", 5: "beam 5"}


def main() -> None:
    """Measures, writes, prints."""
    results = {"machine": describe(Path(__file__)), "sizes": [measured(size) for size in ("tiny", "base")]}
    keep(results, table(results), HERE, "rows")


def measured(size: str) -> dict[str, Any]:
    """Milliseconds of one sentence, by beam and by rows."""
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        engines = {
            rows: ctranslate2.Translator(write(size, rows, Path(folder, str(rows))), inter_threads=1, intra_threads=1)
            for rows in ROWS
        }
    source = [[f"piece{number}" for number in range(10, 10 + PIECES)]]
    times: dict[int, dict[int, list[float]]] = {beam: defaultdict(list) for beam in BEAMS}
    for beam in BEAMS:
        for turn in range(REPEATS):
            for rows, engine in engines.items():
                began = time.perf_counter()
                engine.translate_batch(source, beam_size=beam, min_decoding_length=PIECES, max_decoding_length=PIECES)
                if turn:
                    times[beam][rows].append(1000 * (time.perf_counter() - began))
    middle = {beam: {rows: statistics.median(all_of_it) for rows, all_of_it in times[beam].items()} for beam in BEAMS}
    return {"size": size, "ms": {BEAMS[beam]: by_rows for beam, by_rows in middle.items()}}


def write(size: str, rows: int, folder: Path) -> str:
    """An engine of random weights; where it is."""
    config = configure(preset(size))
    words = Words(rows)
    weights = {
        name: one.detach().numpy() for name, one in weights_of(Transformer(config.model, rows, rows, True)).items()
    }
    folder.mkdir()
    write_engine(weights, config, Tokenizer(words, words), folder, quantization="int8")
    return str(folder)


def table(results: dict[str, Any]) -> str:
    """rows.md"""
    lines = [
        "# What an output layer costs",
        "",
        f"CTranslate2 in 8 bits, random weights, one thread, one sentence of {PIECES} pieces to one of {PIECES}: "
        f"milliseconds, the median of {REPEATS - 1} turns. {sentence(results['machine'])}",
        "",
        f"| size | search | {' | '.join(f'{rows:,} rows' for rows in ROWS)} "
        f"| 16,000 over {ROWS[0]} | 32,000 over {ROWS[0]} |",
        "|---" * (len(ROWS) + 4) + "|",
    ]
    for size in results["sizes"]:
        for search, by_rows in size["ms"].items():
            times = [f"{by_rows[rows]:.2f}" for rows in ROWS]
            most = [f"{by_rows[rows] / by_rows[ROWS[0]]:.2f} x" for rows in (16_000, 32_000)]
            lines.append(f"| {size['size']} | {search} | {' | '.join([*times, *most])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
