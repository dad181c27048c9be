"""Words that are missing, or change places, by hand."""

import functools
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from regard.experiments.spoiling import dropped, shuffled, spoiled, swapped, thinned, whole, words_of

SEVEN = ["a", "b", "c", "d", "e", "f", "g"]
SEEDS = range(101)


def is_in_order(words: list[str]) -> bool:
    return words == sorted(words)


@pytest.mark.parametrize(("count", "left"), [(0, 7), (1, 6), (3, 4), (6, 1), (13, 1)])
def test_so_many_words_are_missing_but_never_the_last_and_the_others_keep_their_order(count: int, left: int) -> None:
    for seed in SEEDS:
        words = dropped(SEVEN, Random(seed), count=count)
        assert len(words) == left
        assert is_in_order(words)


def test_who_misses_more_words_misses_those_of_who_misses_fewer() -> None:
    for seed in SEEDS:
        left = [set(dropped(SEVEN, Random(seed), count=count)) for count in range(5)]
        assert all(more > fewer for more, fewer in pairwise(left))


def test_each_word_is_as_likely_to_be_missing_as_another() -> None:
    kept = Counter(word for seed in range(7000) for word in dropped(SEVEN, Random(seed), count=1))
    assert all(kept[word] == pytest.approx(6000, abs=120) for word in SEVEN)  # four deviations of 29


def test_word_dropout_takes_the_share_that_was_asked_for_and_leaves_one_word() -> None:
    left = [thinned(SEVEN, Random(seed), share=0.2) for seed in range(1000)]
    assert sum(map(len, left)) / 7000 == pytest.approx(0.8, abs=0.02)
    assert all(map(is_in_order, left))
    assert {len(thinned(SEVEN, Random(seed), share=1.0)) for seed in SEEDS} == {1}


@pytest.mark.parametrize(
    ("length", "count", "swaps"), [(7, 1, 1), (7, 3, 3), (7, 5, 3), (2, 1, 1), (1, 1, 0), (6, 3, 3)]
)
def test_so_many_neighbours_change_places_and_none_of_them_twice(length: int, count: int, swaps: int) -> None:
    for seed in SEEDS:
        words = swapped(SEVEN[:length], Random(seed), count=count)
        moved = [place for place, word in enumerate(words) if SEVEN[place] != word]
        assert sorted(words) == SEVEN[:length]
        assert len(moved) == 2 * swaps
        assert all(abs(SEVEN.index(words[place]) - place) == 1 for place in moved)


def test_every_two_neighbours_are_as_likely_to_be_swapped() -> None:
    orders = Counter("".join(swapped(SEVEN, Random(seed), count=1)) for seed in range(6000))
    assert sorted(orders) == ["abcdegf", "abcdfeg", "abcedfg", "abdcefg", "acbdefg", "bacdefg"]
    assert all(times == pytest.approx(1000, abs=120) for times in orders.values())


def test_three_words_are_shuffled_into_each_of_their_six_orders() -> None:
    orders = Counter("".join(shuffled(["a", "b", "c"], Random(seed))) for seed in range(600))
    assert sorted(orders) == ["abc", "acb", "bac", "bca", "cab", "cba"]
    assert min(orders.values()) > 60


def test_the_sentence_that_is_spoiled_is_not_touched_itself() -> None:
    words = list(SEVEN)
    for change in (functools.partial(swapped, count=2), shuffled, functools.partial(dropped, count=2)):
        assert change(words, Random(1)) is not words
    assert words == SEVEN


def test_the_mark_at_the_end_is_no_word_and_stays_where_it_is() -> None:
    assert words_of("Où est-il ?") == ["Où", "est-il"]
    assert words_of("un, deux.") == ["un,", "deux"]
    assert spoiled(["Où est-il ?", "un deux...", "sept cinq"], lambda words, _: words[::-1], 1) == [
        "est-il Où ?",
        "deux un...",
        "cinq sept",
    ]


@pytest.mark.parametrize("line", ["", "  ", "?", "un", "trois  espaces ", "Où\u00a0est-il\u00a0?"])
def test_a_line_in_which_nothing_changes_is_left_as_it_is(line: str) -> None:
    assert spoiled([line], whole, 1) == [line]
    assert spoiled([line], functools.partial(dropped, count=0), 1) == [line]


def test_the_same_seed_spoils_in_the_same_way_and_equal_lines_differently() -> None:
    lines = [" ".join(SEVEN)] * 11
    once, twice, otherwise = (spoiled(lines, shuffled, seed) for seed in (1, 1, 2))
    assert once == twice != otherwise
    assert len(set(once)) > 5
    assert spoiled(lines[:3], shuffled, 1) == once[:3]
