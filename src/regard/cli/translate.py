"""`regard translate`: lines in, translations out."""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from regard.cli.options import add_decoding, add_verb, load_translator, say

if TYPE_CHECKING:
    from regard.decoding.translator import Translation

LINES = 1024  # read before they are sorted by length and translated


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "translate", run, help="translate text, or standard input line by line",
        example='regard translate my-model "je suis étudiant"\n  regard translate my-model < text.fr > text.en',
    )  # fmt: skip
    parser.add_argument("model", help="a model directory")
    parser.add_argument("text", nargs="*", help="each is translated as one line (default: standard input)")
    add_decoding(parser)
    parser.add_argument("--nbest", type=int, metavar="N", help="give the N best translations, one a line")
    parser.add_argument("--prefix", default="", help="how each translation begins")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: pieces, log_probs, score")


def run(asked: argparse.Namespace) -> int:
    """Translates in the order of the input; an empty line stays empty."""
    from regard.text.formats import read_lines

    if asked.nbest is not None:
        asked.set += [f"decoding.n_best={asked.nbest}"]
        asked.beam = max(asked.nbest, asked.beam or 5)
    translator = load_translator(asked)
    lines = iter(asked.text) if asked.text else read_lines("-")
    interactive = not asked.text and sys.stdin.isatty()
    began, done, cut = time.monotonic(), 0, 0
    for chunk in chunks(lines, 1 if interactive else LINES):
        for answer in translator.translate(chunk, direction=asked.direction, prefix=asked.prefix):
            for one in (answer, *answer.others):
                print(as_json(one) if asked.json else one.text, flush=interactive)
            cut += answer.parts > 1
        done += len(chunk)
        if not asked.text and not interactive:
            speed = done / max(time.monotonic() - began, 1e-9)
            say(asked, f"{done:,} lines, {speed:,.0f} a second")
    if cut:
        say(asked, f"{cut} lines were longer than {translator.config.text.max_length} pieces: translated part by part.")
    return 0


def chunks(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """The lines, so many at a time."""
    lines = iter(lines)
    while chunk := list(itertools.islice(lines, size)):
        yield chunk


def as_json(answer: "Translation") -> str:
    """One answer as one line."""
    fields = {name: value for name, value in answer._asdict().items() if name != "others"}
    return json.dumps(fields, ensure_ascii=False)
