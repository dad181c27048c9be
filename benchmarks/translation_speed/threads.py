"""How CTranslate2 had best share out the cores: batches side by side, or several threads for one batch.

    python benchmarks/translation_speed/threads.py

Engines in 8 bits of random weights, which differ in nothing but their threads, take turns at many sentences together
and at one alone. Writes threads.json and threads.md next to this file.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from rows import BEAMS, PIECES, write

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, keep, sentence  # noqa: E402

ROWS = 8_000
TOGETHER, BATCH, ROUNDS = 256, 32, 7  # sentences; of a batch; turns of each, the first of which warms up
SIZES = ("tiny", "base")
SOURCE = [f"piece{number}" for number in range(10, 10 + PIECES)]


def main() -> None:
    """Measures, writes, prints."""
    cores = os.cpu_count() or 1
    shares = sorted({(1, 1), (1, cores), (cores, 1)})
    torch.manual_seed(1)
    rows = [row for size in SIZES for row in measured(size, shares)]
    results = {"machine": describe(Path(__file__)), "rows": rows}
    keep(results, table(results), HERE, "threads")


def measured(size: str, shares: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Seconds of many sentences and of one, by beam and by threads."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(size, ROWS, Path(name, size))
        engines = {
            (many, each): ctranslate2.Translator(folder, inter_threads=many, intra_threads=each)
            for many, each in shares
        }
    rows = []
    for beam, search in BEAMS.items():
        for count in (TOGETHER, 1):
            times: dict[tuple[int, int], list[float]] = {share: [] for share in shares}
            for turn in range(ROUNDS if count > 1 else 10 * ROUNDS):
                for share, engine in engines.items():
                    began = time.perf_counter()
                    engine.translate_batch(
                        [SOURCE] * count, max_batch_size=BATCH, beam_size=beam,
                        min_decoding_length=PIECES, max_decoding_length=PIECES,
                    )  # fmt: skip
                    if turn:
                        times[share].append(1000 * (time.perf_counter() - began))
            rows += [
                {"size": size, "search": search, "sentences": count, "workers": workers, "each": each, "ms": ms}
                for (workers, each), ms in times.items()
            ]
    return rows


def table(results: dict[str, Any]) -> str:
    """threads.md"""
    rows = results["rows"]
    shares = list(dict.fromkeys((row["workers"], row["each"]) for row in rows))
    heads = [f"{workers} x {each} thread{'s' * (each > 1)}" for workers, each in shares]
    lines = [
        "# Batches side by side, or threads for one batch",
        "",
        f"CTranslate2 in 8 bits, random weights, {ROWS:,} pieces, sentences of {PIECES} pieces to {PIECES}, {TOGETHER} "
        f"in batches of {BATCH}, or one alone: milliseconds of them all, the median (fastest to slowest). The engine "
        f"of regard takes as many workers of one thread each as there are cores, and one for a sentence alone. "
        f"{sentence(results['machine'])}",
        "",
        f"| size | search | sentences | {' | '.join(heads)} |",
        "|---" * (len(heads) + 3) + "|",
    ]
    for size, search, count in dict.fromkeys((row["size"], row["search"], row["sentences"]) for row in rows):
        own = [row["ms"] for row in rows if (row["size"], row["search"], row["sentences"]) == (size, search, count)]
        cells = [f"{statistics.median(ms):,.2f} ({min(ms):,.2f} to {max(ms):,.2f})" for ms in own]
        lines.append(f"| {size} | {search} | {count} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
