"""What becomes of a word that another decides, when words of the source are hidden or changed."""

import pytest

from regard.looking.hiding import Pronouns, hidden, pronouns, written
from regard.looking.pronouns import Question, ask

# In the toy language a word has one translation: "de" decides whether the last word is ned or nod, the others do not.
QUESTIONS = [
    Question(
        source=f"{other} be de",
        right=f"{translation} neb ned",
        wrong=f"{translation} neb nod",
        pointer="de",
        nouns=("de", other),
        translations=("neb", translation),
        swaps=([], []),
    )
    for other, translation in (("ba", "nab"), ("bo", "nob"), ("di", "nid"))
]


@pytest.fixture(scope="module")
def asked(learned):
    return [ask(learned, question, "fr-en") for question in QUESTIONS]


def test_a_word_that_does_not_decide_may_be_hidden(learned, asked):
    assert hidden(learned, asked, [[] for _ in asked]) == Pronouns(1.0, 1.0, 0.0)
    assert hidden(learned, asked, [one.nouns[1] for one in asked]).probable == 1


def test_without_the_word_that_decides_the_pronoun_is_lost(learned, asked):
    assert hidden(learned, asked, [one.nouns[0] for one in asked], "drop").right < 1


def test_another_word_in_its_place_has_the_other_pronoun(learned, asked):
    sources = [learned.tokenizer.encode_source(f"{one.source[:2]} be do", "fr-en") for one in QUESTIONS]
    assert written(learned, asked, sources) == Pronouns(None, 0.0, 1.0)


def test_shares_are_of_all_sentences_also_of_those_without_a_pronoun(learned, asked):
    encode = learned.tokenizer.encode_target
    lines = ["nab neb ned", "nob neb nod", "nid neb"]
    assert pronouns(asked, [encode(line) for line in lines]) == pytest.approx(Pronouns(None, 1 / 3, 1 / 3))
