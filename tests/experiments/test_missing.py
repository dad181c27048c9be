"""The experiment of words that are missing: what it concludes of it."""

from collections.abc import Callable

from regard.experiments.missing import QUESTION, conclude
from regard.experiments.resilience import DROPOUT, RECURRENT, TRANSFORMER, Answer, Student
from regard.experiments.spoiling import spoiled

LOST = {"0": 0, "1": 10, "2": 15, "3": 20, "4": 40}


def test_from_no_word_to_four_are_missing() -> None:
    lines = ["a b c d e f g."] * 3
    left = {name: {len(line.split()) for line in spoiled(lines, how, 1)} for name, how in QUESTION.spoilings.items()}
    assert left == {"0": {7}, "1": {6}, "2": {5}, "3": {4}, "4": {3}}


def test_the_conclusion_tells_of_one_word_of_four_and_of_word_dropout(answer: Callable[..., Answer]) -> None:
    def bleu(student: Student, spoiling: str) -> list[float]:
        lost = LOST[spoiling] * (2 if student.model == RECURRENT else 1)
        return [100.0 - lost + 5 * (student.training == DROPOUT and spoiling == "1")] * 2

    assert conclude(answer(QUESTION, bleu)) == (
        "With one word missing, the Transformer keeps 90 % (90 to 90) of its BLEU and the RNN 80 % (80 to 80); the "
        "RNN does suffer more: the Transformer keeps 10.0 (10.0 to 10.0) points more. With 4 missing, the Transformer "
        "keeps 60 % (60 to 60) of its BLEU and the RNN 20 % (20 to 20); the RNN does suffer more: the Transformer "
        "keeps 40.0 (40.0 to 40.0) points more. Word dropout in training makes +5.0 (+5.0 to +5.0) BLEU for the "
        "Transformer and +5.0 (+5.0 to +5.0) for the RNN with one word missing, and +0.0 (+0.0 to +0.0) BLEU for the "
        "Transformer and +0.0 (+0.0 to +0.0) for the RNN with none. (Intervals: 95 %, over 2 seeds. The references "
        "are of the unspoiled sentences.)"
    )


def test_the_conclusion_says_when_the_transformer_is_the_one_to_stumble(answer: Callable[..., Answer]) -> None:
    def bleu(student: Student, spoiling: str) -> list[float]:
        return [100.0 - LOST[spoiling] * (student.model == TRANSFORMER)] * 2

    assert "against the claim, it is the Transformer that suffers more: it keeps 10.0" in conclude(
        answer(QUESTION, bleu)
    )
