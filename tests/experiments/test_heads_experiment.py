"""How many heads are needed: its arithmetic by hand, heads switched off in the real search, and one small run."""

import json

import pytest

from regard.cli import main
from regard.decoding.directory import load
from regard.experiments import antecedent, heads, lesson
from regard.experiments.heads import CHANCE, KINDS, LEAST, MOST, Played, Point, Seen, by_importance, score, spared
from regard.looking.blocks import sentences
from regard.looking.heads import importance
from regard.looking.interventions import effects
from regard.looking.steering import HeadPlace, off
from regard.text.formats import Pairs


def test_what_can_be_spared_is_read_off_the_line_between_two_points() -> None:
    points = [Point(0.0, 90.0), Point(0.25, 90.5), Point(0.5, 88.5), Point(1.0, 0.0)]
    assert spared(points) == pytest.approx(0.25 + 0.25 * 1.5 / 2)  # from 90.5 on the way to 88.5, 89 is passed


def test_all_can_be_spared_where_nothing_falls_and_none_where_it_falls_at_once() -> None:
    assert spared([Point(0.0, 50.0), Point(1.0, 49.0)]) == 1
    assert spared([Point(0.0, 50.0), Point(0.5, 40.0), Point(1.0, 50.0)]) == pytest.approx(0.05)


@pytest.fixture(scope="module")
def learned(two_way):
    return load(two_way)


LINES = ["ba bo de", "du", "be bi do da ba", "de de bi", "bo bu da di", "da ba"]


def test_heads_are_off_in_the_real_search_as_in_that_of_one_sentence(learned, toy) -> None:
    # the slow twin: one sentence at a time, by an intervention on its trace
    change = off(learned.transformer, "cross", head=2)
    slow = [
        next(iter(effects(learned.look(line), [change], beam_size=1, max_ratio=heads.ROOM))).translation
        for line in LINES
    ]
    plain = [answer.text for answer in learned.translate(LINES, beam_size=1)]
    assert slow != plain
    right = Pairs(LINES, slow)
    assert score(learned, right, change.heads) == pytest.approx(100)
    assert score(learned, right, ()) < 100
    assert [answer.text for answer in learned.translate(LINES, beam_size=1)] == plain


def test_the_order_has_every_head_once_the_least_important_first(learned, toy) -> None:
    pairs = Pairs(LINES, [toy.translate(line) for line in LINES])
    order = by_importance(learned, pairs)
    assert len(set(order)) == len(order) == 12
    found = importance(learned.transformer, sentences(learned, *pairs))
    scores = {(one.kind, one.layer, one.head): one.score for one in found}
    assert [scores[place] for place in order] == sorted(scores.values())


def test_a_curve_begins_with_all_heads_and_ends_with_none(learned, toy) -> None:
    pairs = Pairs(LINES, [toy.translate(line) for line in LINES])
    order = by_importance(learned, pairs)
    points = heads.curve(learned, pairs, order, 5, 97.0)
    assert [point.off for point in points] == [0, 2 / 12, 5 / 12, 7 / 12, 10 / 12, 1]
    assert points[0].bleu == 97
    assert points[-1].bleu < 50


def seen(floor: float) -> Seen:
    curve = [Point(0.0, 80.0), Point(0.5, 80.0), Point(1.0, floor)]
    steep = [Point(0.0, 80.0), Point(0.5, 0.0), Point(1.0, 0.0)]
    curves = {
        (kinds, how): [curve if how == LEAST else steep] * (2 if how == CHANCE else 1)
        for kinds in KINDS
        for how in (LEAST, MOST, CHANCE)
    }
    played = [
        Played(HeadPlace("encoder", 0, 0), 0.0, "next word", 0.8),
        Played(HeadPlace("encoder", 0, 1), 0.5, heads.NONE, 0.3),
        Played(HeadPlace("cross", 1, 2), 1.0, "the word it writes", 0.9),
    ]
    without = [("next word", "encoder", 79.0), (heads.NONE, "encoder", 70.0), ("the word it writes", "cross", 5.0)]
    return Seen(80.0, curves, played, {(part, kind): bleu for part, kind, bleu in without})


def test_the_conclusion_tells_what_can_go_and_which_part_goes_last() -> None:
    models = [seen(40.0), seen(0.0)]
    tables = heads._tables(models)
    said = heads._conclude(tables, models)
    # 51.25 % and 50.625 %: their mean, and t = 12.7 times half of their distance to both sides
    assert said.startswith(
        "Of all heads 51 % (47.0 to 54.9) can be switched off, the least important first, before BLEU "
    )
    assert "falls by 1 from 80.0; at random 1 % (0.6 to 0.6), the most important first 1 % (0.6 to 0.6)" in said
    assert "4 of 6 heads look first at one kind of place in half of their rows or more" in said
    assert "the last of these to go are the cross's that look at the word it writes (mean turn 1.00), " in said
    assert "the first the encoder's that look at the next word (mean turn 0.00). (2 models; 95 %" in said
    parts = list(tables.values())[2]
    assert [(row["part"], row["heads"], row["BLEU lost without all of them"]) for row in parts] == [
        ("the word it writes", 2, 75.0),
        ("next word", 2, 1.0),
        (heads.NONE, 2, 10.0),
    ]


def test_the_conclusion_says_so_where_every_head_can_go() -> None:
    said = heads._conclude(heads._tables([seen(80.0), seen(79.5)]), [seen(80.0), seen(79.5)])
    assert said.startswith("Of all heads 100 % (100.0 to 100.0) can be switched off, ")


def test_a_head_has_a_part_only_where_it_looks_there_in_half_of_its_rows() -> None:
    order = [HeadPlace("encoder", 0, 0), HeadPlace("encoder", 0, 1)]
    found = [
        heads.Part(order[0], "next word", 0.5),
        heads.Part(order[0], "itself", 0.25),
        heads.Part(order[1], "itself", 0.49),
    ]
    assert heads._played(found, order[::-1]) == [
        Played(order[1], 0.0, heads.NONE, 0.49),
        Played(order[0], 1.0, "next word", 0.5),
    ]


def test_the_experiment_writes_what_it_found_of_any_corpus(toy, tmp_path, monkeypatch, capsys) -> None:
    tiny = {"text.vocabulary": 300, "model.n_encoder_layers": 1, "model.n_decoder_layers": 1, "model.d_model": 12}
    monkeypatch.setattr(lesson, "SMALL", lesson.SMALL | tiny)
    monkeypatch.setattr(antecedent, "UPDATES", 3)
    for name, value in (("MODELS", 2), ("LINES", 5), ("STEPS", 2), ("ROOM", 0.1), ("DRAWS", 2)):
        monkeypatch.setattr(heads, name, value)
    files = [str(toy.folder / f"toy.{side}") for side in ("fr", "en")]
    corpus = [part for name in ("train", "valid", "test") for part in (f"--{name}", *files)]
    assert main(["experiment", "heads", str(tmp_path), "--quick", "--quiet", *corpus]) == 0
    told = json.loads((tmp_path / "heads.json").read_text("utf-8"))
    assert told["conclusion"] == capsys.readouterr().out.strip()
    free, curves, _, every = told["tables"].values()
    assert len(free) == 12
    assert len(curves) == 3 * 5 + 9 * 3  # all heads together have twice as many steps
    assert len(every) == 12
    assert len(list((tmp_path / "models").iterdir())) == 2
    assert (tmp_path / "heads.png").read_bytes().startswith(b"\x89PNG")
