"""Each contrast of the pronoun family as a question: with another noun, and the pronoun that then is right."""

from random import Random

import pytest

from regard.demo.antecedents import SWAPS, questions, scene_of
from regard.demo.family import all_combinations, contrasts, tell
from regard.demo.lexicon import lexicon


@pytest.fixture(scope="module")
def family():
    return contrasts(Random(3), all_combinations(), 60)


@pytest.fixture(scope="module")
def asked(family):
    return questions(family)


def test_the_scene_of_a_contrast_tells_the_contrast(family):
    for contrast in family:
        scene, reason = scene_of(contrast)
        gender = lexicon().nouns[contrast.antecedent].gender
        assert tell(scene, reason, gender, gender) == (contrast.right, contrast.source)


def test_the_nouns_stand_in_both_sentences(family, asked):
    for contrast, question in zip(family, asked, strict=True):
        assert question.nouns == (contrast.antecedent, contrast.other)
        assert all(noun in question.source for noun in question.nouns)
        assert all(phrase.casefold() in question.right.casefold() for phrase in question.translations)


def test_the_wrong_one_has_another_pronoun_and_nothing_else(family, asked):
    for contrast, question in zip(family, asked, strict=True):
        other = {"il": "elle", "elle": "il"}[contrast.pronoun]
        assert question.wrong == question.right.replace(f"qu'{contrast.pronoun} ", f"qu'{other} ")


def test_a_swap_changes_its_noun_and_the_pronoun_only_where_the_antecedent_flips(family, asked):
    assert sum(swap.flips for question in asked for swap in question.swaps[0]) >= 60
    for contrast, question in zip(family, asked, strict=True):
        for noun, swaps in enumerate(question.swaps):
            assert len(swaps) <= SWAPS
            for swap in swaps:
                old, new = (set(line.rstrip(".").split()) for line in (question.source, swap.source))
                assert old - new == {question.nouns[noun]}
                follows = swap.flips and noun == 0
                assert (f"qu'{contrast.pronoun} " in swap.target) != follows


def test_the_same_seed_asks_the_same(family, asked):
    assert questions(family) == asked
    assert questions(family, seed=2) != asked
