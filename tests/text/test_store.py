"""A corpus as numbers."""

import numpy as np
import pytest

from regard.config import EOS, TextConfig
from regard.text import store
from regard.text.formats import Pairs
from regard.text.store import Ragged, Sampled, encode_pairs
from regard.text.tokenizer import Tokenizer

PAIRS = Pairs(
    [f"le chat numéro {i} dort sous la table" for i in range(53)],
    [f"cat number {i} sleeps" for i in range(53)],
)
BOTH_WAYS = TextConfig(vocabulary=400, directions=("fr-en", "en-fr"))


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(PAIRS, TextConfig(vocabulary=400), seed=1)


@pytest.fixture(scope="module")
def both_ways():
    return Tokenizer.train(PAIRS, BOTH_WAYS, seed=1)


def rows(ragged):
    return [ragged[i].tolist() for i in range(len(ragged))]


def test_a_row_begins_where_the_one_before_it_ends():
    ragged = Ragged(np.array([5, 7, 11, 13], np.uint16), np.array([0, 3, 3, 4]))
    assert rows(ragged) == [[5, 7, 11], [], [13]]
    assert ragged.lengths.tolist() == [3, 0, 1]
    assert ragged[-1].tolist() == [13]


def test_there_is_no_row_behind_the_last_one():
    """So that a plain for loop ends."""
    ragged = Ragged(np.array([5, 7], np.uint16), np.array([0, 2]))
    assert [row.tolist() for row in ragged] == [[5, 7]]
    with pytest.raises(IndexError):
        ragged[1]


def test_the_stored_rows_are_what_the_tokenizer_says_of_each_line(tokenizer):
    encoded = encode_pairs(tokenizer, PAIRS)
    assert rows(encoded.source) == [tokenizer.encode_source(line) for line in PAIRS.source]
    assert rows(encoded.target) == [tokenizer.encode_target(line) for line in PAIRS.target]


def test_two_directions_are_stored_one_after_the_other(both_ways):
    encoded = encode_pairs(both_ways, PAIRS)
    there = [both_ways.encode_source(line, "fr-en") for line in PAIRS.source]
    back = [both_ways.encode_source(line, "en-fr") for line in PAIRS.target]
    assert rows(encoded.source) == there + back
    assert rows(encoded.target) == [both_ways.encode_target(line) for line in PAIRS.target + PAIRS.source]


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_a_line_is_stored_whole_whatever_the_chunk(both_ways, monkeypatch, sampling):
    monkeypatch.setattr(store, "CHUNK", 17)
    encoded = Sampled(both_ways, PAIRS, sampling).draw(seed=5)
    assert [both_ways.target.decode(row) for row in rows(encoded.target)] == PAIRS.target + PAIRS.source
    assert all(row[-1] == EOS for side in encoded for row in rows(side))


def test_sampled_pieces_depend_on_the_seed_alone(tokenizer):
    def sample(seed, sampled):
        encoded = sampled.draw(seed)
        return rows(encoded.source), rows(encoded.target)

    sampled, again = Sampled(tokenizer, PAIRS, 0.3), Sampled(tokenizer, PAIRS, 0.3)
    first, best = sample(1, sampled), encode_pairs(tokenizer, PAIRS)
    assert sample(2, sampled) != first
    assert sample(1, sampled) == first
    assert sample(1, again) == first
    assert first != (rows(best.source), rows(best.target))
    assert sample(1, Sampled(tokenizer, PAIRS, 0.0)) == (rows(best.source), rows(best.target))


def test_each_word_of_a_line_is_drawn_for_itself(both_ways):
    """The tag before them stays, and so does the end."""
    lines = ["le chat dort sous la table"] * 99
    drawn = rows(Sampled(both_ways, Pairs(lines, lines), 0.3).draw(1).source)
    words = [list(both_ways.source.words(row)) for row in drawn]
    assert {(row[0], row[-1]) for row in words} <= {((both_ways.tag(d)[0],), (EOS,)) for d in both_ways.directions}
    ways = [{row[place] for row in words} for place in range(1, 7)]
    assert all(len({both_ways.source.decode(word) for word in seen}) == 1 for seen in ways)
    assert len({row[1:-1] for row in map(tuple, words)}) > max(map(len, ways)) > 1, "of one word, and of the line"


def test_rows_are_taken_in_any_order():
    ragged = Ragged(np.arange(6), np.array([0, 2, 2, 6]))
    assert rows(ragged.take(np.array([2, 0, 2, 1]))) == [[2, 3, 4, 5], [0, 1], [2, 3, 4, 5], []]
    assert len(ragged.take(np.array([], np.int64))) == 0


def test_equal_chunks_are_not_sampled_alike(tokenizer, monkeypatch):
    monkeypatch.setattr(store, "CHUNK", 13)
    same = ["le chat dort sous la table"] * 26
    source = rows(Sampled(tokenizer, Pairs(same, same), 0.1).draw(1).source)
    assert source[:13] != source[13:]


def test_an_id_takes_two_bytes_if_the_vocabulary_allows_and_four_if_not(tokenizer, monkeypatch):
    assert encode_pairs(tokenizer, PAIRS).source.values.dtype == np.uint16
    small = rows(encode_pairs(tokenizer, PAIRS).source)
    monkeypatch.setattr(store, "TWO_BYTES", 199)
    assert encode_pairs(tokenizer, PAIRS).source.values.dtype == np.int32
    assert rows(encode_pairs(tokenizer, PAIRS).source) == small


def test_no_pairs_are_no_rows(tokenizer):
    encoded = encode_pairs(tokenizer, Pairs([], []))
    assert len(encoded.source) == len(encoded.target) == 0
