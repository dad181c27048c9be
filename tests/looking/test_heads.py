"""The importance of a head is the slope of the loss at its gate; its confidence can be counted by hand."""

import pytest
import torch

from regard.config import BOS, EOS
from regard.looking.blocks import Block, Passed, Sentences, passed
from regard.looking.heads import confidence, gate_gradients, gated, importance, loss


@torch.no_grad()
def test_a_gates_gradient_is_the_finite_difference_of_the_loss(model, batch):
    found, h = gate_gradients(model, batch), 1e-5
    for place in (0, 3, 7):  # an encoder's, a decoder's, a cross-attention
        losses = []
        for change in (h, -h):
            gates = [torch.ones(2, 2, dtype=torch.float64) for _ in range(8)]
            gates[place][:, 1] += change
            with gated(model, gates):
                losses.append(loss(model, batch))
        torch.testing.assert_close(found[place][:, 1], (losses[0] - losses[1]) / (2 * h), rtol=1e-6, atol=1e-8)


def test_importance_is_the_mean_size_of_the_gradients_over_sentences(model, batch):
    found, gradients = importance(model, batch), gate_gradients(model, batch)
    assert [(one.kind, one.layer, one.head) for one in found][:5] == [
        ("encoder", 0, 0), ("encoder", 0, 1), ("encoder", 1, 0), ("encoder", 1, 1), ("decoder", 0, 0)
    ]  # fmt: skip
    assert len(found) == 16
    last = gradients[-1][:, 1]
    assert found[-1].score == pytest.approx((abs(float(last[0])) + abs(float(last[1]))) / 2)


def test_open_gates_change_nothing_and_a_shut_one_does(model, batch):
    gates = [torch.ones(2, 2, dtype=torch.float64) for _ in range(8)]
    with gated(model, gates):
        torch.testing.assert_close(loss(model, batch), loss(model, batch))
        opened = loss(model, batch)
    torch.testing.assert_close(opened, loss(model, batch))
    gates[5][:, 0] = 0
    with gated(model, gates):
        assert (loss(model, batch) - opened).abs().min() > 1e-6


def test_confidence_leaves_out_the_end_of_the_sentence_as_query_and_as_key():
    weights = torch.tensor([[[0.75, 0.0, 0.25], [0.125, 0.375, 0.5], [0.0, 0.0, 1.0]]])[None]
    nothing = torch.zeros(0)
    block = Block(weights, nothing, nothing, nothing, nothing, nothing, None, "encoder")
    batch = Sentences(torch.tensor([[5, 6, EOS]]), torch.tensor([[BOS]]), torch.tensor([[EOS]]))
    found = confidence(Passed([block], [], [], nothing), batch)
    assert [(one.kind, one.layer, one.head) for one in found] == [("encoder", 0, 0)]
    assert found[0].score == (0.75 + 0.375) / 2


def test_every_head_has_a_confidence_between_zero_and_one(model, batch):
    found = confidence(passed(model, batch), batch)
    assert [one[:3] for one in found] == [one[:3] for one in importance(model, batch)]
    assert all(0 < one.score <= 1 for one in found)
