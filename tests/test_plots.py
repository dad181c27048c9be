"""Figures: that they are PNG files of a sensible size, whatever is missing in the numbers."""

import struct
import sys

import pytest

from regard.errors import InputError
from regard.plots import learning_curve


def size(path):
    """Width and height of a PNG file, from its header."""
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", head[16:24])


@pytest.mark.parametrize(
    ("updates", "losses", "scores"),
    [
        ([100, 200, 300], {"training": [3.0, 2.0, 1.5], "validation": [3.1, 2.2, 1.9]}, {"BLEU": [1.0, 5.0, 9.0]}),
        ([100], {"training": [None], "validation": [3.1]}, {"fr-en": [1.0], "en-fr": [2.0]}),
        ([100, 200], {"training": [None, None], "validation": [None, 2.0]}, {}),
        ([], {"training": [], "validation": []}, {}),
    ],
)
def test_a_learning_curve_is_a_picture_even_of_few_numbers_or_none(tmp_path, updates, losses, scores):
    path = tmp_path / "curve.png"
    learning_curve(path, updates, losses, scores)
    assert size(path) == (1200, 480)
    assert list(tmp_path.iterdir()) == [path]


def test_other_numbers_give_another_curve(tmp_path):
    for name, loss in (("one", 2.0), ("other", 3.0)):
        learning_curve(tmp_path / name, [1, 2], {"training": [3.0, loss]}, {})
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_without_matplotlib_the_extra_that_has_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install 'regard\[plots\]'"):
        learning_curve(tmp_path / "curve.png", [1], {}, {})
    assert list(tmp_path.iterdir()) == []
