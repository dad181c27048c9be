"""The command line: `regard VERB ...`. Each verb is a file; each parses, calls the library and prints."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from regard import __version__
from regard.errors import DivergenceError, InputError

# How PyTorch, CUDA and the systems say it; of their errors only MemoryError has a type that needs no import.
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")
VERBS = ("demo", "train", "distill", "translate", "look", "score", "evaluate", "experiment")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Exit code 0: done; 1: failed while running; 2: wrong usage or input."""
    _threads()
    for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)  # like the files that we read, whatever the locale
    parser, alone = _parser(), arguments is None
    arguments = sys.argv[1:] if arguments is None else arguments
    asked, rest = parser.parse_known_args(arguments or ["--help"])
    end = rest.index("--") if "--" in rest else len(rest)  # behind it nothing is an option
    if rest and ("text" not in asked or any(word.startswith("-") and " " not in word for word in rest[:end])):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    elif rest:
        asked.text += rest[:end] + rest[end + 1 :]  # argparse loses what follows an option: DIR --beam 1 "a text"
    try:
        code: int = asked.run(asked)
        sys.stdout.flush()
        return code
    except InputError as error:
        return _fail(asked.verb, str(error), 2)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _leave(1, alone)
    except KeyboardInterrupt:
        return _leave(_fail(asked.verb, "interrupted", 1), alone)
    except (OSError, DivergenceError) as error:
        return _fail(asked.verb, str(error), 1)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise
        return _fail(asked.verb, "the memory is not enough. Take a smaller model, beam or training.batch_tokens.", 1)


def _threads() -> None:
    """What PyTorch and CTranslate2 read of the environment, when they are imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # who spins longer waits ten times longer beside a busy program
    if own := os.environ.pop("MKL_NUM_THREADS", None):  # on Intel's it would outrank what CTranslate2 is told
        os.environ.setdefault("OMP_NUM_THREADS", own)


def _leave(code: int, alone: bool) -> int:
    """The code; but a process of its own ends here if CTranslate2 may be at work: it would translate on for seconds,
    since its translator waits for all that it was given before it goes."""
    if alone and "ctranslate2" in sys.modules:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    return code


def _fail(verb: str, why: str, code: int) -> int:
    """Says in one line what went wrong."""
    print(f"regard {verb}: {' '.join(why.split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="regard", description="The Transformer you can see through.")
    parser.add_argument("--version", action="version", version=f"regard {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        importlib.import_module(f"regard.cli.{name}").add(verbs)
    return parser
