"""Heads that were told where to look play that part, and no other."""

import numpy as np
import pytest

from regard.looking.roles import (
    END,
    ITSELF,
    NEXT,
    PREVIOUS,
    RARE,
    START,
    WRITING,
    WRITTEN,
    links,
    parts,
)  # fmt: skip
from regard.looking.steering import HeadPlace, changed, fixed
from regard.text.formats import Pairs

LINES = ["ba bo de du", "be bi do da", "du de ba bi"]  # with the tag before and the end behind, 6 pieces; 5 are written


def looks(rows, columns, places):
    pattern = np.zeros((rows, columns), dtype=np.float32)
    pattern[np.arange(rows), places] = 1
    return pattern


PATTERNS = {
    ("encoder", PREVIOUS): looks(6, 6, [0, 0, 1, 2, 3, 4]),
    ("encoder", NEXT): looks(6, 6, [1, 2, 3, 4, 5, 5]),
    ("encoder", ITSELF): looks(6, 6, range(6)),
    ("encoder", END): looks(6, 6, [5] * 6),
    ("decoder", PREVIOUS): looks(5, 5, [0, 0, 1, 2, 3]),
    ("decoder", ITSELF): looks(5, 5, range(5)),
    ("decoder", START): looks(5, 5, [0] * 5),
    ("cross", WRITING): looks(5, 6, [1, 2, 3, 4, 5]),  # word for word: behind the tag, the same place
    ("cross", WRITTEN): looks(5, 6, [0, 1, 2, 3, 4]),
    ("cross", END): looks(5, 6, [5] * 5),
}


@pytest.mark.parametrize(("kind", "name"), PATTERNS)
def test_a_head_that_was_told_where_to_look_plays_that_part_alone(learned, toy, kind, name):
    train = Pairs(*((toy.folder / f"toy.{side}").read_text("utf-8").split("\n")[:-1] for side in ("fr", "en")))
    test = Pairs(LINES, [toy.translate(line) for line in LINES])
    with changed(learned.transformer, fixed(learned.transformer, kind, PATTERNS[kind, name], layer=1, head=2)):
        found = [part for part in parts(learned, train, test) if part.head == HeadPlace(kind, 0, 1)]
    shares = {part.name: part.share for part in found}
    assert shares.pop(name) == 1
    assert max(shares.values()) < 0.6  # by chance, some rare words stand where it looks
    assert (RARE in shares) == (kind != "decoder")


def test_a_link_is_one_that_both_directions_join():
    there = {(5, 7): 0.9, (6, 7): 0.2, (6, 8): 0.6, (5, 8): 0.1}
    back = {(7, 5): 0.8, (8, 5): 0.1, (8, 6): 0.5}
    assert links([5, 6, 3], [7, 8, 3], there, back) == {0: 0, 1: 1}
    assert links([5, 6, 3], [7, 8, 3], there, back | {(7, 6): 0.9}) == {0: 0}


def test_a_piece_that_comes_twice_is_linked_to_none_and_so_is_one_that_nothing_is_known_of():
    table, back = {(5, 7): 1.0}, {(7, 5): 1.0}
    assert links([5, 5, 3], [7, 9, 3], table, back) == {}
    assert links([5, 6, 3], [9, 7, 3], table, back) == {1: 0}
