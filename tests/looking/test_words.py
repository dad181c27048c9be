"""Pieces become words, and words are found."""

import pytest

from regard.config import BOS, EOS, configure
from regard.errors import InputError
from regard.looking.words import Word, find_word, words_of
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizers():
    lines = ["the cat sat", "l'animal qu'il a vu", "don't", "中文字", "well-known"]
    settings = {"text.vocabulary": 300}
    kinds = {kind: configure(settings | {"text.tokenizer": kind}).text for kind in ("bpe", "char", "unigram", "word")}
    return {kind: Tokenizer.train(Pairs(lines, lines), config, 1).source for kind, config in kinds.items()}


def texts(vocabulary, line):
    return [word.text for word in words_of(vocabulary.encode(line), vocabulary)]


@pytest.mark.parametrize("kind", ["bpe", "char", "unigram"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("the cat sat", ["the", "cat", "sat"]),
        ("the cat.", ["the", "cat", "."]),
        ("l'animal qu'il a vu", ["l'", "animal", "qu'", "il", "a", "vu"]),
        ("Qu'il", ["Qu'", "il"]),
        ("don't", ["don't"]),
        ("aujourd'hui", ["aujourd'hui"]),
        ("well-known (the)", ["well", "-", "known", "(", "the", ")"]),
        ("the  cat", ["the", "cat"]),
        ("the 😀 cat", ["the", "😀", "cat"]),
        ("cat😀", ["cat😀"]),
    ],
)
def test_words_are_what_people_read(tokenizers, kind, line, words):
    assert texts(tokenizers[kind], line) == words


@pytest.mark.parametrize("kind", ["bpe", "char", "unigram", "word"])
@pytest.mark.parametrize("line", ["the cat sat", "l'animal qu'il a vu ...", "q̈uéß 中文字 😀!", "'", " the ", "a'''b"])
def test_every_piece_is_in_one_word_and_the_words_stand_in_their_order(tokenizers, kind, line):
    ids = tokenizers[kind].encode(line)
    assert [place for word in words_of(ids, tokenizers[kind]) for place in word.pieces] == list(range(len(ids)))


def test_words_that_a_vocabulary_of_words_lacks_are_words_although_their_spaces_are_spelt_in_bytes(tokenizers):
    assert texts(tokenizers["word"], "the dog (sat) qu'elle cat.") == [
        "the", "dog", "(", "sat", ")", "qu'", "elle", "cat", "."
    ]  # fmt: skip


def test_special_pieces_are_words_of_their_own(tokenizers):
    vocabulary = tokenizers["char"]
    ids = [BOS, *vocabulary.encode("the"), EOS]
    assert words_of(ids, vocabulary) == [
        Word("<s>", range(1)),
        Word("the", range(1, len(ids) - 1)),
        Word("</s>", range(len(ids) - 1, len(ids))),
    ]
    assert words_of([], vocabulary) == []


def test_a_piece_of_a_script_without_spaces_is_a_word(tokenizers):
    assert texts(tokenizers["char"], "中文字 the") == ["中", "文", "字", "the"]


SIDES = {
    "target": [Word("The", range(1)), Word("cat", range(1, 2))],
    "source": [Word("the", range(1)), Word("Cat", range(1, 2)), Word("the", range(2, 3))],
}


@pytest.mark.parametrize(
    ("text", "occurrence", "place", "side"),
    [("cat", 1, 1, "target"), ("the", 2, 2, "source"), ("The", 1, 0, "target"), ("CAT", 1, 1, "target")],
)
def test_a_word_is_found_as_it_is_written_before_it_is_found_in_other_capitals(text, occurrence, place, side):
    found = find_word(SIDES, text, occurrence)
    assert (found.side, found.word) == (side, SIDES[side][place])


def test_a_word_that_is_not_there_lists_those_that_are():
    with pytest.raises(InputError, match=r"no word 'dog': the target has The cat; the source has the Cat the\."):
        find_word(SIDES, "dog")
    with pytest.raises(InputError, match="'the' stands 2 times in the source; there is no occurrence 3"):
        find_word(SIDES, "the", 3)
    with pytest.raises(InputError, match="'cat' stands once in the target; there is no occurrence 0"):
        find_word(SIDES, "cat", 0)
