"""Occlusion in batches is occlusion one by one: each question is put to the model alone, and answered the same."""

import pytest
import torch

from regard.config import BOS, EOS, UNK
from regard.looking import occlusion as module
from regard.looking.listening import changing
from regard.looking.occlusion import Group, log_probs, marginalised, occlusion, replaced, whole, without

SOURCE, WRITTEN = [5, 9, 13, 11, 8, 17, EOS], [8, 12, 20, 4, EOS]


@torch.no_grad()
def alone(model, source, read, at, ids):
    """log p of these pieces, by a plain pass over one sentence."""
    log_p = model(torch.tensor([source]), torch.tensor([read]))[0].log_softmax(dim=-1)
    return [float(log_p[row, piece]) for row, piece in zip(at, ids, strict=True)]


def test_the_answers_are_those_of_plain_passes_in_whatever_batches(model, monkeypatch):
    questions = [whole(SOURCE, WRITTEN), whole([6, 7, EOS], [15, EOS]), whole(SOURCE[3:], WRITTEN[:2])]
    expected = [alone(model, one.source, one.read, one.at, one.ids) for one in questions]
    for budget in (8192, 1):
        monkeypatch.setattr(module, "BATCH_PIECES", budget)
        for found, answer in zip(log_probs(model, questions), expected, strict=True):
            assert found == pytest.approx(answer, abs=1e-10)


def test_a_word_of_the_source_is_made_unknown_or_left_out(model):
    group, before = Group("source", [1, 2]), alone(model, SOURCE, [BOS, *WRITTEN[:-1]], range(5), WRITTEN)
    for rule, rest in (("unk", [5, UNK, UNK, 11, 8, 17, EOS]), ("drop", [5, 11, 8, 17, EOS])):
        after = alone(model, rest, [BOS, *WRITTEN[:-1]], range(5), WRITTEN)
        found = occlusion(model, whole(SOURCE, WRITTEN), [group], rule=rule)[:, 0]
        assert found.tolist() == pytest.approx([a - b for a, b in zip(before, after, strict=True)], abs=1e-10)


def test_a_word_of_the_prefix_is_left_out_and_what_follows_moves_up(model):
    before = alone(model, SOURCE, [BOS, 8, 12, 20, 4], range(5), WRITTEN)
    after = alone(model, SOURCE, [BOS, 8, 4], [0, 1, 1, 1, 2], WRITTEN)  # without 12 and 20
    found = occlusion(model, whole(SOURCE, WRITTEN), [Group("prefix", [2, 3])], rule="drop")[:, 0]
    assert found.tolist() == pytest.approx([a - b for a, b in zip(before, after, strict=True)], abs=1e-10)
    assert found[:2].abs().max() < 1e-10


@torch.no_grad()
def test_by_a_zero_vector_position_and_all(model):
    def zero(vectors):
        changed = vectors.clone()
        changed[:, 4] = 0
        return changed

    for side, tap in (("source", model.source_embedding.output), ("prefix", model.target_embedding.output)):
        before = alone(model, SOURCE, [BOS, *WRITTEN[:-1]], range(5), WRITTEN)
        with changing(tap, zero):
            after = alone(model, SOURCE, [BOS, *WRITTEN[:-1]], range(5), WRITTEN)
        found = occlusion(model, whole(SOURCE, WRITTEN), [Group(side, [4])], rule="zero")[:, 0]
        assert found.tolist() == pytest.approx([a - b for a, b in zip(before, after, strict=True)], abs=1e-10)


def test_marginalised_is_the_mean_change_over_the_replacements_of_a_word(model):
    question, others = whole(SOURCE, WRITTEN), [[21], [22, 23]]
    group = Group("source", [1])
    found = marginalised(model, question, [[replaced(question, group, ids) for ids in others], []])
    before = alone(model, SOURCE, question.read, range(5), WRITTEN)
    after = [alone(model, [5, *ids, *SOURCE[2:]], question.read, range(5), WRITTEN) for ids in others]
    expected = [(abs(a - one) + abs(a - two)) / 2 for a, one, two in zip(before, *after, strict=True)]
    assert found[:, 0].tolist() == pytest.approx(expected, abs=1e-10)
    assert found[:, 1].tolist() == [0.0] * 5


def test_a_replacement_in_the_prefix_moves_what_is_asked_behind_it():
    question = replaced(whole(SOURCE, WRITTEN), Group("prefix", [2]), [21, 22])
    assert question.read == [BOS, 8, 21, 22, 20, 4]
    assert question.at == [0, 1, 3, 4, 5]
    assert question.ids == WRITTEN


def test_what_is_asked_within_a_replaced_word_is_asked_behind_what_is_left_of_it():
    question = replaced(whole(SOURCE, WRITTEN), Group("prefix", [2, 3]), [21])
    assert question.read == [BOS, 8, 21, 4]
    assert question.at == [0, 1, 2, 2, 3]


def test_what_is_taken_away_leaves_the_question_itself_as_it_was():
    question = whole(SOURCE, WRITTEN)
    without(question, Group("source", [0]), "drop")
    without(question, Group("prefix", [1]), "zero")
    assert question == whole(SOURCE, WRITTEN)
