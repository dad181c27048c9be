"""`regard translate`: lines in, translations out."""

import argparse
import itertools
import json
import math
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from regard.cli.options import (
    add_beam,
    add_engine,
    add_model,
    add_verb,
    counted_lines,
    load_translator,
    say,
    say_cut,
)

if TYPE_CHECKING:
    from regard.decoding.translator import Translation

LINES = 1024  # of a chunk
AHEAD = 4096  # lines that are read before they are needed
SOON = 0.01  # seconds in which a line follows the last one, where whoever writes them does not wait for an answer


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "translate", run, help="translate text, or standard input line by line",
        example='regard translate my-model "je suis étudiant"\n  regard translate my-model < text.fr > text.en',
    )  # fmt: skip
    add_model(parser)
    parser.add_argument("text", nargs="*", help="each is translated as one line (default: standard input)")
    add_beam(parser)
    add_engine(parser)
    parser.add_argument("--nbest", type=int, metavar="N", help="give the N best translations, one a line")
    parser.add_argument("--prefix", default="", help="how each translation begins")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: pieces, log_probs, score")


def run(asked: argparse.Namespace) -> int:
    """Translates in the order of the input; an empty line stays empty."""
    from regard.text.formats import one_line, read_lines

    interactive = not asked.text and sys.stdin.isatty()
    translator = load_translator(asked, one=interactive or len(asked.text) == 1)
    wish: dict[str, Any] = {"direction": asked.direction, "prefix": asked.prefix, "log_probs": asked.json}
    answers: Iterator[Translation]
    if interactive:
        say(asked, "Write a line to be translated; Ctrl-D ends.")
        answers = (translator.translate(line, **wish) for line in read_lines("-"))
    elif asked.text:
        if name := next(filter(os.path.isfile, asked.text), ""):
            say(asked, f"{name} is a file; to translate its lines: regard translate {asked.model} < {name}")
        answers = iter(translator.translate(asked.text, **wish))
    else:
        answers = counted_lines(asked, translator.stream(as_they_come(read_lines("-")), **wish))
    cut = 0
    for answer in answers:
        for one in _best(answer, translator.config.decoding.n_best):
            print(as_json(one) if asked.json else one_line(one.text), flush=True)
        cut += answer.parts > 1
    say_cut(asked, translator, cut)
    return 0


def _best(answer: "Translation", n: int) -> Iterator["Translation"]:
    """The n best; impossible ones in the place of those that there are not, so that every line has as many."""
    empty = answer._replace(text="", pieces=[], log_probs=[], score=-math.inf, others=[])
    return itertools.islice(itertools.chain([answer], answer.others, itertools.repeat(empty)), n)


def as_they_come(lines: Iterable[str]) -> Iterator[str | None]:
    """The lines, which another thread reads ahead; a None where the next one is not there yet."""
    ready: Queue[str | Exception | None] = Queue(AHEAD)

    def read() -> None:
        try:
            for line in lines:
                ready.put(line)
            ready.put(None)
        except Exception as error:
            ready.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = ready.get(timeout=SOON)
        except Empty:
            yield None
            line = ready.get()
        if line is None:
            return
        if isinstance(line, Exception):
            raise line
        yield line


def chunks(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """The lines, so many at a time."""
    lines = iter(lines)
    while chunk := list(itertools.islice(lines, size)):
        yield chunk


def as_json(answer: "Translation") -> str:
    """One answer as one line; the score of one that there is not is null."""
    fields = {name: value for name, value in answer._asdict().items() if name != "others"}
    fields["score"] = answer.score if math.isfinite(answer.score) else None
    return json.dumps(fields, ensure_ascii=False)
