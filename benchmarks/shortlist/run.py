"""Which shortlist is harmless, and whose alignment makes the better one: IBM model 1's, or the model's own attention?

    python benchmarks/shortlist/run.py --model benchmarks/.runs/multi30k-en-de

Both lexicons are learned from the same pairs of Multi30k, English to German, and become shortlists by the same rule.
The model's own is a count: each target piece that is written gives each source piece its weight in the
cross-attention, the mean over the heads of one layer (a row for each layer). Beside them stands the list that is the
same for all sources; and each but the attention's also without the sample that stands for what is left out. What is
seen of each: how many target pieces of held-out references it covers, how many held-out translations stay as they
were, BLEU, speed, and the seconds that it took to learn. Writes results.json and results.md next to this file, or into
--into.
"""

# ruff: noqa: T201

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regard.config import EOS
from regard.decoding.directory import load
from regard.decoding.translator import Translator
from regard.interop.proof import prove
from regard.interop.shortlist import Shortlist, by_source, for_all
from regard.looking.blocks import as_sentences, passed
from regard.text.formats import Pairs, read_pairs
from regard.text.lexicon import Lexicon, learn_lexicon
from regard.text.store import Encoded, encode_pairs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import MULTI30K, describe, keep, need_multi30k, sentence  # noqa: E402

PARTS = ("train", "val")
BATCH = 64  # pairs that are attended at one time
MODEL_1 = "IBM model 1"
WITHOUT = "without the rest"
Row = dict[str, Any]


def main() -> None:
    """Learns, proves, writes."""
    asked = _parser().parse_args()
    need_multi30k(f"train.{asked.text}en.gz")
    if asked.threads:
        torch.set_num_threads(asked.threads)
    train, val = (read_pairs([MULTI30K / f"{name}.{asked.text}{side}.gz" for side in ("en", "de")]) for name in PARTS)
    train = Pairs(*(side[: asked.pairs] for side in train))
    translator = load(asked.model)
    encoded = encode_pairs(translator.tokenizer, train)
    names, learned, seconds = zip(*shortlists(translator, encoded), strict=True)
    rows = []
    for name, one, took, verdict in zip(names, learned, seconds, prove(asked.model, learned, val), strict=True):
        rows.append({"name": name, "couples": len(one.source), "seconds": took} | verdict._asdict())
        rows[-1]["coverage"] = one.coverage(val, translator.tokenizer)
        print(rows[-1])
    results = describe(Path(__file__)) | {"pairs": len(train.source), "rows": rows}
    results["vocabulary"] = len(translator.tokenizer.target)
    keep(results, table(results), asked.into)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Shortlists, and what becomes of translations with them.")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="without a shortlist; en-de")
    parser.add_argument("--text", default="lc.norm.tok.", help="between name and language of the files: '' for plain")
    parser.add_argument("--pairs", type=int, default=20_000, help="to learn from")
    parser.add_argument("--threads", type=int, help="of the passes through the model (default: all cores)")
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def shortlists(translator: Translator, encoded: Encoded) -> Iterator[tuple[str, Shortlist, float]]:
    """Each shortlist by its name, and the seconds that it took."""
    began = time.perf_counter()
    common = for_all(encoded, translator.tokenizer)
    seconds = time.perf_counter() - began
    yield "the same for all", common, seconds
    yield f"the same for all, {WITHOUT}", without_rest(common), seconds
    for name, lexicon, seconds in lexicons(translator, encoded):
        short = by_source(lexicon, encoded, translator.tokenizer)
        yield name, short, seconds
        if name == MODEL_1:
            yield f"{name}, {WITHOUT}", without_rest(short), seconds


def without_rest(short: Shortlist) -> Shortlist:
    """Nothing stands for what is left out."""
    return dataclasses.replace(short, rest=short.rest[:0])


def lexicons(translator: Translator, encoded: Encoded) -> Iterator[tuple[str, Lexicon, float]]:
    """Each lexicon by its name, and the seconds that it took."""
    began = time.perf_counter()
    yield MODEL_1, learn_lexicon(encoded), time.perf_counter() - began
    began = time.perf_counter()
    couples, weights = attended(translator, encoded)
    seconds = time.perf_counter() - began
    for layer, counts in enumerate(weights, 1):
        yield f"attention, layer {layer}", counted(couples, counts), seconds


def attended(translator: Translator, encoded: Encoded) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Every source piece beside every target piece of its pair (a row of two), and the weight that it has in each layer
    where the target piece is written: the mean over the heads."""
    order = np.argsort(encoded.source.lengths, kind="stable")
    couples, weights = [], []
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH].tolist()
        sides = [[list(map(int, side[row])) for row in rows] for side in encoded]
        cross = passed(translator.transformer, as_sentences(translator.model, *sides)).cross
        layers = torch.stack([block.weights.mean(dim=1) for block in cross])  # layer, sentence, written, source
        for number, (source, target) in enumerate(zip(*sides, strict=True)):
            couples.append(np.stack(np.meshgrid(source, target), axis=-1).reshape(-1, 2))
            weights.append(layers[:, number, : len(target), : len(source)].flatten(1).numpy())
    return np.concatenate(couples), np.concatenate(weights, axis=1)


def counted(couples: NDArray[np.int64], counts: NDArray[np.float64]) -> Lexicon:
    """p(t | s) = c(s, t) / sum over t' of c(s, t'); the end of a sentence, where much weight rests, is no word."""
    words = couples[:, 0] != EOS
    found, number = np.unique(couples[words], axis=0, return_inverse=True)
    source, target = found.T
    count = np.bincount(number.ravel(), counts[words])
    p = count / np.bincount(source, count)[source]
    order = np.lexsort((target, -p, source))
    return Lexicon(source[order], target[order], p[order])


def table(results: Row) -> str:
    """results.md"""
    lines = [
        "# Shortlists: the same for all sources, by IBM model 1, and by the model's own attention",
        "",
        f"Multi30k, English to German; {results['pairs']:,} pairs to learn from, {results['vocabulary']:,} pieces. "
        f"Covered: target pieces of the validation set that may come with their own source. The same: translations of "
        f"it that the shortlist leaves as they were. {sentence(results)}",
        "",
        "| shortlist | always | couples | covered | the same | BLEU | times as quick, together | alone "
        "| seconds to learn |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['name']} | {row['pieces']:,} | {row['couples']:,} | {row['coverage']:.2%} | {row['same']:.1%} "
            f"| {row['bleu']:+.2f} | {row['together']:.2f} | {row['alone']:.2f} | {row['seconds']:.0f} |"
            for row in results["rows"]
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
