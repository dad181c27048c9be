"""`regard evaluate`: BLEU, chrF and TER on a test set."""

import argparse
import json
from typing import Any

from regard.cli.options import add_beam, add_model, add_verb, counted, load_translator
from regard.cli.translate import LINES, chunks
from regard.errors import InputError


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "evaluate", run, help="translate a test set and score it: BLEU, chrF, TER with 95 % intervals",
        example="regard evaluate my-model --test test.fr test.en",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument(
        "--test", nargs="+", required=True, metavar="FILE", help="source and reference, or one .tsv or .jsonl"
    )
    add_beam(parser)
    parser.add_argument("--tokenize", default="13a", help="BLEU's tokenizer; none for tokenised text (default 13a)")
    parser.add_argument("--resamples", type=int, default=1000, help="for the intervals; 0 = none (default 1000)")
    parser.add_argument("--json", action="store_true", help="scores and signatures as JSON")


def run(asked: argparse.Namespace) -> int:
    """Prints a table, or JSON."""
    from regard.evaluation import bleu_with, evaluate
    from regard.text.formats import read_pairs

    bleu_with(asked.tokenize)  # refused before the work, not after it
    if asked.resamples < 0:
        raise InputError(f"--resamples is {asked.resamples}; it must not be negative. 0 = no intervals.")
    translator = load_translator(asked)
    pairs = read_pairs(asked.test)
    directions = translator.tokenizer.directions
    backwards = bool(asked.direction) and len(directions) > 1 and asked.direction == directions[1]
    source, target = reversed(pairs) if backwards else pairs
    answers = (
        translator.translate(chunk, direction=asked.direction) for chunk in counted(asked, chunks(source, LINES))
    )
    texts = [answer.text for chunk in answers for answer in chunk]
    scores = evaluate(texts, target, resamples=asked.resamples, tokenize=asked.tokenize)
    if asked.json:
        print(json.dumps([score._asdict() for score in scores], indent=2))
        return 0
    for score in scores:
        interval = "" if score.low is None else f"  [{score.low:.2f}, {score.high:.2f}]"
        print(f"{score.metric:<5} {score.score:6.2f}{interval}  {score.signature}")
    return 0
