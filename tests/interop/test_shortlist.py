"""Shortlists, on a language whose every word has one translation."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from regard.config import EOS, TextConfig
from regard.errors import InputError
from regard.interop import shortlist
from regard.interop.engines import load
from regard.interop.shortlist import Shortlist, by_source, for_all, learn_shortlists
from regard.text.formats import Pairs
from regard.text.lexicon import learn_lexicon
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer


def test_model_1_finds_the_translation_of_every_word(one_way, pairs, toy):
    words = load(one_way).tokenizer
    best = learn_lexicon(encode_pairs(words, pairs)).best(1, 0.0)
    found = {
        words.source.pieces([s])[0]: words.target.pieces([t])[0]
        for s, t in zip(best.source.tolist(), best.target.tolist(), strict=True)
    }
    for word in ("ba", "de", "du"):
        assert found[f"▁{word}"] == f"▁{toy.translate(word)}"


def test_the_probabilities_of_a_source_piece_sum_to_one(one_way, pairs):
    lexicon = learn_lexicon(encode_pairs(load(one_way).tokenizer, pairs))
    np.testing.assert_allclose(np.bincount(lexicon.source, lexicon.p)[np.unique(lexicon.source)], 1)
    assert (lexicon.best(3, 0.01).p >= 0.01).all()


def test_it_covers_what_is_written_and_survives_the_disk(one_way, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(shortlist, "FREQUENT", 2)
    words = load(one_way).tokenizer
    short = learn_shortlists(pairs, words)[0]
    short.save(tmp_path / "a.npz")
    back = Shortlist.load(tmp_path / "a.npz")
    assert back.as_map(words) == short.as_map(words)
    assert short.coverage(pairs, words) == 1
    without = dataclasses.replace(short, source=short.source[:0], target=short.target[:0])
    assert without.coverage(pairs, words) < 0.8


@pytest.mark.parametrize("which", [0, 1])
def test_bytes_and_the_end_may_always_come(one_way, pairs, which):
    words = load(one_way).tokenizer
    always = learn_shortlists(pairs, words)[which].always.tolist()
    assert {"</s>", "<0x00>", "<0xFF>"} <= set(words.target.pieces(always))


def test_what_is_for_all_came_often_enough_and_has_no_couples(one_way, pairs):
    words = load(one_way).tokenizer
    encoded = encode_pairs(words, pairs)
    short = for_all(encoded, words)
    counts = np.bincount(encoded.target.values, minlength=len(words.target))
    often = set(np.flatnonzero(counts >= shortlist.SEEN).tolist())
    assert often <= set(short.always.tolist())
    assert all(counts[piece] < shortlist.SEEN for piece in short.rest.tolist())
    assert short.as_map(words) == ""
    assert len(short.source) == len(short.target) == 0


def test_what_can_be_copied_is_for_all_too():
    """A name that stands in no training target, and the letters to spell another."""
    source = ["Hier rennt Ottokar", "Hier quakt Ottokar", "Hier isst Ottokar"]
    pairs = Pairs(source * 5, ["he runs", "he quacks", "he eats"] * 5)
    words = Tokenizer.train(pairs, TextConfig(tokenizer="bpe", vocabulary=330), 1)
    short = for_all(encode_pairs(words, pairs), words)
    pieces = words.target.pieces(short.always.tolist())
    assert {"▁Ottokar", "q", "O", "▁he", "<0x51>"} <= set(pieces)
    assert not {"▁rennt", "▁Hier"} & set(pieces)
    assert {"▁rennt", "▁Hier"} <= set(words.target.pieces(range(len(words.target))))


def test_the_outputs_are_what_is_listed_and_the_rest_counts_for_what_is_left_out():
    short = Shortlist(*(np.array(part) for part in ([EOS, 7, 9], [5, 5], [8, 9], [20, 30])))
    outputs = short.outputs(103)
    assert outputs.pieces.tolist() == [0, 1, 2, 3, 7, 8, 9, 20, 30]
    assert outputs.bias.tolist() == pytest.approx([0] * 7 + [math.log(50)] * 2)


def test_a_sample_of_what_is_left_out_keeps_the_probabilities_as_they_were(monkeypatch):
    """The logits of the rest are alike, as those of a model that was trained with label smoothing are."""
    monkeypatch.setattr(shortlist, "REST", 400)
    vocabulary, listed = 5000, 600
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(vocabulary, generator=generator) * 0.5
    logits[EOS:40] += 7
    short = shortlist._with_rest(set(range(EOS, listed)), np.empty((0, 2), np.int64), vocabulary)
    outputs = short.outputs(vocabulary)
    kept = logits[outputs.pieces] + torch.from_numpy(outputs.bias)
    exact = logits.log_softmax(dim=0)[EOS:listed]
    with_rest, without = kept.log_softmax(dim=0)[EOS:listed], logits[EOS:listed].log_softmax(dim=0)
    assert (without - exact).abs().max() > 0.1  # 10 % of the probability was on what is left out
    assert (with_rest - exact).abs().max() < 0.01


def test_the_rest_is_nowhere_on_the_list(one_way, pairs):
    words = load(one_way).tokenizer
    encoded = encode_pairs(words, pairs)
    for short in (by_source(learn_lexicon(encoded), encoded, words), for_all(encoded, words)):
        assert not {*short.rest.tolist()} & {*short.always.tolist(), *short.target.tolist(), *range(EOS + 1)}


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_damaged_one_is_named(one_way, pairs, tmp_path, left):
    path = tmp_path / "shortlist.npz"
    learn_shortlists(pairs, load(one_way).tokenizer)[0].save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"shortlist\.npz: damaged"):
        Shortlist.load(path)
