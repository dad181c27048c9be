"""Positions, embeddings, feed-forward, add & norm and dropout, by hand."""

import copy
import math

import pytest
import torch
from torch import nn

from regard.config import ModelConfig
from regard.model.layers import Dropout, Embedding, FeedForward, Residual, positional_encoding

N = 1_000_003  # numbers under dropout; no multiple of 8


def config(**given):
    sizes = dict(n_encoder_layers=1, n_decoder_layers=1, d_model=2, d_ff=3, n_heads=1, p_drop=0.0)
    return ModelConfig(**(sizes | given))


def set_to(linear, weight, bias=0.0):
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(weight))
        linear.bias.fill_(bias)


def test_the_sinusoids_are_those_of_section_3_5():
    """d_model = 4: the frequencies are 1 and 1/100."""
    table = positional_encoding(101, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    for pos in (1, 100):
        expected = [math.sin(pos), math.cos(pos), math.sin(pos / 100), math.cos(pos / 100)]
        torch.testing.assert_close(table[pos], torch.tensor(expected))


def test_a_position_further_on_is_a_rotation_of_this_one():
    """The property for which the paper chose sinusoids: PE(pos + 7) is a linear function of PE(pos)."""
    sin, cos = positional_encoding(31, 6).unflatten(1, (3, 2)).double().unbind(dim=-1)
    angle = 7 * 10000 ** (-torch.arange(0, 6, 2).double() / 6)
    torch.testing.assert_close(sin[7:], sin[:-7] * angle.cos() + cos[:-7] * angle.sin(), atol=1e-5, rtol=0)


def test_a_piece_is_its_vector_times_the_root_of_d_model():
    embedding = Embedding(config(d_model=4, positions="none"), 5)
    ids = torch.tensor([[3, 1, 3]])
    torch.testing.assert_close(embedding(ids), 2 * embedding.pieces.weight[ids])


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_a_piece_has_its_position_added(positions):
    embedding = Embedding(config(d_model=4, positions=positions, max_length=11), 5)
    there = embedding(torch.full((1, 7), 3))[0] - 2 * embedding.pieces.weight[3]
    torch.testing.assert_close(there, embedding.positions[:7])
    if positions == "sinusoidal":
        torch.testing.assert_close(there, positional_encoding(7, 4))


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
def test_pieces_that_start_later_have_the_later_positions(positions):
    embedding = Embedding(config(positions=positions, max_length=7), 11)
    ids = torch.randint(11, (3, 7))
    assert torch.equal(embedding(ids[:, 5:], start=5), embedding(ids)[:, 5:])


def test_sinusoids_have_no_end():
    embedding = Embedding(config(max_length=5), 7)
    ids = torch.randint(7, (2, 23))
    long = Embedding(config(max_length=23), 7)
    long.load_state_dict(embedding.state_dict())
    assert torch.equal(embedding(ids), long(ids))
    assert torch.equal(embedding(ids[:, :1], start=97)[0, 0], long(ids[:, :1], start=97)[0, 0])


def test_a_table_that_grew_while_translating_can_be_trained_with_and_copied():
    embedding = Embedding(config(max_length=5), 7)
    ids = torch.randint(7, (2, 23))
    with torch.inference_mode():
        embedding(ids)
    embedding(ids).sum().backward()
    assert torch.equal(copy.deepcopy(embedding)(ids), embedding(ids))


def test_a_table_that_grows_keeps_its_type():
    embedding = Embedding(config(max_length=5), 7).double()
    assert embedding(torch.randint(7, (2, 23))).dtype == torch.float64


def test_more_pieces_than_positions_were_learned_are_refused():
    embedding = Embedding(config(positions="learned", max_length=5), 7)
    embedding(torch.ones(1, 5, dtype=torch.long))
    with pytest.raises(ValueError, match=r"6 pieces, but only 5 positions were learned: set model\.max_length higher"):
        embedding(torch.ones(1, 1, dtype=torch.long), start=5)


def test_learned_positions_are_weights_and_sinusoids_are_not():
    assert "positions" in Embedding(config(positions="learned"), 7).state_dict()
    assert list(Embedding(config(), 7).state_dict()) == ["pieces.weight"]


def test_the_feed_forward_net_is_that_of_equation_2():
    """x = (1, -2): max(0, x W_1 + 1) = max(0, (2, -1, 5)) = (2, 0, 5); times W_2, plus 7: (2 + 5 + 7, 2 * 5 + 7)."""
    net = FeedForward(config())
    set_to(net.w_1, [[1.0, 0.0], [0.0, 1.0], [4.0, 0.0]], bias=1)
    set_to(net.w_2, [[1.0, 1.0, 1.0], [0.0, 3.0, 2.0]], bias=7)
    assert net(torch.tensor([[[1.0, -2.0]]])).tolist() == [[[14, 17]]]


def test_gelu_is_x_times_the_normal_distribution_function():
    """Phi(1) = 0.8413447, Phi(-1) = 1 - Phi(1)."""
    net = FeedForward(config(activation="gelu", d_ff=2))
    set_to(net.w_1, [[1.0, 0.0], [0.0, 1.0]])
    set_to(net.w_2, [[1.0, 0.0], [0.0, 1.0]])
    got = net(torch.tensor([[[1.0, -1.0]]])).flatten()
    torch.testing.assert_close(got, torch.tensor([0.8413447, -0.1586553]))


def test_swiglu_multiplies_the_sigmoid_linear_unit_by_a_gate():
    """x = ln 3: x sigmoid(x) = 3/4 ln 3; the gate is 5 ln 3."""
    net = FeedForward(config(activation="swiglu", d_ff=1))
    set_to(net.w_1, [[1.0, 0.0]])
    set_to(net.gate, [[5.0, 0.0]])
    set_to(net.w_2, [[1.0], [0.0]])
    got = net(torch.tensor([[[math.log(3), 11.0]]])).flatten()
    torch.testing.assert_close(got, torch.tensor([15 / 4 * math.log(3) ** 2, 0.0]))


@pytest.mark.parametrize("activation", ["relu", "gelu", "swiglu"])
def test_each_position_is_worked_on_by_itself(activation):
    net = FeedForward(config(d_model=6, d_ff=11, activation=activation))
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(net(x)[:, 3:4], net(x[:, 3:4]))


def test_post_norm_normalises_the_sum():
    """x = (1, 3), Sublayer(x) = x: the sum (2, 6) has mean 4 and deviation 2."""
    got = Residual(config())(torch.tensor([[[1.0, 3.0]]]), lambda y: y)
    torch.testing.assert_close(got.flatten(), torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0)


def test_pre_norm_normalises_what_goes_in_and_leaves_the_sum_alone():
    """x = (1, 3) is normalised to (-1, 1); Sublayer(y) = 10 y: (1 - 10, 3 + 10)."""
    got = Residual(config(norm="pre"))(torch.tensor([[[1.0, 3.0]]]), lambda y: 10 * y)
    torch.testing.assert_close(got.flatten(), torch.tensor([-9.0, 13.0]), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("norm", "expected"), [("post", (-1, 1)), ("pre", (1, 3))])
def test_what_a_listener_takes_from_the_sum_is_gone(norm, expected):
    residual = Residual(config(norm=norm))
    residual.added.listeners.append(torch.zeros_like)
    got = residual(torch.tensor([[[1.0, 3.0]]]), lambda y: 10 * y * y)
    torch.testing.assert_close(got.flatten(), torch.tensor(expected, dtype=torch.float), atol=1e-4, rtol=0)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_dropout_takes_its_share_and_keeps_the_expectation(p):
    """The share is p to the nearest 1/256; five standard deviations of a million draws are at most 0.0025."""
    share = round(256 * p) / 256
    y = Dropout(p)(torch.ones(N))
    assert abs(share - p) <= 1 / 512
    assert (y == 0).double().mean().item() == pytest.approx(share, abs=0.0025)
    torch.testing.assert_close(y[y != 0], torch.full_like(y[y != 0], 1 / (1 - share)))
    assert y.double().mean().item() == pytest.approx(1, abs=0.0025 / (1 - share))


def test_no_number_knows_what_became_of_another():
    """Both of two are dropped in p * p of the cases, whether neighbours or eight apart, where words of bytes begin."""
    dropped = Dropout(0.5)(torch.ones(N)) == 0
    for apart in (1, 7, 8, 64):
        assert (dropped[apart:] & dropped[:-apart]).double().mean().item() == pytest.approx(0.25, abs=0.003)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (0, 3), (2, 3, 5)])
def test_dropout_keeps_the_shape(shape):
    assert Dropout(0.3)(torch.ones(shape)).shape == shape


@pytest.mark.parametrize(("p", "training"), [(0.3, False), (0.0, True)])
def test_dropout_that_is_off_hands_on_what_it_gets(p, training):
    x = torch.randn(3, 5)
    assert Dropout(p).train(training)(x) is x


def test_dropout_repeats_itself_after_the_same_seed_and_not_after_another():
    drop, x, seen = Dropout(0.5), torch.ones(97), []
    for seed in (5, 5, 7):
        torch.manual_seed(seed)
        seen.append(drop(x))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[2], drop(x))


def test_the_gradient_of_dropout_is_its_mask():
    x = torch.randn(5, 7, 11, dtype=torch.float64).requires_grad_()
    y = Dropout(0.3)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach() / x.detach())
    assert 0 < (x.grad == 0).sum() < x.numel()


@pytest.mark.parametrize("p", [0.998, 0.999])
def test_dropout_of_nearly_all_leaves_numbers(p):
    y = Dropout(p)(torch.ones(N))
    assert y.isfinite().all()
    assert y.double().mean().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_dropout_works_on_each_sublayer_before_it_is_added(norm):
    """All that is left where everything is dropped from the sublayer is x, or its norm."""
    residual = Residual(config(norm=norm, d_model=4, p_drop=0.5))
    residual.dropout = nn.Threshold(math.inf, 0.0)
    x = torch.randn(2, 3, 4)
    expected = x if norm == "pre" else nn.functional.layer_norm(x, (4,))
    torch.testing.assert_close(residual(x, lambda y: 5 * y), expected)


def test_the_sum_of_embeddings_and_positions_goes_through_dropout():
    embedding = Embedding(config(d_model=4, p_drop=0.5), 7)
    embedding.dropout = nn.Threshold(math.inf, 0.0)
    assert (embedding(torch.randint(7, (2, 3))) == 0).all()
