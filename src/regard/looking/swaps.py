"""A noun replaced by another of its kind: the change of the pronoun's odds, and the pronoun when the sentence is
translated anew."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from regard.config import BOS
from regard.decoding.translator import Translator
from regard.looking.occlusion import Variant, log_probs
from regard.looking.pronouns import Asked, Hits, Question, share


class Swapped(NamedTuple):
    """A question with one of its nouns replaced, and what the model makes of it."""

    number: int  # of the question
    noun: int  # 0: another antecedent; 1: another other noun
    flips: bool  # the new noun has the other gender
    source: list[int]
    forced: list[int]  # its right translation
    written: list[int]  # the model's own
    before: list[int]  # the model's own of the question as it is


class Counterfactual(NamedTuple):
    """A noun replaced by one of the other gender, and all translated anew: how often the pronoun does as it should.

    The nouns of a question have two genders, so those of a swap that flips have one, and its pronoun alone proves
    nothing: what counts is the step from the question's own translation to that of the swap.
    """

    follows: float  # the antecedent was replaced: its pronoun was written before, and the other one after
    stays: float  # the other noun was replaced: the same pronoun is written before and after
    followed: int  # of so many swaps
    stayed: int


def swapped(translator: Translator, questions: Sequence[Question], direction: str | None) -> list[Swapped]:
    """Every swap of every question, translated anew by the model's own search."""
    tokens = translator.tokenizer
    direction = direction or next(iter(tokens.directions), None)
    every = [
        (number, noun, swap)
        for number, question in enumerate(questions)
        for noun, swaps in enumerate(question.swaps)
        for swap in swaps
    ]
    lines = list(dict.fromkeys([question.source for question in questions] + [swap.source for _, _, swap in every]))
    answers = dict(zip(lines, translator.translate(lines, direction=direction), strict=True))
    written = {line: [tokens.target.id_of(piece) for piece in answer.pieces] for line, answer in answers.items()}
    return [
        Swapped(
            number,
            noun,
            swap.flips,
            tokens.encode_source(swap.source, direction),
            tokens.encode_target(swap.target),
            written[swap.source],
            written[questions[number].source],
        )
        for number, noun, swap in every
    ]


def counterfactual(asked: Sequence[Asked], swaps: Sequence[Swapped]) -> Counterfactual:
    """Whether the pronoun follows the antecedent, and stays when the other noun changes, over the swaps that flip."""
    right: tuple[list[bool], list[bool]] = ([], [])
    for swap in swaps:
        if swap.flips:
            one = asked[swap.number]
            before, after = one.pronoun(swap.before), one.pronoun(swap.written)
            expected = one.ids if swap.noun == 0 else (before, before)
            right[swap.noun].append(before is not None and (before, after) == expected)
    follows, stays = (sum(side) / max(1, len(side)) for side in right)
    return Counterfactual(follows, stays, len(right[0]), len(right[1]))


def expected_change(translator: Translator, asked: Sequence[Asked], swaps: Sequence[Swapped]) -> list[Hits]:
    """E |change of log p(right) - log p(wrong)| over the swaps of a noun (Kim et al., 2020): in the source, in the
    prefix, in both (all forced); and in the source, with everything before the pronoun translated anew.

    Only questions in which both nouns have a swap that flips: where all stay of one gender, nothing should change.
    """
    flips = {(swap.number, swap.noun) for swap in swaps if swap.flips}
    able = [flips >= {(number, 0), (number, 1)} for number in range(len(asked))]
    places, variants = [], []
    for swap in swaps:
        one = asked[swap.number]
        sources = swap.source, one.source, swap.source, swap.source
        targets = one.written, swap.forced, swap.forced, swap.written
        for kind, (source, written) in enumerate(zip(sources, targets, strict=True)):
            at = one.place(written)
            if able[swap.number] and at is not None:
                places.append((swap.number, kind, swap.noun))
                variants.append(Variant(source, [BOS, *written[:at]], [at, at], list(one.ids)))
    before = [yes - no for yes, no in log_probs(translator.transformer, [one.variant() for one in asked])]
    totals, counts = np.zeros((2, len(asked), 4, 2))
    for (number, kind, noun), (yes, no) in zip(places, log_probs(translator.transformer, variants), strict=True):
        totals[number, kind, noun] += abs(yes - no - before[number])
        counts[number, kind, noun] += 1
    means = (totals / np.maximum(counts, 1))[able]
    shares = [share(means[:, kind]) for kind in range(4)]
    return [Hits("replaced, forced", "", *shares[:3]), Hits("replaced, anew", "", shares[3], None, None)]
