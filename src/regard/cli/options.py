"""What every verb understands, and what it does about it."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from regard.config import configure, flatten, parse_setting
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator


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
    shared.add_argument("--seed", type=int, help="of everything random (default 1)")
    shared.add_argument("--threads", type=int, help="processor threads (default: all cores)")
    shared.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default auto)")
    return parser


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """The options of a verb that translates."""
    parser.add_argument("--direction", metavar="FR-EN", help="of a model that knows several (default: its first)")
    parser.add_argument("--beam", type=int, metavar="N", help="hypotheses kept at each step; 1 = greedy (default 5)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting: decoding.top_k=10")


def load_translator(asked: argparse.Namespace) -> "Translator":
    """The model of the command, on its device, with the decoding settings of its options."""
    import dataclasses

    from regard.decoding.directory import load

    device = start_torch(asked)
    given = dict(parse_setting(text) for text in asked.set)
    if wrong := [name for name in given if not name.startswith("decoding.")]:
        raise InputError(f"{wrong[0]} belongs to the training; here --set takes settings of decoding.*")
    if asked.beam is not None:
        given["decoding.beam_size"] = asked.beam
    if asked.seed is not None:
        given["decoding.seed"] = asked.seed
    translator = load(asked.model, str(device))
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


def say(asked: argparse.Namespace, *words: object) -> None:
    """Tells the person, on stderr, unless --quiet."""
    if not asked.quiet:
        print(*words, file=sys.stderr, flush=True)
