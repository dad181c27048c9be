"""Listening hears everything, changes nothing, and leaves nothing behind."""

import pytest
import torch

from regard.config import PAD, configure
from regard.looking.listening import changing, listening
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


def test_listening_does_not_change_the_logits_of_sentences_of_unlike_length_either(model, sentences):
    source, target = sentences
    source[1, 7:] = source[2, 2:] = PAD
    before = model(source, target)
    with listening(model) as heard:
        during = model(source, target)
    torch.testing.assert_close(during, before, atol=1e-5, rtol=0)
    for name, weights in heard.items():
        if name.endswith("weights"):
            torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:3]))
    assert not heard["encoder.layers.0.self_attention.weights"][1, :, :, 7:].any()
    assert not heard["decoder.layers.1.cross_attention.weights"][2, :, :, 2:].any()


def test_what_passes_a_tap_is_changed_as_long_as_asked(model, sentences):
    before = model(*sentences)
    tap = model.encoder.layers[1].self_attention.context
    with changing(tap, lambda context: context * 0), listening(model) as heard:
        during = model(*sentences)
        added = heard["encoder.layers.1.add_norm_1.added"]
    torch.testing.assert_close(added, model.encoder.layers[1].self_attention.w_o.bias.expand_as(added))
    assert (during - before).abs().max() > 1e-3
    torch.testing.assert_close(model(*sentences), before)
    assert tap.listeners == []


def test_a_change_ends_with_an_error(model):
    with pytest.raises(ZeroDivisionError), changing(model.logits, lambda logits: logits):
        raise ZeroDivisionError
    assert model.logits.listeners == []


def test_taps_add_nothing_to_the_weights(model):
    assert not any("listener" in name or ".tap" in name for name in model.state_dict())
    with listening(model):
        assert model.state_dict().keys() == Transformer(configure(SMALL).model, 29, 29).state_dict().keys()
