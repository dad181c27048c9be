"""The training loop: its events and limits, what it keeps, and that an interruption changes no bit."""

import dataclasses
import itertools
import json
import math
import re
from collections import Counter

import pytest
import torch

from regard.decoding.directory import load
from regard.decoding.translator import Translator
from regard.errors import DivergenceError
from regard.evaluation import Score, bleu
from regard.text.store import encode_pairs
from regard.training import loop
from regard.training.loop import Ended, History, Seen, Updated, Validated, measure, read_history, train
from regard.training.schedule import learning_rate
from regard.weights import load_tensors, weights_of


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def finished(prepared, stop=lambda: False):
    """All that happens until the end."""
    return list(train(prepared.run, prepared.learner, stop))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def scored(monkeypatch):
    """Lets the validations have these scores, the first ones first, and the last one ever after."""

    def script(*scores):
        coming = itertools.chain(scores, itertools.repeat(scores[-1]))
        monkeypatch.setattr(loop, "measure", lambda *_: Seen(-next(coming), {}))

    return script


def test_the_events_tell_the_training_from_the_first_update_to_the_end(begin, scored):
    scored(1.0, 2.0, 3.0)
    prepared = begin(training_updates=7)
    events = finished(prepared)
    kinds = [type(event) for event in events]
    assert kinds == [*[Updated] * 3, Validated, *[Updated] * 3, Validated, Updated, Validated, Validated, Ended]
    updates = of(Updated, events)
    assert [event.update for event in updates] == list(range(1, 8))
    assert [event.progress for event in updates] == [number / 7 for number in range(1, 8)]
    assert [event.update for event in of(Validated, events)] == [3, 6, 7, 7]
    assert events[-1] == Ended("the limit is reached", True)
    assert prepared.learner.standing.finished


def test_every_epoch_reads_every_pair_once_in_an_order_of_its_own(begin, scored, monkeypatch):
    scored(1.0)
    prepared = begin(training_epochs=2, training_batch_tokens=256)
    read, update = [], prepared.learner.update

    def noting(batches, rate):
        read.append([tuple(row) for batch in batches for row in batch.target_out.tolist()])
        return update(batches, rate)

    monkeypatch.setattr(prepared.learner, "update", noting)
    updates = of(Updated, finished(prepared))
    length = len(updates) // 2
    assert [event.epoch for event in updates] == [0] * length + [1] * length
    epochs = [read[:length], read[length:]]
    assert epochs[0] != epochs[1]
    pieces = [Counter(piece for rows in epoch for row in rows for piece in row if piece) for epoch in epochs]
    stored = encode_pairs(prepared.run.tokenizer, prepared.run.train)
    assert pieces == [Counter(stored.target.values.tolist())] * 2
    tokens = len(stored.source.values) + len(stored.target.values)
    assert [sum(event.tokens for event in updates if event.epoch == epoch) for epoch in (0, 1)] == [tokens] * 2


def test_an_epoch_has_as_many_updates_as_groups_of_batches(begin, scored):
    scored(1.0)
    counts = []
    for accumulate in (1, 2, 3):
        settings = dict(training_epochs=1, training_batch_tokens=256, training_accumulate=accumulate)
        updates = of(Updated, finished(begin(f"by {accumulate}", **settings)))
        assert updates[-1].progress == 1
        counts.append(len(updates))
    assert counts == [counts[0], -(-counts[0] // 2), -(-counts[0] // 3)]
    assert counts[0] > 3


@pytest.mark.parametrize("schedule", ["cosine", "inverse_sqrt"])
def test_each_update_is_taken_at_the_rate_of_the_schedule(begin, scored, schedule):
    scored(1.0)
    prepared = begin(training_updates=7, training_schedule=schedule)
    config = prepared.run.config.training
    rates = [event.rate for event in of(Updated, finished(prepared))]
    assert rates == [learning_rate(config, number, (number - 1) / 7) for number in range(1, 8)]
    assert len(set(rates)) > 3


@pytest.mark.parametrize(
    ("limits", "updates"),
    [
        ({"training_updates": 3, "training_epochs": 2}, 3),
        ({"training_updates": 1000, "training_minutes": 1e-9}, 1),
        ({"training_minutes": 60.0, "training_updates": 2}, 2),
    ],
)
def test_the_nearest_limit_ends_the_training(begin, scored, limits, updates):
    scored(1.0)
    assert len(of(Updated, finished(begin(**limits)))) == updates


def test_minutes_are_counted_over_interruptions(begin, scored):
    scored(1.0)
    prepared = begin(training_minutes=1.0)
    prepared.learner.standing.seconds = 59.9999999
    assert len(of(Updated, finished(prepared))) == 1


def test_a_score_that_no_longer_rises_ends_the_training(begin, scored):
    """Patience 2: the third is the best; the fourth, no better, and the fifth are the last."""
    scored(1.0, 2.0, 5.0, 5.0, 4.0)
    events = finished(begin(training_patience=2, training_validate_every=1))
    assert [event.best for event in of(Validated, events)] == [True, True, True, False, False, True]
    assert of(Updated, events)[-1].update == 5
    assert events[-1] == Ended("no better score in 2 validations", True)


def test_the_directory_always_holds_the_best_model_so_far(begin, scored):
    scored(1.0, 3.0, 2.0, 4.0)
    prepared = begin(training_updates=4, training_validate_every=1)
    best = None
    for event in train(prepared.run, prepared.learner):
        if isinstance(event, Validated) and event.best and event.update < 4:
            best = {name: weight.clone() for name, weight in weights_of(prepared.learner.result).items()}
        if best and not isinstance(event, Ended) and event.update < 4:
            assert same(load_tensors(prepared.run.folder / "model.safetensors")[0], best)


@pytest.mark.parametrize(("of_the_mean", "averaged"), [(5.0, True), (6.0, True), (4.9, False)])
def test_the_mean_of_the_best_becomes_the_model_unless_the_best_alone_is_better(begin, scored, of_the_mean, averaged):
    """The scores of four updates; two are kept: those of the second and the fourth."""
    scored(1.0, 5.0, 3.0, 4.0, of_the_mean, 5.0)
    prepared = begin(training_updates=4, training_average=2, training_validate_every=1)
    kept = {}
    for event in train(prepared.run, prepared.learner):
        if isinstance(event, Validated):
            kept.setdefault(event.update, {n: w.clone() for n, w in weights_of(prepared.learner.result).items()})
            last = event
    mean = {name: (kept[2][name] + kept[4][name]) / 2 for name in kept[2]}
    final = load_tensors(prepared.run.folder / "model.safetensors")[0]
    for name, weight in (mean if averaged else kept[2]).items():
        torch.testing.assert_close(final[name], weight)
    assert last.log_loss == -max(of_the_mean, 5.0)
    assert prepared.learner.standing.best == [(5.0, 2), (4.0, 4)]


def test_who_goes_on_from_a_model_begins_with_its_score_and_keeps_it_where_nothing_is_better(begin, scored):
    scored(1.0)
    old = begin("old", training_updates=2)
    finished(old)
    scored(9.0, 1.0)
    new = begin("new", origin=old.run.folder, training_updates=4)
    events = finished(new)
    assert isinstance(events[0], Validated)
    assert (events[0].update, events[0].best) == (0, True)
    assert new.learner.standing.best[0] == (9.0, 0)
    first, last = (load_tensors(one.run.folder / "model.safetensors")[0] for one in (old, new))
    assert same(first, last)
    assert not same(weights_of(new.learner.result), last), "it has learned something, but nothing better"


def test_only_the_checkpoints_of_the_best_are_left(begin, scored):
    scored(1.0, 5.0, 3.0, 4.0, 2.0)
    prepared = begin(training_updates=5, training_average=2, training_validate_every=1)
    finished(prepared)
    names = {path.name for path in prepared.run.own.iterdir()}
    kept = {"update-2.safetensors", "update-4.safetensors"}
    assert names == {"run.json", "lock", "history.jsonl", "last.safetensors"} | kept


def assert_ended_alike(one, other):
    """The same bits of the model, of Adam's moments and of the average; the same standing but for the clock."""
    for file in ("model.safetensors", "training/last.safetensors"):
        ends = [load_tensors(prepared.run.folder / file) for prepared in (one, other)]
        assert same(ends[0][0], ends[1][0])
        assert {**ends[0][1], "seconds": 0} == {**ends[1][1], "seconds": 0}
    rows = [read_history(prepared.run) for prepared in (one, other)]
    seen = [[(row["update"], row["log_loss"], row["bleu"]) for row in history] for history in rows]
    assert seen[0] == seen[1]


def test_a_training_that_was_paused_ends_with_the_same_bits(begin):
    """With dropout, sampled pieces, a running average of the weights, and two batches an update.

    It pauses after the first update, after a validation, in the middle of an epoch and in the next one.
    """
    settings = dict(text_tokenizer="unigram", text_sampling=0.3, training_validate_pairs=1)
    settings |= dict(training_updates=8, training_accumulate=2, training_average=2)
    straight, halves = begin("straight", **settings), begin("halves", **settings)
    assert of(Updated, finished(straight))[-1].epoch == 1
    for pause in (1, 3, 4, 7):
        events = finished(halves, stop=lambda: halves.learner.standing.update == pause)  # noqa: B023
        assert not events[-1].finished
        assert f"paused after update {pause}" in events[-1].why
        halves = begin("halves")
        assert halves.resumed
        assert halves.learner.standing.update == pause
    assert [event.update for event in of(Updated, finished(halves))] == [8]
    assert_ended_alike(straight, halves)


def test_a_training_that_was_killed_goes_on_from_what_is_on_disk_and_ends_with_the_same_bits(begin):
    """Its last event is an update, or a validation, that is not on disk yet."""
    settings = dict(training_updates=7, training_save_every=2, training_average=2)
    straight, killed = begin("straight", **settings), begin("killed", **settings)
    finished(straight)
    for kind, update, on_disk in ((Updated, 2, 0), (Validated, 3, 2), (Updated, 3, 2), (Validated, 6, 4)):
        running = train(killed.run, killed.learner)
        next(event for event in running if isinstance(event, kind) and event.update == update)
        running.close()
        killed = begin("killed")
        assert killed.learner.standing.update == on_disk
    finished(killed)
    assert_ended_alike(straight, killed)


def test_what_is_said_to_be_paused_is_on_disk(begin, scored):
    """Also where the wish to stop comes at an awkward moment, between two looks at it."""
    scored(1.0)
    prepared, answers = begin(training_updates=9), itertools.chain([False, False, False], itertools.repeat(True))
    assert not finished(prepared, stop=lambda: next(answers))[-1].finished
    assert load_tensors(prepared.run.own / "last.safetensors")[1]["update"] == prepared.learner.standing.update


def test_a_finished_training_does_nothing_more(begin, scored):
    scored(1.0)
    finished(begin(training_updates=3))
    (event,) = finished(begin())
    assert event.finished
    assert "this training is over" in event.why


def test_a_finished_training_that_is_given_more_goes_on(begin, scored):
    scored(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    finished(begin(training_updates=3))
    more = begin(training_updates=6)
    assert not more.learner.standing.finished
    assert [event.update for event in of(Updated, finished(more))] == [4, 5, 6]
    assert begin().learner.standing.finished


def test_a_training_without_patience_left_that_is_given_more_has_it_all_again(begin, scored):
    scored(5.0, 1.0)
    settings = dict(training_updates=9, training_validate_every=1)
    assert of(Updated, finished(begin(training_patience=2, **settings)))[-1].update == 3
    assert [event.update for event in of(Updated, finished(begin(training_patience=3)))] == [4, 5, 6]


@pytest.mark.parametrize("what", ["loss", "weights"])
def test_a_training_that_diverges_says_so_and_leaves_the_last_good_state(begin, scored, monkeypatch, what):
    scored(1.0)
    prepared = begin(training_updates=9, training_validate_every=1)
    learner, update = prepared.learner, prepared.learner.update

    def diverging(batches, rate):
        log_loss = update(batches, rate)
        if learner.standing.update < 5:
            return log_loss
        if what == "weights":
            with torch.no_grad():
                learner.weights.vector[2] = math.inf
        return math.nan if what == "loss" else log_loss

    monkeypatch.setattr(learner, "update", diverging)
    with pytest.raises(DivergenceError, match=r"diverged at update 5: .* lower training.learning_rate"):
        finished(prepared)
    tensors, standing = load_tensors(prepared.run.own / "last.safetensors")
    assert standing["update"] == 4
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_the_validation_measures_what_the_translator_says(begin):
    prepared = begin(training_updates=2, training_validate_pairs=3)
    seen = of(Validated, finished(prepared))[-1]
    run, translator = prepared.run, load(prepared.run.folder)
    log_probs = [p for scored in translator.score(*run.valid) for p in scored.log_probs]
    assert seen.log_loss == pytest.approx(-sum(log_probs) / len(log_probs), rel=1e-5)
    greedy = [answer.text for answer in translator.translate(run.valid.source[:3], beam_size=1)]
    expected = bleu(greedy, run.valid.target[:3])
    assert seen.bleu == {"fr-en": pytest.approx(expected.score)}
    assert seen.signature == expected.signature


def test_both_directions_are_validated_each_with_its_own_references(begin, monkeypatch):
    prepared = begin(training_updates=1, training_validate_pairs=3, text_directions=("fr-en", "en-fr"))
    run, asked = prepared.run, []
    monkeypatch.setattr(
        loop, "bleu", lambda texts, references, **_: asked.append(references) or bleu(texts, references)
    )
    seen = measure(run, prepared.learner, prepared.learner.model, encode_pairs(run.tokenizer, run.valid))
    assert list(seen.bleu) == ["fr-en", "en-fr"]
    assert asked == [run.valid.target[:3], run.valid.source[:3]]
    assert seen.score == pytest.approx(sum(score.score for score in seen.bleu.values()) / 2, abs=1e-4)


def test_bleu_decides_which_is_better_and_the_loss_where_it_is_the_same():
    def seen(log_loss, score):
        return Seen(log_loss, {"fr-en": Score("BLEU", score, None, None, "")}).score

    assert seen(1.5, 0.0) > seen(2.0, 0.0)
    assert seen(9.0, 7.01) > seen(1.0, 7.0)


def test_a_language_without_spaces_is_validated_by_its_characters_and_each_recipe_is_told(begin):
    prepared = begin(training_updates=1, training_validate_pairs=1, text_directions=("fr-zh", "zh-fr"))
    signatures = of(Validated, finished(prepared))[-1].signature.split(", ")
    assert [re.search(r"tok:(\w+)", signature)[1] for signature in signatures] == ["zh", "13a"]


def test_without_translations_log_p_is_what_is_compared(begin):
    prepared = begin(training_updates=1)
    run = prepared.run
    seen = measure(run, prepared.learner, prepared.learner.model, encode_pairs(run.tokenizer, run.valid))
    assert (seen.bleu, seen.score) == ({}, -seen.log_loss)


def test_what_is_validated_is_the_running_average(begin, monkeypatch):
    prepared, measured = begin(training_updates=1), []
    monkeypatch.setattr(loop, "measure", lambda run, learner, model, valid: measured.append(model) or Seen(1.0, {}))
    finished(prepared)
    assert measured[0] is prepared.learner.average


def test_few_learned_positions_are_enough_to_validate_with(begin):
    settings = dict(text_max_length=20, decoding_max_length=22, model_max_length=22, training_validate_pairs=1)
    assert of(Validated, finished(begin(training_updates=1, model_positions="learned", **settings)))


def test_the_history_has_a_line_for_each_validation_with_the_training_loss_since_the_last(begin, scored):
    scored(1.0, 2.0)
    prepared = begin(training_updates=5)
    losses = [event.log_loss for event in of(Updated, finished(prepared))]
    lines = (prepared.run.own / "history.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows == read_history(prepared.run)
    assert [row["update"] for row in rows] == [3, 5, 5]
    means = [row["training_log_loss"] for row in rows]
    assert means == [pytest.approx(sum(losses[:3]) / 3), pytest.approx(sum(losses[3:]) / 2), None]
    assert {"update", "epoch", "seconds", "log_loss", "bleu", "signature", "best"} <= rows[0].keys()


def test_a_history_forgets_what_came_after_the_update_that_is_gone_on_from(begin, scored):
    scored(1.0)
    prepared = begin(training_updates=6)
    finished(prepared)
    assert [row["update"] for row in History(prepared.run, 5).rows] == [3]
    other = dataclasses.replace(prepared.run, folder=prepared.run.folder / "none")
    assert read_history(other) == []


def test_the_model_directory_can_be_loaded_during_and_after_the_training(begin):
    prepared = begin(training_updates=6)
    for event in train(prepared.run, prepared.learner):
        if isinstance(event, Validated):
            translator = load(prepared.run.folder)
            assert isinstance(translator, Translator)
            assert translator.config == prepared.run.config
