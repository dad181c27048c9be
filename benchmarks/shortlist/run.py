"""Which shortlist is harmless: by how often its pieces came in training and by what they are worth, with and without
what stands for the rest, and by how many copies there are of that.

    python benchmarks/shortlist/run.py --model MODEL

The model translates Multi30k, English to German. What is seen of each shortlist: how many rows the output layer keeps,
how many target pieces of held-out references it covers, how many held-out translations stay as they were, BLEU, and
speed. Writes results.json and results.md next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from regard.decoding.directory import load
from regard.interop.proof import prove, worth_of
from regard.interop.rest import fit_rest
from regard.interop.shortlist import COPIES, SEEN, Shortlist, likely_pieces
from regard.text.formats import read_pairs
from regard.text.store import encode_pairs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import MULTI30K, describe, keep, need_multi30k, sentence  # noqa: E402

# came so often; only the better half of them; so many copies
TRIED = [(seen, False, copies) for seen in (1, 2, 3, 5) for copies in (0, COPIES)]
TRIED += [(SEEN, False, copies) for copies in (1, 30, 1000)]
TRIED += [(SEEN, True, copies) for copies in (0, 30, COPIES)]


def main() -> None:
    """Learns, proves, writes."""
    asked = _parser().parse_args()
    need_multi30k(f"train.{asked.text}en.gz")
    train, valid = (
        read_pairs([MULTI30K / f"{part}.{asked.text}{side}.gz" for side in ("en", "de")]) for part in ("train", "val")
    )
    translator = load(asked.model)
    words = translator.tokenizer
    encoded, held_out = encode_pairs(words, train), encode_pairs(words, valid).target.values
    worth, rows = worth_of(translator, train, encoded), []
    for seen, half, copies in sorted(TRIED):
        listed = likely_pieces(encoded, words, seen=seen, worth=worth if half else None)
        row = {"seen": seen, "half": half, "copies": copies, "covered": float(np.isin(held_out, listed).mean())}
        rest = fit_rest(translator.model, encoded, listed)._replace(copies=copies)
        rows.append(row | prove(asked.model, Shortlist(listed, rest), valid)._asdict())
        print(rows[-1])
    results = describe(Path(__file__)) | {"vocabulary": len(words.target), "rows": rows}
    keep(results, table(results), asked.into)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Shortlists, and what becomes of translations with them.")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="translates English to German")
    parser.add_argument("--text", default="lc.norm.tok.", help="between name and language of the files: '' for plain")
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def table(results: dict[str, Any]) -> str:
    """results.md"""
    lines = [
        "# Shortlists",
        "",
        f"Multi30k, English to German, {results['vocabulary']:,} pieces. Came: times in the training targets, at "
        f"least. Half: what the model writes itself, and of all else that came so often the better half. Copies: of "
        f"the vector that stands for what is left out. The same: of 1,000 held-out sentences, the translations that "
        f"stay as they were. {sentence(results)}",
        "",
        "| came | copies | rows kept | covered | the same | BLEU | times as quick, together | alone |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['seen']}{', half' * row['half']} | {row['copies']:,} | {row['pieces']:,} "
            f"| {row['covered']:.2%} | {row['same']:.1%} | {row['bleu']:+.2f} | {row['together']:.2f} "
            f"| {row['alone']:.2f} |"
            for row in results["rows"]
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
