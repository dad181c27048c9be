"""The command line: `regard VERB ...`. Each verb is a file; each parses, calls the library and prints."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from regard import __version__
from regard.errors import InputError

VERBS = ("demo", "train", "translate", "score", "evaluate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Exit code 0: done; 1: failed while running; 2: wrong usage or input."""
    # Read when PyTorch is imported: threads that spin while they wait are ten times slower beside another busy program.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    asked = _parser().parse_args(arguments)
    try:
        code: int = asked.run(asked)
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"regard {asked.verb}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"regard {asked.verb}: interrupted", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"regard {asked.verb}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="regard", description="The Transformer you can see through.")
    parser.add_argument("--version", action="version", version=f"regard {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        importlib.import_module(f"regard.cli.{name}").add(verbs)
    return parser
