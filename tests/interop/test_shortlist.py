"""What a shortlist holds, and what it makes of the output layer."""

import math

import numpy as np
import pytest
import torch

from regard.config import EOS, TextConfig
from regard.errors import InputError
from regard.interop.engines import load
from regard.interop.shortlist import Shortlist, learn_shortlist
from regard.text.formats import Pairs
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer


def listed(*given):
    return Shortlist(*(np.array(part, np.int64) for part in given))


def test_it_survives_the_disk(tmp_path):
    for weights in ("5f3a" * 16, ""):
        Shortlist(np.array([EOS, 7, 70000]), np.array([8]), weights).save(tmp_path / "a.npz")
        back = Shortlist.load(tmp_path / "a.npz")
        assert (back.listed.tolist(), back.rest.tolist(), back.weights) == ([EOS, 7, 70000], [8], weights)


def test_one_of_before_which_does_not_name_its_weights_can_be_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", listed=np.array([EOS, 7]), rest=np.array([8]))
    back = Shortlist.load(tmp_path / "a.npz")
    assert (back.listed.tolist(), back.rest.tolist(), back.weights) == ([EOS, 7], [8], "")


def test_what_came_often_enough_is_listed_and_the_rest_is_a_sample_of_all_else(one_way, pairs):
    words = load(one_way).tokenizer
    encoded = encode_pairs(words, pairs)
    counts = np.bincount(encoded.target.values, minlength=len(words.target))
    often = int(np.median(counts[counts > 0]))
    short = learn_shortlist(encoded, words, seen=often, rest=3)
    assert set(np.flatnonzero(counts >= often).tolist()) <= set(short.listed.tolist())
    assert len(short.rest) == 3
    assert all(counts[piece] < often for piece in short.rest.tolist())
    assert not set(short.rest.tolist()) & {*short.listed.tolist(), *range(EOS + 1)}
    assert {"</s>", "<0x00>", "<0xFF>"} <= set(words.target.pieces(short.listed.tolist()))


def test_what_can_be_copied_is_listed_too():
    """A name that stands in no training target, and the letters to spell another."""
    source = ["Hier rennt Ottokar", "Hier quakt Ottokar", "Hier isst Ottokar"]
    pairs = Pairs(source * 5, ["he runs", "he quacks", "he eats"] * 5)
    words = Tokenizer.train(pairs, TextConfig(tokenizer="bpe", vocabulary=330), 1)
    short = learn_shortlist(encode_pairs(words, pairs), words)
    pieces = words.target.pieces(short.listed.tolist())
    assert {"▁Ottokar", "q", "O", "▁he", "<0x51>"} <= set(pieces)
    assert not {"▁rennt", "▁Hier"} & set(pieces)
    assert {"▁rennt", "▁Hier"} <= set(words.target.pieces(range(len(words.target))))


@pytest.mark.parametrize(("fewest", "expected"), [(1, 1 / 6), (50, None)])
def test_a_sixth_of_what_is_left_out_stands_for_it_and_so_many_at_least(monkeypatch, fewest, expected):
    monkeypatch.setattr("regard.interop.shortlist.FEWEST", fewest)
    lines = [f"{one}{two}{three}kar" for one in "bdfghjklm" for two in "aeiou" for three in "nprst"]
    words = Tokenizer.train(Pairs(lines, lines), TextConfig(tokenizer="bpe", vocabulary=400), 1)
    short = learn_shortlist(encode_pairs(words, Pairs(lines, lines)), words, seen=10**9)
    others = len(words.target) - EOS - len(short.listed)
    assert 50 < others < 300
    assert len(short.rest) == (int(others * expected) if expected else fewest)


def test_the_outputs_are_what_is_listed_and_the_rest_counts_for_what_is_left_out():
    outputs = listed([EOS, 7, 9], [20, 30]).outputs(108)
    assert outputs.pieces.tolist() == [0, 1, 2, 3, 7, 9, 20, 30]
    assert outputs.bias.tolist() == pytest.approx([0] * 6 + [math.log(51)] * 2)  # 2 of 102 that are not listed
    assert not listed([EOS, 4, 5], [6, 7]).outputs(8).bias.any()
    assert not listed([EOS, 4, 5], []).outputs(8).bias.any()


def test_a_sample_of_what_is_left_out_keeps_the_probabilities_as_they_were():
    """The logits of the rest are alike, as those of a model that was trained with label smoothing are."""
    vocabulary, first = 5000, 600
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(vocabulary, generator=generator) * 0.5
    logits[EOS:40] += 7
    rest = torch.randperm(vocabulary - first, generator=generator)[:400] + first
    outputs = listed(range(EOS, first), sorted(rest.tolist())).outputs(vocabulary)
    kept = logits[outputs.pieces] + torch.from_numpy(outputs.bias)
    exact = logits.log_softmax(dim=0)[EOS:first]
    with_rest, without = kept.log_softmax(dim=0)[EOS:first], logits[:first].log_softmax(dim=0)[EOS:]
    assert (without - exact).abs().max() > 0.1  # 10 % of the probability was on what is left out
    assert (with_rest - exact).abs().max() < 0.01


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_damaged_one_is_named(tmp_path, left):
    path = tmp_path / "shortlist.npz"
    listed(range(3, 300), range(300, 400)).save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"shortlist\.npz: damaged"):
        Shortlist.load(path)
