"""Words out of order: how well an RNN and a Transformer cope, with positions and without.

Without positions a Transformer's encoder takes its words as a set, and the decoder sees no more of their order than
that: the translation is the same whatever the order is. (What the decoder has written it does know the order of, since
it sees only what came before.)
"""

import functools

from regard.experiments.finding import Experiment, Finding, Trial
from regard.experiments.resilience import (
    BLIND,
    CLEAN,
    DROPOUT,
    RECURRENT,
    SHUFFLED,
    TRANSFORMER,
    Answer,
    Question,
    Student,
    both_gain,
    caveat,
    figure,
    measured,
    signed,
    tables,
    verdict,
)
from regard.experiments.spoiling import shuffled, swapped, whole

CLAIM = "An RNN stumbles when words change places; a Transformer, which takes all of them at once, copes."
IN_ORDER, ONE_SWAP, NO_ORDER = "in order", "1 swap", "shuffled"
SWAPS = {f"{count} swaps": functools.partial(swapped, count=count) for count in (2, 3)}


def question(trial: Trial) -> Question:
    """What is asked; quickly, without the models that were trained with word dropout.

    To a model without positions, a shuffled copy of the training pairs is the pairs themselves: it gets none.
    """
    trainings = [CLEAN, SHUFFLED] if trial.quick else [CLEAN, DROPOUT, SHUFFLED]
    return Question(
        spoilings={IN_ORDER: whole, ONE_SWAP: functools.partial(swapped, count=1), **SWAPS, NO_ORDER: shuffled},
        students=[
            Student(model, training)
            for training in trainings
            for model in ((TRANSFORMER, RECURRENT) if training == SHUFFLED else (TRANSFORMER, BLIND, RECURRENT))
        ],
        axis="neighbours that change places",
    )


def run(trial: Trial) -> Experiment:
    """Translates the test in order, with neighbours swapped, and shuffled, by models trained clean and spoiled."""
    answer = yield from measured(trial, question(trial))
    drawn = figure(answer, "What a model keeps when words are out of order")
    return Finding(claim=CLAIM, conclusion=conclude(answer), tables=tables(answer), figure=drawn)


def conclude(answer: Answer) -> str:
    """Whether the RNN suffers more from words out of order, what training on such helps, and what positions are for."""
    blind, sighted = Student(BLIND, CLEAN), Student(TRANSFORMER, CLEAN)
    changed = answer.interval(blind, NO_ORDER, lambda outcome: outcome.changed)
    costs = answer.gain(blind, sighted, IN_ORDER)
    return (
        f"{verdict(answer, ONE_SWAP, 'With two neighbours swapped')} "
        f"{verdict(answer, NO_ORDER, 'Shuffled')} A shuffled copy of the training pairs makes "
        f"{both_gain(answer, SHUFFLED, NO_ORDER)}. Without positions, shuffling changes {changed} % of the "
        f"Transformer's translations, and in order it has {signed(costs)} BLEU beside the one with positions. "
        f"{caveat(answer)}"
    )
