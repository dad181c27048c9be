"""The curves for TensorBoard: what is written, and what is forgotten after an interruption."""

import sys

import pytest

from regard.errors import InputError
from regard.training import board
from regard.training.board import Board
from regard.training.loop import Updated


def test_a_training_that_goes_on_forgets_the_points_behind_it_and_closes_its_file(begin, monkeypatch):
    told = []

    class Writer:
        def __init__(self, folder, purge_step):
            told.append((folder, purge_step))

        def add_scalar(self, name, value, update):
            told.append((name, value, update))

        def close(self):
            told.append("closed")

    monkeypatch.setattr(board, "summary_writer", lambda: Writer)
    run = begin().run
    curves = Board(run, 7)
    for update in (8, 10):
        curves.show(Updated(update, 0, 0.5, 0.25, 1.5, 300, 2.0))
    curves.close()
    points = [("log_loss", 1.5, 10), ("learning_rate", 0.25, 10), ("tokens_per_second", 150.0, 10)]
    assert told == [
        (run.own / "tensorboard", 8),
        *((f"training/{name}", value, update) for name, value, update in points),
        "closed",
    ]


def test_without_tensorboard_it_is_said_how_to_have_it(begin, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"training.tensorboard needs TensorBoard: pip install 'regard\[scale\]'"):
        Board(begin().run, 0)
