"""`regard score`: what the model thinks of given translations."""

import argparse
from typing import Any

from regard.cli.options import add_model, add_verb, counted, load_translator, read_pairs_for
from regard.cli.translate import LINES, as_json, chunks


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "score", run, help="print the model's log p of given translations, a line each",
        example="regard score my-model --pairs test.fr test.en",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument(
        "--pairs", nargs="+", required=True, metavar="FILE",
        help="two files, or one .tsv or .jsonl; - is stdin. A model's first direction reads them from left to right, "
        "its second from right to left",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line: pieces, log_probs, score")


def run(asked: argparse.Namespace) -> int:
    """One line a pair: log p of the target, divided by its length ** length_penalty."""
    translator = load_translator(asked)
    source, target = read_pairs_for(asked, translator, asked.pairs)
    for left, right in zip(counted(asked, chunks(source, LINES)), chunks(target, LINES), strict=True):
        for answer in translator.score(left, right, direction=asked.direction):
            print(as_json(answer) if asked.json else f"{answer.score:.6f}")
    return 0
