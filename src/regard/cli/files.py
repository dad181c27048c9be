"""What `regard look` leaves: the page, live or as a file, figures, and numbers for other programs."""

import argparse
import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from regard.cli.options import folder, say
from regard.disk import check_writable
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator
    from regard.looking.trace import Trace

FILES = {  # option -> what is written
    "html": "the page, in one file that needs no network",
    "svg": "a figure: of a head its map, of a word its steps, else of all heads",
    "png": "the same figure as PNG",
    "json": "the trace, as the page reads it",
    "npz": "the trace, every array of it, for Trace.load or numpy.load",
    "csv": "every score and weight, a line each",
}
EXAMPLES = {  # what the page begins with, where a model knows the direction
    "en-fr": "The animal did not cross the street because it was too tired.",
    "fr-en": "L'animal n'a pas traversé la rue parce qu'il était trop fatigué.",
}


class Begin(NamedTuple):
    """The sentence that is looked at first, and its direction."""

    text: str
    direction: str | None


def add_page(parser: argparse.ArgumentParser) -> None:
    """The options of the page and of the files."""
    live = parser.add_argument_group("the page in the browser")
    live.add_argument("--port", type=int, default=0, metavar="N", help="of this machine (default: any that is free)")
    live.add_argument("--no-open", action="store_true", help="do not open the browser")
    files = parser.add_argument_group("files instead of it")
    for name, what in FILES.items():
        files.add_argument(f"--{name}", metavar="FILE", type=Path, help=what)
    files.add_argument(
        "--against", metavar="TEXT", action="append", default=[], help="another sentence, beside it in --html"
    )
    files.add_argument(
        "--against-model", metavar="DIR", action="append", default=[], type=folder,
        help="another model's look, beside it in --html",
    )  # fmt: skip
    files.add_argument("--layers", type=int, nargs="+", metavar="N", help="that --html and --json keep (default: all)")


def wanted_files(asked: argparse.Namespace) -> dict[str, Path]:
    """The files that are to be written, by the name of their option."""
    return {name: getattr(asked, name) for name in FILES if getattr(asked, name) is not None}


def check_files(asked: argparse.Namespace, translator: "Translator") -> None:
    """Tells before the work what could not be written after it."""
    for path in wanted_files(asked).values():
        check_writable(path)
    most = max(translator.config.model.n_encoder_layers, translator.config.model.n_decoder_layers)
    if foreign := [layer for layer in asked.layers or [] if not 1 <= layer <= most]:
        raise InputError(f"There are no layers {', '.join(map(str, foreign))} in this model. It has 1 to {most}.")


def first_sentence(asked: argparse.Namespace, translator: "Translator", sentence: str) -> Begin:
    """The sentence of the command, or one that the model may know. Raises InputError where there is none."""
    found = _begin(asked, translator, sentence)
    if not found.text:
        raise InputError(f'Which sentence? regard look {asked.model} "..." --{next(iter(wanted_files(asked)))} FILE')
    return found


def _begin(asked: argparse.Namespace, translator: "Translator", sentence: str) -> Begin:
    if sentence or asked.target:
        return Begin(sentence, asked.direction)
    known = [asked.direction] if asked.direction else list(translator.tokenizer.directions)
    for direction, text in EXAMPLES.items():
        if direction in known and _knows(translator, text):
            return Begin(text, direction)
    return Begin("", asked.direction)


def _knows(translator: "Translator", text: str) -> bool:
    """Whether these are words to the model, and not a heap of letters."""
    return len(translator.tokenizer.source.encode(text)) <= min(
        2 * len(text.split()), translator.config.text.max_length
    )


def write_files(asked: argparse.Namespace, trace: "Trace") -> None:
    """Writes every file that is asked for, and says so."""
    for name, path in wanted_files(asked).items():
        _write(asked, trace, name, path)
        say(asked, f"{path}: {FILES[name]}")


def _write(asked: argparse.Namespace, trace: "Trace", name: str, path: Path) -> None:
    if name == "html":
        from regard.decoding.directory import load
        from regard.looking.comparing import with_model, with_sentence

        others = [with_sentence(trace, text) for text in asked.against]
        others += [with_model(trace, load(folder)) for folder in asked.against_model]
        trace.html(path, layers=asked.layers, others=others)
    elif name in ("svg", "png"):
        _draw(asked, trace, path, name)
    elif name == "json":
        from regard.disk import write_text
        from regard.looking.documents import shown_of
        from regard.looking.export import page_data

        write_text(path, page_data([shown_of(trace)], layers=asked.layers) + "\n")
    elif name == "npz":
        trace.save(path)
    else:
        trace.csv(path, asked.kind, layer=asked.layer, head=asked.head)


def _draw(asked: argparse.Namespace, trace: "Trace", path: Path, form: str) -> None:
    where: dict[str, Any] = {"kind": asked.kind, "layer": asked.layer, "head": asked.head}
    rows = "reads" if asked.reads else "writes"
    trace.plot(word=asked.word, occurrence=asked.occurrence, rows=rows, **where).save(path, form)


def open_page(asked: argparse.Namespace, translator: "Translator", sentence: str) -> int:
    """The live page, until Ctrl-C; or the page as a file, where what serves it is not installed."""
    begin = _begin(asked, translator, sentence)
    show = not asked.no_open and sys.stdout.isatty() and _has_screen()
    try:
        from regard.serving.look import listen, look_app, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "uvicorn"):
            raise
        return _open_file(asked, translator, begin, show)

    def ready(address: str) -> None:
        print(f"The page is at {address} - Ctrl-C ends it.", flush=True)

    app = look_app(translator, begin.text, begin.direction, asked.target)
    serve(app, listen(asked.port), show=show, ready=ready)
    return 0


def _open_file(asked: argparse.Namespace, translator: "Translator", begin: Begin, show: bool) -> int:
    """The page as a file beside the model."""
    if not begin.text:
        raise InputError(f'Which sentence? regard look {asked.model} "..." (To type it there: pip install '
                         "'regard[serve]'.)")  # fmt: skip
    folder = Path(asked.model).resolve()
    path = folder.with_name(f"{folder.name}-look.html")
    translator.look(begin.text, asked.target, direction=begin.direction).html(path)
    print(path)
    say(asked, "This page is a file. For a live one that translates as you type: pip install 'regard[serve]'")
    if show:
        webbrowser.open(path.as_uri())
    return 0


def _has_screen() -> bool:
    """Whether a browser would open a window, and not take the terminal."""
    windows = sys.platform in ("win32", "darwin")
    return windows or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
