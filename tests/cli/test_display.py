"""What a person sees of a training."""

import io
import sys
from itertools import count
from types import SimpleNamespace

import pytest

from regard.cli import display
from regard.cli.display import Display
from regard.training.loop import Ended, Updated, Validated

FIRST = Updated(update=1_007, epoch=1, progress=0.25, rate=0.1, log_loss=3.0, tokens=100, seconds=1.0)
SECOND = FIRST._replace(update=1_008, progress=0.5, log_loss=1.0, tokens=300, seconds=3.0)
VALIDATED = Validated(1_009, 1, 30.0, 2.5, {"fr-en": 41.27, "en-fr": 7.0}, "nrefs:1", True)
WORDS = "50%  60 s left  update 1,008  epoch 2  loss 2.000  100 tokens/s"


class Terminal(io.StringIO):
    """A stderr in front of which a person sits."""

    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Shows events, 30 seconds between two updates, and gives what is on stderr then."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def show(*events, stderr=io.StringIO, quiet=False):
        ticks = count(step=30)
        monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
        monkeypatch.setattr(sys, "stderr", stderr())
        with Display(quiet) as seen:
            for event in events:
                seen.show(event)
        return sys.stderr.getvalue()

    return show


def test_where_no_terminal_is_there_is_a_plain_line_now_and_then(shown, monkeypatch):
    assert shown(FIRST, SECOND) == f"train  {WORDS}\n"
    monkeypatch.setattr(display, "EVERY", 31)
    assert shown(FIRST, SECOND) == ""


def test_in_a_terminal_a_bar_is_written_over_and_gone_in_the_end(shown):
    told = shown(FIRST, SECOND, stderr=Terminal)
    assert WORDS in told
    assert "train " not in told
    assert told.endswith("\x1b[2K"), "the line is wiped out"


def test_the_loss_is_the_mean_of_the_last_updates(shown, monkeypatch):
    monkeypatch.setattr(display, "RECENT", 2)
    assert "loss 1.500 " in shown(FIRST, SECOND, SECOND._replace(progress=0.75, log_loss=2.0)).splitlines()[-1]


def test_a_validation_is_a_line_and_that_of_the_model_that_is_kept_is_the_last(shown):
    worse = VALIDATED._replace(update=2_003, seconds=5_400.0, bleu={}, best=False)
    assert shown(VALIDATED, worse, worse._replace(best=True)).splitlines() == [
        "valid  update 1,009  epoch 2  30 s  loss 2.500  BLEU fr-en 41.3  BLEU en-fr 7.0  best so far",
        "valid  update 2,003  epoch 2  1 h 30 min  loss 2.500",
        "kept   loss 2.500",
    ]


@pytest.mark.parametrize("name", ["mo[v2]", "x[/y]", "[red]"])
def test_the_end_is_told_with_the_folder_as_it_is_called(shown, name):
    ended = Ended(f"paused after update 3; `regard train {name}` goes on from there", False)
    assert shown(ended) == f"Paused after update 3; `regard train {name}` goes on from there.\n"


@pytest.mark.parametrize("stderr", [io.StringIO, Terminal])
def test_quiet_is_quiet(shown, stderr):
    assert shown(FIRST, SECOND, VALIDATED, Ended("the limit is reached", True), stderr=stderr, quiet=True) == ""
