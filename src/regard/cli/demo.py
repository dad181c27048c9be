"""`regard demo`: from nothing to a translator, in two minutes."""

import argparse
import sys
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regard.cli.options import add_verb, folder, start_torch
from regard.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from regard.demo.run import Report
    from regard.looking.antecedents import Antecedents


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "demo", run, help="train a small French-English translator in two minutes, and show what it can do",
        example="regard demo my-first-model",
    )  # fmt: skip
    parser.add_argument(
        "folder", nargs="?", default="regard-demo", metavar="DIR", type=folder, help="(default regard-demo)"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the page at the end")


def run(asked: argparse.Namespace) -> int:
    """Writes a corpus, trains on it, examines the model, shows what it looked at."""
    began = time.monotonic()
    from rich.console import Console
    from rich.markup import escape

    from regard.cli.display import Display
    from regard.demo.run import draw, examine, learn, make_corpus, show

    device, seed, folder = start_torch(asked), 1 if asked.seed is None else asked.seed, Path(asked.folder)
    console = Console(quiet=asked.quiet, highlight=False)
    corpus = make_corpus(folder, seed)
    console.print(
        f"A corpus of {len(corpus.train.source):,} sentence pairs is in {escape(str(folder))}/corpus, such as"
    )
    for source, target in list(zip(*corpus.train, strict=True))[:3]:
        console.print(f"  {escape(source)}  [dim]{escape(target)}[/]")
    console.print("A Transformer now learns from it, in both directions at once.\n")
    with Display(asked.quiet) as display:
        for event in learn(folder, seed, device):
            display.show(event)
    report = examine(folder, corpus, began)
    _tell(console, report)
    _tell_antecedents(console, report.antecedents)
    page = show(folder)
    _tell_what_next(console, folder)
    console.print(f"Every number of its attention is on this page: {page}", markup=False)
    if not asked.no_open and sys.stdout.isatty():
        webbrowser.open(page.absolute().as_uri())
    try:
        pictures = draw(folder, report)
    except InputError as error:
        console.print(str(error), markup=False)
        return 0
    console.print(f"Where it looked, as figures: {pictures.attention}, {pictures.antecedents}", markup=False)
    return 0


def _tell(console: "Console", report: "Report") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("on sentences it has never seen", "score", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for direction, score in report.bleu.items():
        table.add_row(f"BLEU {direction}", f"{score:.1f}")
    table.add_row("il or elle: the right one is more probable", f"{report.pronoun_accuracy:.1%}")
    table.add_row("seconds, all in all", f"{report.seconds:.0f}")
    console.print("", table, "", sep="\n")
    for example in report.examples:
        console.print(f"  {escape(example.source)}\n    [green]{escape(example.translation)}[/]")


def _tell_antecedents(console: "Console", found: "Antecedents") -> None:
    """What heads and methods give to the noun that a pronoun stands for, in a table and in words."""
    from rich.table import Table

    from regard.looking.antecedents import explained, ranges

    columns = ("the right noun has more than the other", "in the source", "in the prefix", "in both")
    table = Table(*columns, box=None, header_style="bold", padding=(0, 2, 0, 0))
    for row in ranges(found):
        share = f"{row.low:.0%} to {row.high:.0%}"
        cells = ("", share) if row.place.startswith("decoder") else (share, "")
        if row.method == "weights":
            table.add_row(f"{row.heads} heads: {row.place}", *cells, "")
    for method in found.methods:
        shares = ("" if share is None else f"{share:.0%}" for share in method[2:])
        table.add_row(method.method, *shares)
    console.print("", table, "", *explained(found), "", sep="\n")


def _tell_what_next(console: "Console", folder: Path) -> None:
    from rich.markup import escape

    from regard.demo.run import BACK, UNSEEN

    model = escape(str(folder / "model"))
    console.print(f"The model is in {model}. What to do next:")
    for command in (
        f'translate {model} "je suis médecin"',
        f'look {model} --direction {BACK} "{UNSEEN[BACK][0]}" --word it --layer 2 --head 1',
        f"look {model}    [dim]the page, for any sentence that you type[/]",
        f'translate {model} --direction {BACK} --nbest 3 "The cat is too tired."',
    ):
        console.print(f"  regard {command}", soft_wrap=True)
    console.print("  regard train my-model --train corpus.fr corpus.en    [dim]your own pairs[/]\n")
