"""Value zeroing is what a layer does when a value is set to zero by hand."""

import torch

from regard.config import PAD
from regard.looking.blocks import passed
from regard.looking.listening import changing
from regard.looking.zeroing import zeroed_decoder, zeroed_encoder
from regard.model.attention import Tap


def by_hand(layer, tap, sentence, key):
    """1 - cos of the layer's output, for each query of one sentence, with one value at zero."""

    def zero(v):
        changed = v.clone()
        changed[sentence, :, key] = 0
        return changed

    before = layer()
    with changing(tap, zero):
        after = layer()
    return 1 - torch.cosine_similarity(before, after, dim=-1)[sentence]


@torch.no_grad()
def test_an_encoder_layer_is_zeroed_value_by_value(model, batch):
    found = passed(model, batch)
    zeroed = zeroed_encoder(model, batch, found, layer=1)
    layer, x = model.encoder.layers[1], found.encoder[1].x_in
    mask = (batch.source != PAD)[:, None, None, :]
    tap = layer.self_attention.v
    one = torch.stack([by_hand(lambda: layer(x, mask), tap, 1, key) for key in range(7)], dim=1)
    torch.testing.assert_close(zeroed[1], one / one.sum(dim=1, keepdim=True))


@torch.no_grad()
def test_a_decoder_layer_shares_a_row_among_prefix_and_source(model, batch):
    found = passed(model, batch)
    zeroed = zeroed_decoder(model, batch, found, layer=2)
    layer, x = model.decoder.layers[2], found.decoder[2].x_in
    states, mask = model.encode(batch.source)

    def whole():
        return layer(x, layer.cross_attention.keys_values(states), mask[:, None, None, :])

    prefix = torch.stack([by_hand(whole, layer.self_attention.v, 0, key) for key in range(5)], dim=1)
    source = torch.stack([by_hand(whole, layer.cross_attention.v, 0, key) for key in range(7)], dim=1)
    total = prefix.sum(dim=1, keepdim=True) + source.sum(dim=1, keepdim=True)
    torch.testing.assert_close(zeroed.prefix[0], prefix / total)
    torch.testing.assert_close(zeroed.source[0], source / total)


def test_rows_sum_to_one_and_neither_padding_nor_the_future_counts(model, batch):
    found = passed(model, batch)
    for layer in range(3):
        source, prefix = zeroed_decoder(model, batch, found, layer=layer)
        torch.testing.assert_close(source.sum(dim=-1) + prefix.sum(dim=-1), torch.ones(2, 5, dtype=torch.float64))
        assert source[1, :, 3:].abs().max() < 1e-12
        assert prefix[0].triu(1).abs().max() < 1e-12


def test_nothing_is_left_on_the_model(model, batch):
    zeroed_decoder(model, batch, passed(model, batch), layer=0)
    assert not any(tap.listeners for tap in model.modules() if isinstance(tap, Tap))
