"""What decides a word in the toy language is known; the table of heads and methods has to say so."""

import numpy as np
import pytest
import torch

from regard.config import BOS
from regard.errors import InputError
from regard.looking.antecedents import Antecedents, Range, antecedents, best, explained, ranges
from regard.looking.attribution import GRADIENTS, MAPS, RULES
from regard.looking.blocks import passed, sentences
from regard.looking.pronouns import Hits, Question, Swap, ask, hits, share
from regard.looking.swaps import Counterfactual, counterfactual, swapped

# In the toy language a word has one translation: "de" decides whether the last word is ned or nod, "ba" does not.
QUESTIONS = [
    Question(
        source=f"{other} be de",
        right=f"{written} neb ned",
        wrong=f"{written} neb nod",
        pointer="de",
        nouns=("de", other),
        translations=("neb", written),
        swaps=(
            [Swap(f"{other} be do", f"{written} neb nod", flips=True)],
            [Swap("bu be de", "nub neb ned", flips=True), Swap("bi be de", "nib neb ned", flips=False)],
        ),
    )
    for other, written in (("ba", "nab"), ("bo", "nob"), ("di", "nid"))
]


@pytest.fixture(scope="module")
def asked(learned):
    return [ask(learned, question, "fr-en") for question in QUESTIONS]


@pytest.fixture(scope="module")
def found(learned):
    return antecedents(learned, QUESTIONS, direction="fr-en")


def test_a_question_knows_its_places_in_pieces(learned, asked):
    one, words = asked[0], learned.tokenizer.target
    assert one.at == 2
    assert words.pieces(one.ids) == ["▁ned", "▁nod"]
    assert (one.pointer, one.nouns, one.translations) == ([3], ([3], [1]), ([2], [1]))
    assert one.variant().read == [BOS, *one.written[:2]]


def test_the_pronoun_of_another_sentence_stands_behind_the_same_piece(learned, asked):
    encode = learned.tokenizer.encode_target
    assert asked[0].place(encode("nib nod neb nod")) == 3
    assert asked[0].place(encode("nib neb ned nob nod")) == 2
    assert asked[0].place(encode("nib nod")) is None


def test_the_word_that_decides_has_more_than_the_other_where_words_are_taken_away_or_replaced(found):
    by_name = {row.method: row for row in found.methods}
    for rule in RULES:
        assert by_name[rule].source == by_name[f"{rule}, contrastive"].source == 1
    assert by_name["replaced, forced"].source == by_name["replaced, anew"].source == 1


def test_what_is_written_follows_the_word_that_decides_and_no_other(found):
    assert found.counterfactual == Counterfactual(follows=1.0, stays=1.0, followed=3, stayed=3)


def test_a_pronoun_that_does_not_follow_or_does_not_stay_is_counted(learned, asked):
    swaps = swapped(learned, QUESTIONS, "fr-en")
    wrong = [swap._replace(written=asked[0].written) if swap.number == 0 else swap for swap in swaps]
    assert counterfactual(asked, wrong)[:2] == (pytest.approx(2 / 3), 1)
    lost = [swap._replace(written=swap.written[:1]) if swap.number < 2 else swap for swap in swaps]
    assert counterfactual(asked, lost)[:2] == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_one_who_guesses_among_the_nouns_neither_follows_nor_stays_where_the_guess_was_wrong(learned, asked):
    encode = learned.tokenizer.encode_target
    swaps = [
        swap._replace(before=encode(f"{question.translations[1]} neb nod"))  # the other noun's, before
        for swap in swapped(learned, QUESTIONS, "fr-en")
        for question in [QUESTIONS[swap.number]]
    ]
    assert counterfactual(asked, swaps) == Counterfactual(follows=0, stays=0, followed=3, stayed=3)


def test_every_head_and_every_method_has_a_row(found):
    places = [row.place for row in found.heads if row.method == "weights"]
    assert places == [
        *(f"encoder 1.{head}, at the source's pronoun" for head in range(1, 5)),
        *(f"decoder 1.{head}, {how} the pronoun" for how in ("writing", "reading") for head in range(1, 5)),
        *(f"cross 1.{head}, {how} the pronoun" for how in ("writing", "reading") for head in range(1, 5)),
    ]
    assert len(found.heads) == 40
    names = {row.method for row in found.methods}
    assert names >= {*MAPS, *GRADIENTS, *RULES, "gradient, contrastive", "replaced, anew"}


def test_a_heads_row_says_how_often_its_weight_on_the_one_word_is_larger(learned, found):
    larger = []
    for question in QUESTIONS:
        block = passed(learned.model, sentences(learned, [question.source], [question.right], direction="fr-en")).cross
        row = block[0].weights[0, 2, 2]  # head 3, writing the third word
        larger.append(float(row[3] > row[1]))
    place = "cross 1.3, writing the pronoun"
    row = next(row for row in found.heads if (row.method, row.place) == ("weights", place))
    assert row == Hits("weights", place, np.mean(larger), None, None)


def test_shares_count_draws_as_halves_and_leave_out_what_is_nothing():
    assert share(np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0], [3.0, 0.0]])) == 2.5 / 4
    assert share(np.zeros((3, 2))) is None
    values = np.array([[[1.0, 2.0], [5.0, 0.0]], [[2.0, 1.0], [0.0, 3.0]]])
    assert hits("method", "", values) == Hits("method", "", 0.5, 0.5, 0.5)


def test_the_sign_does_not_count():
    values = np.array([[[1.0, -3.0], [-5.0, 1.0]]])
    assert hits("method", "", values) == Hits("method", "", 0.0, 1.0, 1.0)


def row(method, share, place=""):
    return Hits(method, place, share, None, None)


def test_the_explanation_says_what_the_numbers_say():
    result = Counterfactual(0.987, 0.994, 150, 170)
    heads = [row("weights", 0.45, "cross 1.1"), row("weights", 0.55, "cross 1.2, reading"), row("norms", 0.9)]
    methods = [row("alti", 0.7), row("occlusion-unk", 0.96), row("replaced, forced", 1.0)]
    found = Antecedents(200, heads, methods, result)
    looks, decides, sees = explained(found)
    assert "in 45% to 55% of 200 sentences (by chance 50%); none of them tells" in looks
    assert "follows in 98.7% of 150 sentences" in decides
    assert decides.endswith("stays in 99.4% of 170.")
    assert "occlusion-unk: right in 96%. A weight says where a head looks" in sees
    telling = found._replace(heads=[row("weights", 0.97, "cross 1.2, reading")])
    assert "the best, cross 1.2, reading, tells something" in explained(telling)[0]
    assert "A weight" not in explained(telling)[2]
    guessing = found._replace(counterfactual=result._replace(stays=0.8))
    assert "has not learned this well" in explained(guessing)[1]
    assert best(found.methods).method == "replaced, forced"
    assert telling.records()["heads"] == [
        {"method": "weights", "place": "cross 1.2, reading", "source": 0.97, "prefix": None, "both": None}
    ]


def test_the_rows_of_the_heads_in_short_are_a_row_for_each_kind_and_place(found):
    short = ranges(found)
    assert [(row.place, row.heads) for row in short if row.method == "norms"] == [
        ("encoder, at the source's pronoun", 4),
        ("decoder, writing the pronoun", 4),
        ("decoder, reading the pronoun", 4),
        ("cross, writing the pronoun", 4),
        ("cross, reading the pronoun", 4),
    ]
    shares = [row.source for row in found.heads if row.method == "weights" and "cross" in row.place][:4]
    assert short[-4] == Range("weights", "cross, writing the pronoun", 4, min(shares), max(shares))


def test_chunks_do_not_change_the_table(learned, found, monkeypatch):
    monkeypatch.setattr("regard.looking.antecedents.CHUNK", 2)
    assert antecedents(learned, QUESTIONS, direction="fr-en").heads == found.heads


def test_where_no_translation_has_a_pronoun_the_rows_that_need_one_are_left_out(learned, monkeypatch):
    lost = [swap._replace(forced=[], written=[], before=[]) for swap in swapped(learned, QUESTIONS, "fr-en")]
    monkeypatch.setattr("regard.looking.antecedents.swapped", lambda *given: lost)
    found = antecedents(learned, QUESTIONS, direction="fr-en")
    assert "replaced, anew" not in {row.method for row in found.methods}
    assert "occlusion-unk" in {row.method for row in found.methods}
    assert found.counterfactual == Counterfactual(0.0, 0.0, 3, 3)


def test_a_question_with_a_word_that_is_not_there_is_refused(learned):
    with pytest.raises(InputError, match="a noun is not found"):
        ask(learned, QUESTIONS[0]._replace(nouns=("de", "du")), "fr-en")
    with pytest.raises(InputError, match="one sentence at least"):
        antecedents(learned, [], direction="fr-en")


def test_nothing_is_left_to_compute_gradients_for(learned):
    antecedents(learned, QUESTIONS[:1], direction="fr-en")
    assert all(parameter.grad is None for parameter in learned.model.parameters())
    assert torch.is_grad_enabled()
