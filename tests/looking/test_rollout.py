"""Layers are rolled into one: rows of both sides sum to 1, and the numbers are those of a loop over positions."""

import numpy as np
import pytest
import torch

from regard.config import EOS, configure
from regard.looking.blocks import as_sentences, passed
from regard.looking.norms import alti
from regard.looking.rollout import Sides, alti_plus, roll, roll_encoder, rollout
from regard.model.transformer import Transformer

UNEQUAL = {
    "model.n_encoder_layers": 3,
    "model.n_decoder_layers": 2,
    "model.d_model": 14,
    "model.d_ff": 11,
    "model.n_heads": 2,
    "model.d_k": 3,
    "model.d_v": 5,
}


@pytest.fixture(params=["pre", "post"])
def found(request):
    model = Transformer(configure(UNEQUAL | {"model.norm": request.param}).model, 29, 29).double()
    return passed(model, as_sentences(model, [[5, 9, 13, 11, 8, 17, EOS]], [[8, 12, 20, 4, EOS]]))


def test_two_layers_that_swap_two_words_leave_them_where_they_were():
    swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    assert torch.equal(roll_encoder([swap, swap]), torch.eye(2)[None])


def test_a_decoder_of_one_layer_takes_its_shares_as_they_are():
    layer = Sides(torch.tensor([[[0.25, 0.5]]]), torch.tensor([[[0.25]]]))
    memory = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])  # what stands in the first place came from the second
    source, prefix = roll(memory, [layer])
    assert source.tolist() == [[[0.5, 0.25]]]
    assert prefix.tolist() == [[[0.25]]]


def test_a_second_layer_passes_on_what_the_first_took_from_the_source():
    layer = Sides(torch.tensor([[[0.5]]]), torch.tensor([[[0.5]]]))
    source, prefix = roll(torch.ones(1, 1, 1), [layer, layer])
    assert float(source) == 0.5 * 0.5 + 0.5
    assert float(prefix) == 0.5 * 0.5


@pytest.mark.parametrize("method", [rollout, alti_plus])
def test_the_shares_of_source_and_prefix_sum_to_one_in_each_row(found, method):
    source, prefix = method(found)
    assert source.shape == (1, 5, 7)
    assert prefix.shape == (1, 5, 5)
    torch.testing.assert_close(source.sum(dim=-1) + prefix.sum(dim=-1), torch.ones(1, 5, dtype=torch.float64))
    assert prefix[0].triu(1).abs().max() == 0
    assert min(source.min(), prefix.min()) >= 0


def test_rollout_is_the_published_recursion_layer_by_layer(found):
    def half(block):
        mean = block.weights[0].mean(dim=0).numpy()
        return 0.5 * mean + 0.5 * np.eye(len(mean))

    r = np.eye(7)
    for block in found.encoder:
        r = half(block) @ r
    u, t = np.zeros((5, 7)), np.eye(5)
    for own, cross in zip(found.decoder, found.cross, strict=True):
        s, c = half(own), cross.weights[0].mean(dim=0).numpy()
        u, t = 0.5 * s @ u + 0.5 * c @ r, 0.5 * s @ t
    source, prefix = rollout(found)
    np.testing.assert_allclose(source[0], u, atol=1e-12)
    np.testing.assert_allclose(prefix[0], t, atol=1e-12)


def test_alti_plus_carries_the_streams_share_from_layer_to_layer(found):
    e = np.eye(7)
    for block in found.encoder:
        e = alti(block).keys[0].numpy() @ e
    u, t = np.zeros((5, 7)), np.eye(5)
    for own, cross in zip(found.decoder, found.cross, strict=True):
        looked, below = alti(cross), alti(own).keys[0].numpy()
        stream = np.diag(looked.residual[0].numpy())
        u, t = stream @ below @ u + looked.keys[0].numpy() @ e, stream @ below @ t
    source, prefix = alti_plus(found)
    np.testing.assert_allclose(source[0], u, atol=1e-12)
    np.testing.assert_allclose(prefix[0], t, atol=1e-12)
