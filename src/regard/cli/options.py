"""What every verb understands, and what it does about it."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from regard.config import configure, flatten, parse_setting
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator

EVERY = 10.0  # seconds between two plain lines that tell how far we are


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


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options of a verb that uses a model."""
    parser.add_argument("model", metavar="DIR", help="a model directory")
    parser.add_argument("--direction", metavar="FR-EN", help="of a model that knows several (default: its first)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting: decoding.top_k=10")
    parser.set_defaults(beam=None, nbest=None)


def add_beam(parser: argparse.ArgumentParser) -> None:
    """The option of a verb that searches for translations."""
    parser.add_argument("--beam", type=int, metavar="N", help="hypotheses kept at each step; 1 = greedy (default 5)")


def load_translator(asked: argparse.Namespace) -> "Translator":
    """The model of the command, on its device, with the decoding settings of its options."""
    import dataclasses

    from regard.decoding.directory import load

    device = start_torch(asked)
    given = dict(parse_setting(text) for text in asked.set)
    if wrong := [name for name in given if not name.startswith("decoding.")]:
        raise InputError(f"{wrong[0]} belongs to the training; here --set takes settings of decoding.*")
    own = {"decoding.beam_size": asked.beam, "decoding.n_best": asked.nbest, "decoding.seed": asked.seed}
    given |= {name: value for name, value in own.items() if value is not None}
    translator = load(asked.model, str(device))
    if asked.nbest is not None:  # so many need a beam as wide, unless another width was asked for
        given.setdefault("decoding.beam_size", max(asked.nbest, translator.config.decoding.beam_size))
    return dataclasses.replace(translator, config=configure(flatten(translator.config) | given))


def start_torch(asked: argparse.Namespace) -> Any:
    """Sets the threads, and returns the device."""
    import torch

    from regard.device import pick_device

    if asked.threads is not None and asked.threads < 1:
        raise InputError(f"--threads is {asked.threads}; it must be at least 1.")
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
    live = sys.stderr.isatty() and not sys.stdout.isatty()
    began = told = time.monotonic()
    done, speed = 0, 0.0
    for chunk in chunks:
        yield chunk
        done, now = done + len(chunk), time.monotonic()
        speed = done / max(now - began, 1e-9)
        if live or now - told >= EVERY:
            told = now
            say(asked, f"{done:,} lines, {speed:,.0f} a second   ", end="\r" if live else "\n")
    say(asked, f"{done:,} lines in {time.monotonic() - began:.1f} s, {speed:,.0f} a second")
