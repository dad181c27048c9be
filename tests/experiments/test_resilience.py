"""What is kept, by hand; and who is taught what."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from regard.errors import InputError
from regard.evaluation import bleu
from regard.experiments import missing, order, resilience
from regard.experiments.finding import Corpus, Trial
from regard.experiments.interval import Interval
from regard.experiments.resilience import (
    BLIND,
    CLEAN,
    DROPOUT,
    MODELS,
    RECURRENT,
    SHUFFLED,
    TRANSFORMER,
    Answer,
    Effort,
    Question,
    Student,
    both_gain,
    examined,
    figure,
    measured,
    signed,
    tables,
    training_pairs,
    verdict,
)
from regard.experiments.spoiling import dropped, whole
from regard.text.formats import Pairs

OURS, THEIRS, TAUGHT = (
    Student(TRANSFORMER, CLEAN),
    Student(RECURRENT, CLEAN),
    Student(TRANSFORMER, DROPOUT),
)
STUDENTS = [OURS, THEIRS, TAUGHT, Student(RECURRENT, DROPOUT)]
ASKED = Question(
    spoilings={"none": whole, "one": functools.partial(dropped, count=1)}, students=STUDENTS, axis="words missing"
)


@pytest.fixture
def scored(answer: Callable[..., Answer]) -> Answer:
    """Two seeds: the Transformer goes from 80 and 60 to half of it, the RNN from 50 to a fifth."""
    found: dict[tuple[str, str], list[float]] = {
        (TRANSFORMER, "none"): [80.0, 60.0],
        (TRANSFORMER, "one"): [40.0, 30.0],
        (RECURRENT, "none"): [50.0, 50.0],
        (RECURRENT, "one"): [10.0, 10.0],
    }
    return answer(
        ASKED,
        lambda student, name: [score + 3 * (student.training == DROPOUT) for score in found[student.model, name]],
    )


def test_what_is_kept_is_of_the_same_models_bleu_seed_by_seed(scored: Answer) -> None:
    assert scored.kept_by_seed(OURS, "one") == [50, 50]
    assert scored.kept(OURS, "one") == (50, 50, 50)  # 40 of 80 and 30 of 60: no doubt, though BLEU differs
    assert scored.kept(OURS, "none") == (100, 100, 100)
    assert scored.kept(THEIRS, "one").mean == pytest.approx(20)


def test_a_lead_is_in_points_of_what_is_kept_and_a_gain_in_bleu(scored: Answer) -> None:
    assert scored.lead(OURS, THEIRS, "one") == pytest.approx((30, 30, 30))
    assert scored.gain(TAUGHT, OURS, "one") == pytest.approx((3, 3, 3))
    assert both_gain(scored, DROPOUT, "one") == (
        "+3.0 (+3.0 to +3.0) BLEU for the Transformer and +3.0 (+3.0 to +3.0) for the RNN"
    )


def test_a_model_that_translates_nothing_keeps_nothing(answer: Callable[..., Answer]) -> None:
    assert answer(ASKED, lambda *_: [0.0, 0.0]).kept(OURS, "one") == (0, 0, 0)


def test_a_difference_has_a_sign() -> None:
    assert signed(Interval(-1.25, -3.0, 0.5)) == "-1.2 (-3.0 to +0.5)"


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ([60.0, 61.0], [20.0, 21.0], "the RNN does suffer more: the Transformer keeps 40.0 (40.0 to 40.0) points more"),
        (
            [20.0, 21.0],
            [60.0, 61.0],
            "against the claim, it is the Transformer that suffers more: it keeps 40.0 (40.0 to 40.0) points less",
        ),
        ([20.0, 60.0], [30.0, 40.0], "too little to tell who suffers more: the Transformer keeps 5.0"),
    ],
)
def test_the_verdict_follows_from_the_interval(
    answer: Callable[..., Answer], ours: list[float], theirs: list[float], told: str
) -> None:
    def score(student: Student, name: str) -> list[float]:
        return [100.0, 100.0] if name == "none" else ours if student.model == TRANSFORMER else theirs

    sentence = verdict(answer(ASKED, score), "one", "With one word missing")
    assert sentence.startswith("With one word missing, the Transformer keeps")
    assert told in sentence


def test_the_tables_have_all_students_and_all_seeds(scored: Answer) -> None:
    made = tables(scored)
    assert made["BLEU kept, %"][1] == {
        "model": RECURRENT, "training": CLEAN, "none": "100.0 (100.0 to 100.0)", "one": "20.0 (20.0 to 20.0)"
    }  # fmt: skip
    assert made["chrF"][0]["none"] == "35.0 (-28.5 to 98.5)"  # 40 and 30: 5 * 12.7 on both sides
    assert len(made["Seed by seed"]) == 2 * len(STUDENTS)
    assert made["Seed by seed"][1] == {
        "model": TRANSFORMER, "training": CLEAN, "seed": 2,
        "BLEU, none": 60.0, "chrF, none": 30.0, "BLEU, one": 30.0, "chrF, one": 15.0,
    }  # fmt: skip


def test_the_figure_has_a_panel_for_each_training_and_one_for_what_is_kept(scored: Answer) -> None:
    drawn = figure(scored, "A title")
    assert [axes.get_title(loc="left") for axes in drawn.axes] == [
        "BLEU, trained clean",
        "BLEU, trained also with word dropout",
        "BLEU kept, %, trained clean",
    ]
    kept = drawn.axes[-1].containers
    assert [bars.get_label() for bars in kept] == [TRANSFORMER, RECURRENT]
    assert list(kept[0].lines[0].get_ydata()) == [100, 50]


def test_a_spoiled_copy_stands_beside_the_clean_pairs_and_its_targets_are_whole() -> None:
    pairs = Pairs(["un deux trois cinq sept"] * 50, ["one two three five seven"] * 50)
    learned = training_pairs(pairs, DROPOUT, 1)
    assert learned.source[:50] == pairs.source
    assert learned.target == pairs.target * 2
    left = sum(len(line.split()) for line in learned.source[50:])
    assert 150 < left < 250  # 200 of 250 words, five deviations of 6
    assert training_pairs(pairs, CLEAN, 1) is pairs
    assert all(sorted(line.split()) == ["cinq", "deux", "sept", "trois", "un"] for line in _copy(pairs, SHUFFLED, 1))
    assert _copy(pairs, SHUFFLED, 1) != _copy(pairs, SHUFFLED, 2)


def test_the_references_are_of_the_unspoiled_sentences_and_what_changed_is_counted() -> None:
    test = Pairs(["a b c d e f g", "h"], ["a b c d e f g", "h"])
    none, one = examined(list, OURS, test, ASKED, seed=1)  # who gives back what he reads
    assert (none.bleu, none.chrf, none.changed) == (pytest.approx(100), pytest.approx(100), 0)
    assert one.changed == 50  # the sentence of one word keeps it
    assert one.bleu < 100


def test_a_test_without_spaces_is_refused_before_anything_is_taught(tmp_path: object) -> None:
    lines = ["吾輩は猫である。"] * 11
    corpus = Corpus(*[Pairs(lines, lines)] * 3)
    with pytest.raises(InputError, match="no spaces between their words"):
        next(measured(Trial(folder=tmp_path, quick=True, corpus=corpus), ASKED))  # type: ignore[arg-type]
    assert set(MODELS) == {TRANSFORMER, "Transformer without positions", RECURRENT}


def test_chrf_alone_is_that_of_all_three() -> None:
    from regard.evaluation import chrf, evaluate

    texts, references = ["the cat sat", "a dog"], ["the cat sat down", "a dog ran"]
    assert [bleu(texts, references), chrf(texts, references)] == evaluate(texts, references, resamples=0)[:2]


LITTLE = Effort(seeds=2, sentences=13, updates=dict.fromkeys(MODELS, 5))


class Both(NamedTuple):
    """Both experiments, one after the other in one folder, and the models that each of them taught."""

    missing: Any
    order: Any
    first: set[str]
    second: set[str]


@pytest.fixture(scope="module")
def both(experiment: Any, toy_corpus: list[str], tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Run on toy pairs, with models that learn next to nothing."""
    folder = tmp_path_factory.mktemp("room")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resilience, "QUICK", LITTLE)
        once = experiment("missing", folder, "--quick", *toy_corpus)
        first = {path.name for path in (folder / "models").iterdir()}
        twice = experiment("order", folder, "--quick", *toy_corpus)
        second = {path.name for path in (folder / "models").iterdir()} - first
    return Both(once, twice, first, second)


def test_a_run_measures_every_model_with_every_seed(both: Both) -> None:
    tables = both.missing.told["tables"]
    assert both.missing.out.strip() == both.missing.told["conclusion"]
    assert [(row["model"], row["training"]) for row in tables["BLEU"]] == list(missing.QUESTION.students)
    assert list(tables["BLEU"][0]) == ["model", "training", *missing.QUESTION.spoilings]
    assert len(tables["Seed by seed"]) == LITTLE.seeds * 6
    assert all(row["0"] == "0.0 (0.0 to 0.0)" for row in tables["Translations that changed, %"])
    for name in ("missing", "order"):
        assert (both.missing.folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_models_that_both_experiments_need_are_taught_once(both: Both) -> None:
    assert len(both.first) == LITTLE.seeds * 6
    assert len(both.second) == LITTLE.seeds * 2  # those of the shuffled pairs
    assert all("shuffled" in name for name in both.second)


def test_a_run_finds_that_without_positions_no_order_changes_a_translation(both: Both) -> None:
    changed = both.order.told["tables"]["Translations that changed, %"]
    blind = next(row for row in changed if row["model"] == BLIND)
    assert [blind[name] for name in order.SWAPS] == ["0.0 (0.0 to 0.0)"] * 2
    assert blind[order.NO_ORDER] == "0.0 (0.0 to 0.0)"


def _copy(pairs: Pairs, training: str, seed: int) -> list[str]:
    return training_pairs(pairs, training, seed).source[len(pairs.source) :]
