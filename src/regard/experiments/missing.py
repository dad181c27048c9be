"""Words that are missing: how well an RNN and a Transformer cope, with positions and without."""

import functools

from regard.experiments.finding import Experiment, Finding, Trial
from regard.experiments.resilience import (
    CLEAN,
    DROPOUT,
    MODELS,
    Answer,
    Question,
    Student,
    both_gain,
    caveat,
    figure,
    measured,
    tables,
    verdict,
)
from regard.experiments.spoiling import dropped, whole

CLAIM = "An RNN stumbles when a word is missing; a Transformer, which looks at all of them, copes."
QUESTION = Question(
    spoilings={"0": whole} | {str(count): functools.partial(dropped, count=count) for count in (1, 2, 3, 4)},
    students=[Student(model, training) for training in (CLEAN, DROPOUT) for model in MODELS],
    axis="words missing",
)


def run(trial: Trial) -> Experiment:
    """Translates the test with no to four words missing, by models trained clean and with word dropout."""
    answer = yield from measured(trial, QUESTION)
    drawn = figure(answer, "What a model keeps when words are missing")
    return Finding(claim=CLAIM, conclusion=conclude(answer), tables=tables(answer), figure=drawn)


def conclude(answer: Answer) -> str:
    """Whether the RNN suffers more from a word that is missing, and whether word dropout in training helps."""
    one, worst = "1", list(answer.question.spoilings)[-1]
    return (
        f"{verdict(answer, one, 'With one word missing')} "
        f"{verdict(answer, worst, f'With {worst} missing')} "
        f"Word dropout in training makes {both_gain(answer, DROPOUT, one)} with one word missing, and "
        f"{both_gain(answer, DROPOUT, '0')} with none. {caveat(answer)}"
    )
