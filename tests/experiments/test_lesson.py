"""A small model that is taught once, and kept."""

from pathlib import Path
from typing import Any

import pytest

from regard.demo.corpus import DemoCorpus
from regard.experiments import lesson
from regard.experiments.finding import Corpus, Step, Trial
from regard.experiments.lesson import RNN, SMALL, Lesson, corpus_of, teach
from regard.text.formats import Pairs
from regard.weights import weights_of

PAIRS = Pairs(["un deux", "trois", "cinq un", "deux sept"] * 5, ["one two", "three", "five one", "two seven"] * 5)
TINY = {
    "model.d_model": 14, "model.d_ff": 11, "model.n_heads": 2, "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 1, "text.tokenizer": "word", "text.vocabulary": 300, "training.updates": 3,
}  # fmt: skip


def taught(folder: Path, **changes: Any) -> tuple[list[Step], Any]:
    """The steps of a lesson, and the model."""
    asked: dict[str, Any] = {"name": "tiny", "train": PAIRS, "valid": PAIRS, "settings": TINY, "seed": 1}
    steps = teach(Trial(folder=folder), Lesson(**asked | changes))
    seen: list[Step] = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


def test_a_lesson_is_taught_once_and_another_seed_or_other_pairs_are_another_lesson(tmp_path: Path) -> None:
    first, model = taught(tmp_path)
    assert [step.done for step in first] == pytest.approx([1 / 3, 2 / 3, 1])
    again, same = taught(tmp_path)
    assert again == []
    assert all(weight.equal(weights_of(model.model)[name]) for name, weight in weights_of(same.model).items())
    assert len(list((tmp_path / "models").iterdir())) == 1
    for changes in ({"seed": 2}, {"train": Pairs(PAIRS.source[1:], PAIRS.target[1:])}):
        assert len(taught(tmp_path, **changes)[0]) == 3
    assert len(list((tmp_path / "models").iterdir())) == 3


def test_a_lesson_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    steps = teach(Trial(folder=tmp_path), Lesson(name="tiny", train=PAIRS, valid=PAIRS, settings=TINY, seed=1))
    next(steps)
    steps.close()
    assert len(taught(tmp_path)[0]) == 3  # nothing was saved since the beginning, and no other folder is begun
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_a_lesson_has_the_small_settings_but_for_its_own() -> None:
    given = Lesson(name="", train=PAIRS, valid=PAIRS, settings=RNN, seed=7).given
    assert given["model.architecture"] == "rnn"
    assert given["model.d_model"] == SMALL["model.d_model"]
    assert given["training.seed"] == 7


def test_the_corpus_is_the_users_or_that_of_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Corpus(PAIRS, PAIRS, PAIRS)
    made = DemoCorpus(PAIRS, Pairs(["un"], ["one"]), Pairs(["sept"], ["seven"]), [])
    monkeypatch.setattr(lesson, "demo_corpus", lambda seed: made)
    assert corpus_of(Trial(folder=tmp_path, corpus=own)) is own
    assert corpus_of(Trial(folder=tmp_path)) == made[:3]
