"""Gradients are finite differences; integrated gradients add up to the difference that they explain."""

import pytest
import torch

from regard.looking.gradients import gradient_x_input, integrated_gradients, logit, reading
from regard.model.attention import Tap

AT, INSTEAD = torch.tensor([3, 1]), torch.tensor([19, 23])


def scaled(model, batch, instead, side, place, by):
    """The logit of the first sentence where the vector of one piece is scaled."""
    vectors = [model.source_embedding(batch.source), model.target_embedding(batch.read)]
    vectors[side] = vectors[side].clone()
    vectors[side][0, place] *= by
    with reading(model, *vectors):
        return float(logit(model, batch, AT, instead)[0])


@pytest.mark.parametrize("instead", [None, INSTEAD], ids=["plain", "contrastive"])
def test_gradient_x_input_is_the_slope_when_a_piece_grows(model, batch, instead):
    found, h = gradient_x_input(model, batch, AT, instead), 1e-5
    with torch.no_grad():
        for side, place in ((0, 0), (0, 5), (1, 0), (1, 3)):
            slope = scaled(model, batch, instead, side, place, 1 + h) - scaled(
                model, batch, instead, side, place, 1 - h
            )
            assert float(found[side][0, 0, place]) == pytest.approx(slope / (2 * h), rel=1e-6, abs=1e-8)


def test_the_logit_is_that_of_the_model_and_the_contrast_is_their_difference(model, batch):
    logits = model(batch.source, batch.read)
    rows = torch.arange(2)
    right = logits[rows, AT, batch.written[rows, AT]]
    torch.testing.assert_close(logit(model, batch, AT), right)
    torch.testing.assert_close(logit(model, batch, AT, INSTEAD), right - logits[rows, AT, INSTEAD])


def test_pieces_that_are_not_read_have_no_part(model, batch):
    for method in (gradient_x_input, integrated_gradients):
        source, prefix = method(model, batch, AT)
        assert source[1, 0, 3:].abs().max() == 0
        assert prefix[0, 0, 4:].abs().max() < 1e-15
        assert prefix[1, 0, 2:].abs().max() < 1e-15


@pytest.mark.parametrize("instead", [None, INSTEAD], ids=["plain", "contrastive"])
def test_integrated_gradients_sum_to_the_difference_from_a_sentence_of_positions_alone(model, batch, instead):
    source, prefix = integrated_gradients(model, batch, AT, instead, steps=151)
    with torch.no_grad():
        bare = [
            embedding(ids) - embedding.pieces(ids) * model.config.d_model**0.5
            for embedding, ids in ((model.source_embedding, batch.source), (model.target_embedding, batch.read))
        ]
        end = logit(model, batch, AT, instead)
        with reading(model, *bare):
            start = logit(model, batch, AT, instead)
    torch.testing.assert_close((source.sum(dim=-1) + prefix.sum(dim=-1))[:, 0], end - start, atol=1e-2, rtol=0)


def test_the_model_is_left_without_listeners_and_without_gradients(model, batch):
    integrated_gradients(model, batch, AT, steps=2)
    assert not any(tap.listeners for tap in model.modules() if isinstance(tap, Tap))
    assert all(parameter.grad is None for parameter in model.parameters())
