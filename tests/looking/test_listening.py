"""Listening hears everything, changes nothing, and leaves nothing behind."""

import pytest
import torch

from regard.config import configure
from regard.looking.listening import listening
from regard.model.attention import Tap
from regard.model.transformer import Transformer

SMALL = {
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 3,
    "model.d_model": 22,
    "model.d_ff": 17,
    "model.n_heads": 2,
    "model.d_k": 7,
    "model.d_v": 5,
}


@pytest.fixture
def model():
    return Transformer(configure(SMALL).model, 29, 29).eval()


@pytest.fixture
def sentences():
    return torch.randint(4, 29, (3, 13)), torch.randint(4, 29, (3, 11))


def test_every_head_of_every_layer_is_heard_with_its_shape(model, sentences):
    with listening(model) as heard:
        model(*sentences)
    assert heard["encoder.layers.1.self_attention.weights"].shape == (3, 2, 13, 13)
    assert heard["decoder.layers.2.self_attention.weights"].shape == (3, 2, 11, 11)
    assert heard["decoder.layers.2.cross_attention.weights"].shape == (3, 2, 11, 13)
    assert heard["decoder.layers.0.cross_attention.k"].shape == (3, 2, 13, 7)
    assert heard["decoder.layers.0.cross_attention.context"].shape == (3, 2, 11, 5)


def test_the_weights_heard_sum_to_one_and_make_the_context_of_the_values(model, sentences):
    with listening(model) as heard:
        model(*sentences)
    where = "decoder.layers.1.cross_attention"
    weights = heard[f"{where}.weights"]
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 2, 11))
    torch.testing.assert_close(weights @ heard[f"{where}.v"], heard[f"{where}.context"])


def test_listening_does_not_change_the_logits(model, sentences):
    before = model(*sentences)
    with listening(model):
        during = model(*sentences)
    torch.testing.assert_close(during, before, atol=1e-5, rtol=0)


def test_nothing_is_left_behind_even_after_an_error(model):
    with pytest.raises(ZeroDivisionError), listening(model):
        raise ZeroDivisionError
    assert not any(tap.listeners for tap in model.modules() if isinstance(tap, Tap))


def test_only_what_is_wanted_is_heard(model, sentences):
    with listening(model, lambda name: name == "logits") as heard:
        model(*sentences)
    assert list(heard) == ["logits"]
