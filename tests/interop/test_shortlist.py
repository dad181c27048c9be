"""What a shortlist holds, and what it makes of the output layer."""

import math

import numpy as np
import pytest

from regard.config import EOS, TextConfig
from regard.errors import InputError
from regard.interop.engines import load
from regard.interop.shortlist import Rest, Shortlist, left_out, likely_pieces
from regard.text.formats import Pairs
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer

REST = Rest(np.array([0.5, -2.0], np.float32), 1.5)


def test_it_survives_the_disk(tmp_path):
    for weights in ("5f3a" * 16, ""):
        Shortlist(np.array([EOS, 7, 70000]), REST._replace(copies=40), weights).save(tmp_path / "a.npz")
        back = Shortlist.load(tmp_path / "a.npz")
        assert (back.listed.tolist(), back.weights) == ([EOS, 7, 70000], weights)
        assert (back.rest.vector.tolist(), back.rest.bias, back.rest.copies) == ([0.5, -2.0], 1.5, 40)


def test_what_came_often_enough_is_listed_and_what_anything_can_be_spelt_with(one_way, pairs):
    words = load(one_way).tokenizer
    encoded = encode_pairs(words, pairs)
    counts = np.bincount(encoded.target.values, minlength=len(words.target))
    often = int(np.median(counts[counts > 0]))
    listed = likely_pieces(encoded, words, seen=often)
    assert set(np.flatnonzero(counts >= often).tolist()) <= set(listed.tolist())
    assert {"</s>", "<0x00>", "<0xFF>"} <= set(words.target.pieces(listed.tolist()))
    assert not set(listed.tolist()) & set(left_out(listed, len(words.target)).tolist())
    assert len(listed) + len(left_out(listed, len(words.target))) + EOS == len(words.target)


def test_of_what_came_often_the_half_of_less_worth_may_be_left_out(one_way, pairs):
    words = load(one_way).tokenizer
    encoded = encode_pairs(words, pairs)
    counts = np.bincount(encoded.target.values, minlength=len(words.target))
    often = np.flatnonzero(counts >= 3)
    always = likely_pieces(encoded, words, seen=10**9)  # letters and names
    often = np.setdiff1d(often, always)
    worth = np.zeros(len(words.target))
    worth[often] = np.random.default_rng(1).permutation(len(often)) + 1.0
    worth[[often[0], always[-1]]] = np.inf
    listed = likely_pieces(encoded, words, worth=worth)
    others = often[1:]
    total = np.count_nonzero(counts[np.isfinite(worth)] >= 3)  # letters and names that came so often count, too
    best = others[np.argsort(-worth[others])][: total // 2]
    assert set(listed.tolist()) == {*always.tolist(), often[0], *best.tolist()}
    assert len(best) < len(others)


def test_what_can_be_copied_is_listed_too():
    """A name that stands in no training target, and the letters to spell another."""
    source = ["Hier rennt Ottokar", "Hier quakt Ottokar", "Hier isst Ottokar"]
    pairs = Pairs(source * 5, ["he runs", "he quacks", "he eats"] * 5)
    words = Tokenizer.train(pairs, TextConfig(tokenizer="bpe", vocabulary=330), 1)
    pieces = words.target.pieces(likely_pieces(encode_pairs(words, pairs), words).tolist())
    assert {"▁Ottokar", "q", "O", "▁he", "<0x51>"} <= set(pieces)
    assert not {"▁rennt", "▁Hier"} & set(pieces)
    assert {"▁rennt", "▁Hier"} <= set(words.target.pieces(range(len(words.target))))


def test_the_outputs_are_what_is_listed_and_copies_of_the_rest_that_weigh_together_what_it_weighs():
    outputs = Shortlist(np.array([EOS, 5, 9]), REST._replace(copies=2)).outputs(108)
    assert outputs.pieces.tolist() == [0, 1, 2, 3, 4, 5, 6, 9]
    assert outputs.copies.tolist() == [4, 6]
    assert outputs.vector.tolist() == [0.5, -2.0]
    assert outputs.bias.tolist() == pytest.approx([0, 0, 0, 0, 1.5 - math.log(2), 0, 1.5 - math.log(2), 0])


def test_of_few_pieces_half_are_gone():
    outputs = Shortlist(np.array([EOS, 5]), REST).outputs(10)  # 4, 6, 7, 8 and 9 are left out
    assert outputs.pieces.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert outputs.bias.tolist() == pytest.approx([0, 0, 0, 0, 1.5 - math.log(2), 0, 1.5 - math.log(2)])
    assert not Shortlist(np.array([EOS, 4, 5]), REST).outputs(7).bias.any()  # of one, it is all
    assert not Shortlist(np.array([EOS, 4, 5]), REST).outputs(6).bias.any()


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_damaged_one_is_named(tmp_path, left):
    path = tmp_path / "shortlist.npz"
    Shortlist(np.arange(3, 300), REST).save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"shortlist\.npz: damaged"):
        Shortlist.load(path)
