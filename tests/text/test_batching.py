"""Batches of a fixed number of tokens."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regard.config import TextConfig
from regard.text.batching import pad, token_batches
from regard.text.formats import read_pairs
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer

lengths = st.lists(st.tuples(st.integers(1, 29), st.integers(1, 31)), max_size=61)


def cost(rows, source, target):
    return len(rows) * (source[rows].max() + target[rows].max())


def fill(batches, source, target):
    return (source.sum() + target.sum()) / sum(cost(rows, source, target) for rows in batches)


@given(lengths, st.integers(1, 101), st.integers(0, 3), st.integers(0, 3))
def test_each_row_is_in_one_batch_and_no_batch_of_several_is_over_the_budget(pairs, budget, seed, epoch):
    source, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    batches = token_batches(source, target, budget=budget, seed=seed, epoch=epoch)
    assert sorted(row for rows in batches for row in rows) == list(range(len(pairs)))
    assert all(len(rows) == 1 or cost(rows, source, target) <= budget for rows in batches)


@given(lengths, st.integers(1, 101))
def test_what_one_pair_costs_more_would_not_have_fitted(pairs, budget):
    """Cut as late as possible: with equal lengths the number of batches is known."""
    batches = token_batches([3] * len(pairs), [4] * len(pairs), budget=budget, seed=1, epoch=1)
    size = max(1, budget // 7)
    assert len(batches) == -(-len(pairs) // size)


def test_a_batch_is_filled_to_the_last_token():
    batches = token_batches([2, 2, 2], [3, 3, 3], budget=15, seed=1, epoch=1)
    assert [len(rows) for rows in batches] == [3]


def test_one_token_less_makes_another_batch():
    batches = token_batches([2, 2, 2], [3, 3, 3], budget=14, seed=1, epoch=1)
    assert sorted(len(rows) for rows in batches) == [1, 2]


def test_the_longest_source_and_the_longest_target_count_even_if_they_are_two_pairs():
    """Two pairs of 1 + 5 and 5 + 1 tokens are 2 * (5 + 5) when padded."""
    assert len(token_batches([1, 5], [5, 1], budget=20, seed=1, epoch=1)) == 1
    assert len(token_batches([1, 5], [5, 1], budget=19, seed=1, epoch=1)) == 2


def test_where_the_source_gets_longer_the_targets_are_alike():
    """2 + 1 and 3 + 1 stand next to each other and share a batch; with targets always rising, 2 + 7 would part them."""
    batches = token_batches([2, 2, 3, 3], [7, 1, 1, 7], budget=8, seed=1, epoch=1)
    assert sorted(map(sorted, batches)) == [[0], [1, 2], [3]]


def test_a_pair_longer_than_the_budget_is_alone():
    batches = token_batches([2, 53, 2], [2, 59, 2], budget=11, seed=1, epoch=1)
    assert sorted(map(sorted, batches)) == [[0, 2], [1]]


def test_a_corpus_without_pairs_has_no_batches():
    assert token_batches([], [], budget=11, seed=1, epoch=1) == []


def test_the_batches_depend_on_the_seed_and_on_the_epoch_and_on_nothing_else():
    source, target = np.arange(997) % 13 + 1, np.arange(997) % 17 + 1

    def batches(seed, epoch):
        return [rows.tolist() for rows in token_batches(source, target, budget=101, seed=seed, epoch=epoch)]

    assert batches(1, 2) == batches(1, 2)
    assert len({str(batches(seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}) == 4


def test_the_pairs_of_a_batch_are_others_in_the_next_epoch():
    source = np.full(997, 5)
    first, second = (
        {frozenset(rows.tolist()) for rows in token_batches(source, source, budget=70, seed=1, epoch=epoch)}
        for epoch in (1, 2)
    )
    assert not first & second


def test_short_and_long_batches_come_in_turns():
    """Sorted batches would be the shortest first; shuffled, half of the steps go down."""
    source = np.arange(1, 998) // 5 + 1
    longest = [source[rows].max() for rows in token_batches(source, source, budget=2003, seed=1, epoch=1)]
    down = np.mean(np.diff(longest) < 0)
    assert 0.3 < down < 0.7


def test_at_least_97_percent_of_multi30k_in_batches_is_not_padding(data):
    pairs = read_pairs([data / "multi30k" / "train.fr.gz", data / "multi30k" / "train.en.gz"])
    encoded = encode_pairs(Tokenizer.train(pairs, TextConfig(), seed=1), pairs)
    source, target = encoded.source.lengths, encoded.target.lengths
    batches = token_batches(source, target, budget=4096, seed=1, epoch=1)
    assert fill(batches, source, target) >= 0.97
    assert len(np.concatenate(batches)) == 29000


def test_padding_is_on_the_right_and_takes_no_value_away():
    assert pad([[5, 7, 11], [], [13]]).tolist() == [[5, 7, 11], [0, 0, 0], [13, 0, 0]]
    assert pad([[5], [7, 0]], fill=-1).tolist() == [[5, -1], [7, 0]]


def test_compact_rows_become_int64():
    padded = pad([np.array([65535, 3], np.uint16), np.array([2], np.uint16)])
    assert padded.dtype == np.int64
    assert padded.tolist() == [[65535, 3], [2, 0]]


def test_no_rows_make_an_empty_array():
    assert pad([]).shape == (0, 0)
