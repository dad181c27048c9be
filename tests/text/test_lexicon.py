"""IBM model 1, on a language whose every word has one translation."""

import numpy as np
import pytest

from regard.interop.engines import load
from regard.text.formats import read_pairs
from regard.text.lexicon import learn_lexicon
from regard.text.store import encode_pairs


@pytest.fixture
def pairs(toy):
    return read_pairs([toy.folder / "toy.fr", toy.folder / "toy.en"])


def test_model_1_finds_the_translation_of_every_word(one_way, pairs, toy):
    words = load(one_way).tokenizer
    lexicon = learn_lexicon(encode_pairs(words, pairs))
    sources, first = np.unique(lexicon.source, return_index=True)
    likeliest = dict(
        zip(words.source.pieces(sources.tolist()), words.target.pieces(lexicon.target[first].tolist()), strict=True)
    )
    for word in ("ba", "de", "du"):
        assert likeliest[f"▁{word}"] == f"▁{toy.translate(word)}"


def test_the_probabilities_of_a_source_piece_sum_to_one(one_way, pairs):
    lexicon = learn_lexicon(encode_pairs(load(one_way).tokenizer, pairs))
    np.testing.assert_allclose(np.bincount(lexicon.source, lexicon.p)[np.unique(lexicon.source)], 1)
