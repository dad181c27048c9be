"""What every verb understands, and what it does about it."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from regard.config import configure, parse_setting
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator
    from regard.text.formats import Pairs

EVERY, EVERY_LIVE = 10.0, 0.1  # seconds between two plain lines that tell how far we are; where one is written over

T = TypeVar("T")


def add_verb(
    verbs: Any, name: str, run: Callable[[argparse.Namespace], int], *, help: str, example: str
) -> argparse.ArgumentParser:
    """A parser for a verb, with an example in its help and the options that all verbs share."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=help.replace("%", "%%"),
        description=help[0].upper() + help[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    shared = parser.add_argument_group("every verb")
    shared.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    shared.add_argument("--seed", type=int, metavar="N", help="of everything random (default 1)")
    shared.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all cores)")
    shared.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default auto)")
    return parser


def folder(name: str) -> str:
    """The name of a folder, as the command line gives it; an empty one would be the folder that one is in."""
    if not name:
        raise argparse.ArgumentTypeError("the name is empty (for the folder you are in: .)")
    return name


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options of a verb that uses a model."""
    parser.add_argument("model", metavar="DIR", type=folder, help="a model directory")
    parser.add_argument("--direction", metavar="FR-EN", help="of a model that knows several (default: its first)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting: decoding.top_k=10")
    parser.set_defaults(beam=None, nbest=None, engine="torch", prefix="")


def add_beam(parser: argparse.ArgumentParser) -> None:
    """The option of a verb that searches for translations."""
    parser.add_argument(
        "--beam", type=int, metavar="N", help="hypotheses kept at each step; 1 = greedy (default: the model's)"
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The option of a verb that translates much."""
    parser.add_argument(
        "--engine", choices=("auto", "torch", "ctranslate2"), default="auto",
        help="what translates: ctranslate2 is the quickest, in 8 bits; torch can do everything (default auto)",
    )  # fmt: skip


def load_translator(asked: argparse.Namespace, *, one: bool = False) -> "Translator":
    """The model of the command, on its device, with the decoding settings and the engine of its options; PyTorch is
    imported when it is needed. `one`: one line will be translated at a time."""
    import dataclasses

    from regard.decoding.translator import Later
    from regard.interop.engines import pick

    _check_threads(asked)
    if asked.engine == "torch" or asked.device not in ("auto", "cpu"):
        start_torch(asked)
    given = dict(parse_setting(text) for text in asked.set)
    if wrong := [name for name in given if not name.startswith("decoding.")]:
        raise InputError(f"{wrong[0]} belongs to the training; here --set takes settings of decoding.*")
    own = {"decoding.beam_size": asked.beam, "decoding.n_best": asked.nbest, "decoding.seed": asked.seed}
    given |= {name: value for name, value in own.items() if value is not None}
    translator, why = pick(asked.model, asked.device, asked.engine, threads=asked.threads, one=one)
    if asked.nbest is not None:  # so many need a beam as wide, unless another width was asked for
        given.setdefault("decoding.beam_size", max(asked.nbest, translator.config.decoding.beam_size))
    if why:
        say(asked, f"PyTorch translates, since {why}.")

    def read() -> Any:
        start_torch(asked)
        return translator.model

    config = configure(given, translator.config)
    wanted = dataclasses.replace(translator, weights=Later(read), config=config)
    if wanted.fast and (why := wanted.refusal(prefix=asked.prefix)):
        if asked.engine == "ctranslate2":
            raise InputError(f"The engine ctranslate2 cannot do this: {why}. Take --engine auto.")
        say(asked, f"PyTorch translates, since {why}.")
    return wanted


def backwards(asked: argparse.Namespace, translator: "Translator") -> bool:
    """Whether the second direction is asked for, which reads pairs from right to left."""
    return bool(asked.direction) and translator.tokenizer.directions[1:] == (asked.direction,)


def read_pairs_for(asked: argparse.Namespace, translator: "Translator", names: Sequence[str]) -> "Pairs":
    """Source and target in the direction that is asked for, of pairs that stand as in the training: left what the
    model's first direction reads. Raises InputError where the files' names say that they stand the other way round."""
    from regard.text.formats import Pairs, read_pairs, refuse_turned

    refuse_turned(names, translator.tokenizer.directions)
    pairs = read_pairs(names)
    return Pairs(pairs.target, pairs.source) if backwards(asked, translator) else pairs


def _check_threads(asked: argparse.Namespace) -> None:
    if asked.threads is not None and asked.threads < 1:
        raise InputError(f"--threads is {asked.threads}; it must be at least 1.")


def start_torch(asked: argparse.Namespace) -> Any:
    """Sets the threads, and returns the device."""
    import torch

    from regard.device import pick_device

    _check_threads(asked)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    return pick_device(asked.device)


def say(asked: argparse.Namespace, words: str, end: str = "\n") -> None:
    """Tells the person, on stderr, unless --quiet."""
    if not asked.quiet:
        print(words, end=end, file=sys.stderr, flush=True)


def counted(asked: argparse.Namespace, chunks: Iterable[list[str]]) -> Iterator[list[str]]:
    """The chunks, one after the other; on stderr, how many lines are done: one line that is written over, or where
    stderr is no terminal, or stdout is the same one, now and then a plain line."""
    return _counted(asked, chunks, len)


def counted_lines(asked: argparse.Namespace, lines: Iterable[T], total: int = 0) -> Iterator[T]:
    """`counted` for what has one thing a line; with a total, it tells how long the rest will take."""
    return _counted(asked, lines, lambda line: 1, total)


def _counted(asked: argparse.Namespace, things: Iterable[T], size: Callable[[T], int], total: int = 0) -> Iterator[T]:
    live = sys.stderr.isatty() and not sys.stdout.isatty()
    every = EVERY_LIVE if live else EVERY
    began = told = time.monotonic()
    done, speed = 0, 0.0
    for thing in things:
        yield thing
        done, now = done + size(thing), time.monotonic()
        speed = done / max(now - began, 1e-9)
        if now - told >= every:
            told = now
            left = f" of {total:,}, {clock((total - done) / max(speed, 1e-9))} left" if total else ""
            say(asked, f"{line_count(done)}{left}, {speed:,.0f} a second   ", end="\r" if live else "\n")
    took = f" in {time.monotonic() - began:.1f} s, {speed:,.0f} a second" if done else ""
    say(asked, f"{line_count(done)}{took}")


def say_cut(asked: argparse.Namespace, translator: "Translator", cut: int) -> None:
    """Tells how many lines were too long to be read at once, if any were."""
    if cut:
        longest, were = translator.config.text.max_length, "was" if cut == 1 else "were"
        say(asked, f"{line_count(cut)} of more than {longest} pieces {were} cut and translated part by part.")


def line_count(count: int) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{count:,} line{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """A duration as people say it: 45 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
