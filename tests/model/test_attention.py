"""Attention: the formula by hand, the fused kernel beside it, and the taps."""

import math

import jaxtyping
import pytest
import torch
from torch import nn

from regard.model import attention as room
from regard.model.attention import KeysValues, MultiHeadAttention, Tap, attention, causal_mask, fused_attention

BATCH, HEADS, QUERIES, KEYS, D_K, D_V = 2, 3, 5, 7, 11, 13
TAPS = ["q", "k", "v", "scores", "scaled", "weights", "context"]


@pytest.fixture(params=[0, room.SHORT], ids=["PyTorch's kernel", "two products"])
def short(request, monkeypatch):
    """Both ways in which the fused attention computes."""
    monkeypatch.setattr(room, "SHORT", request.param)
    monkeypatch.setattr(room, "MANY", 0)
    if request.param:
        monkeypatch.delattr(nn.functional, "scaled_dot_product_attention")


@pytest.fixture
def unchecked():
    """Nobody checks the axes, as it is outside these tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def q_k_v(queries=QUERIES, keys=KEYS, d_k=D_K, d_v=D_V):
    sizes = ((queries, d_k), (keys, d_k), (keys, d_v))
    return [torch.randn(BATCH, HEADS, *size, dtype=torch.float64) for size in sizes]


def padding_mask(keys=KEYS):
    """The second sentence is three pieces shorter."""
    return (torch.arange(keys) < torch.tensor([[keys], [keys - 3]]))[:, None, None, :]


def looked_at(module, x, memory=None, mask=None):
    return module(x, module.keys_values(x if memory is None else memory), mask)


@pytest.fixture
def module():
    """Two heads, of which a query is 3 wide and a value 5."""
    return MultiHeadAttention(d_model=14, n_heads=2, d_k=3, d_v=5).double()


def test_the_weights_and_the_context_are_those_done_by_hand():
    """q . k = 0 and 2 ln 3; over sqrt(4): 0 and ln 3; softmax: 1/4 and 3/4; 4/4 + 3*8/4 = 7."""
    q, v = torch.ones(1, 1, 1, 4), torch.tensor([[[[4.0], [8.0]]]])
    k = torch.stack([torch.zeros(4), torch.full((4,), math.log(3) / 2)])[None, None]
    got = attention(q, k, v)
    torch.testing.assert_close(got.scores.flatten(), torch.tensor([0, 2 * math.log(3)]))
    torch.testing.assert_close(got.scaled.flatten(), torch.tensor([0, math.log(3)]))
    torch.testing.assert_close(got.weights.flatten(), torch.tensor([0.25, 0.75]))
    torch.testing.assert_close(got.context.flatten(), torch.tensor([7.0]))


@pytest.mark.parametrize("d_v", [D_K, D_V])
@pytest.mark.parametrize("queries", [QUERIES, KEYS])
@pytest.mark.parametrize("kind", ["none", "padding", "causal", "padded and causal", "one row each"])
def test_the_fused_attention_gives_the_context_of_the_formula(short, kind, queries, d_v):
    q, k, v = q_k_v(queries=queries, d_v=d_v)
    mask = {
        "none": None,
        "padding": padding_mask(),
        "causal": causal_mask(KEYS)[..., :queries, :],
        "padded and causal": padding_mask() & causal_mask(KEYS)[..., :queries, :],
        "one row each": nn.functional.one_hot(torch.randint(KEYS, (BATCH, HEADS, queries)), KEYS).bool(),
    }[kind]
    torch.testing.assert_close(fused_attention(q, k, v, mask), attention(q, k, v, mask).context)


@pytest.mark.parametrize(
    ("queries", "dtype", "gradient", "kernel"),
    [
        (11, torch.float32, False, True),
        (12, torch.float32, False, False),
        (12, torch.float32, True, True),
        (12, torch.bfloat16, True, False),
    ],
)
def test_for_a_few_scores_the_kernel_is_taken_and_for_many_two_products(monkeypatch, queries, dtype, gradient, kernel):
    """2 sentences, 3 heads, 30 keys; in float32, a gradient is wanted of the kernel too."""
    q, k, v = (x.to(dtype).requires_grad_(gradient) for x in q_k_v(queries=queries, keys=30))
    expected = attention(q, k, v).context
    if not kernel:
        monkeypatch.delattr(nn.functional, "scaled_dot_product_attention")
    torch.testing.assert_close(fused_attention(q, k, v), expected)
    if kernel:
        monkeypatch.delattr(nn.functional, "scaled_dot_product_attention")
        with pytest.raises(AttributeError):
            fused_attention(q, k, v)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_the_kernel_told_that_it_is_causal_does_what_the_causal_mask_says(short, length):
    q, k, v = q_k_v(length, length)
    mask = causal_mask(length)
    torch.testing.assert_close(fused_attention(q, k, v, mask, causal=True), attention(q, k, v, mask).context)


def test_position_i_may_look_at_positions_0_to_i():
    assert causal_mask(3)[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_the_weights_of_a_query_sum_to_one_and_are_zero_where_it_may_not_look():
    mask = padding_mask() & causal_mask(KEYS)
    weights = attention(*q_k_v(KEYS, KEYS), mask).weights
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(BATCH, HEADS, KEYS, dtype=torch.float64))
    assert torch.equal(weights > 0, mask.expand_as(weights))


@pytest.mark.parametrize("way", [attention, fused_attention])
def test_a_query_and_a_key_of_unlike_width_are_refused_since_they_meet_in_a_dot_product(unchecked, way):
    q, _, v = q_k_v()
    with pytest.raises(ValueError, match=r"width 11 and the keys 5: they meet in a dot product"):
        way(q, torch.randn(BATCH, HEADS, KEYS, 5).double(), v)


@pytest.mark.parametrize("way", [attention, fused_attention])
def test_a_key_without_a_value_is_refused(unchecked, way):
    q, k, _ = q_k_v()
    with pytest.raises(ValueError, match="7 keys and 5 values: each key has one value"):
        way(q, k, torch.randn(BATCH, HEADS, 5, D_V).double())


@pytest.mark.parametrize("way", [lambda *given: attention(*given).context, fused_attention])
@pytest.mark.parametrize("mask", [None, padding_mask(3) & causal_mask(3)[..., :2, :]])
def test_the_gradient_is_that_of_finite_differences(short, way, mask):
    inputs = [tensor.requires_grad_() for tensor in q_k_v(queries=2, keys=3, d_k=2, d_v=3)]
    if mask is not None:
        mask[..., 0] = True
    assert torch.autograd.gradcheck(lambda *given: way(*given, mask), inputs)


def test_several_heads_are_their_single_attentions_side_by_side(module):
    """MultiHead = Concat(head_1, head_2) W^O, with the weights of each head cut out of the whole matrices."""
    x, memory = torch.randn(BATCH, 5, 14).double(), torch.randn(BATCH, 7, 14).double()
    heads = []
    for head in range(2):
        narrow, wide = slice(3 * head, 3 * head + 3), slice(5 * head, 5 * head + 5)
        q = x @ module.w_q.weight[narrow].T + module.w_q.bias[narrow]
        k = memory @ module.w_k.weight[narrow].T + module.w_k.bias[narrow]
        v = memory @ module.w_v.weight[wide].T + module.w_v.bias[wide]
        heads.append((q @ k.mT / math.sqrt(3)).softmax(dim=-1) @ v)
    expected = torch.cat(heads, dim=-1) @ module.w_o.weight.T + module.w_o.bias
    torch.testing.assert_close(looked_at(module, x, memory), expected)


@pytest.mark.parametrize("name", TAPS)
def test_a_listener_hears_and_changes_nothing(module, name):
    x = torch.randn(BATCH, KEYS, 14).double()
    mask, heard = padding_mask() & causal_mask(KEYS), []
    alone = looked_at(module, x, mask=mask)
    getattr(module, name).listeners.append(lambda value: heard.append(value) or value)
    torch.testing.assert_close(looked_at(module, x, mask=mask), alone)
    widths = {"q": 3, "k": 3, "v": 5, "context": 5}
    assert [tuple(value.shape) for value in heard] == [(BATCH, 2, KEYS, widths.get(name, KEYS))]


def test_a_listener_is_heard_where_the_kernel_is_told_that_it_is_causal(module):
    x, heard = torch.randn(BATCH, KEYS, 14).double(), []
    module.weights.listeners.append(lambda value: heard.append(value) or value)
    module(x, module.keys_values(x), causal_mask(KEYS), causal=True)
    assert torch.equal(heard[0] > 0, causal_mask(KEYS).expand(BATCH, 2, KEYS, KEYS))


def test_weights_forced_uniform_give_the_mean_of_the_values(module):
    x = torch.randn(BATCH, KEYS, 14).double()
    module.weights.listeners.append(lambda weights: torch.full_like(weights, 1 / KEYS))
    mean = module.w_o(module.w_v(x).mean(dim=1, keepdim=True))
    torch.testing.assert_close(looked_at(module, x), mean.expand(BATCH, KEYS, 14))


@pytest.mark.parametrize("name", ["scores", "scaled"])
def test_scores_forced_to_zero_make_all_keys_alike(module, name):
    x, heard = torch.randn(BATCH, KEYS, 14).double(), []
    getattr(module, name).listeners.append(torch.zeros_like)
    module.weights.listeners.append(lambda value: heard.append(value) or value)
    looked_at(module, x)
    torch.testing.assert_close(heard[0], torch.full_like(heard[0], 1 / KEYS))


def test_the_scaled_scores_are_the_scores_over_the_root_of_d_k(module):
    heard = {}
    for name in ("scores", "scaled"):
        getattr(module, name).listeners.append(lambda value, name=name: heard.setdefault(name, value))
    looked_at(module, torch.randn(BATCH, KEYS, 14).double())
    torch.testing.assert_close(heard["scaled"] * math.sqrt(3), heard["scores"])


def test_a_head_whose_context_is_zeroed_is_a_head_that_is_not_there(module):
    x = torch.randn(BATCH, KEYS, 14).double()
    module.context.listeners.append(lambda context: context * torch.tensor([1, 0])[:, None, None])
    ablated = looked_at(module, x)
    module.context.listeners.clear()
    with torch.no_grad():
        module.w_o.weight[:, 5:] = 0
    torch.testing.assert_close(ablated, looked_at(module, x))


def test_nobody_who_is_not_looking_pays_for_the_plain_sum(module, monkeypatch):
    monkeypatch.delattr(room, "attention")
    x = torch.randn(BATCH, KEYS, 14).double()
    looked_at(module, x)
    for name in ("q", "k", "v", "context"):
        getattr(module, name).listeners.append(lambda value: value)
    looked_at(module, x)
    module.weights.listeners.append(lambda value: value)
    with pytest.raises(NameError, match="attention"):
        looked_at(module, x)


def test_taps_add_nothing_to_the_weights_that_are_saved(module):
    weights = ("w_q", "w_k", "w_v", "w_o")
    assert list(module.state_dict()) == [f"{name}.{kind}" for name in weights for kind in ("weight", "bias")]


def test_each_tap_has_the_name_of_its_quantity(module):
    assert [name for name, part in module.named_modules() if isinstance(part, Tap)] == TAPS


def test_listeners_are_asked_in_their_order():
    tap = Tap()
    tap.listeners += [lambda value: value + 1, lambda value: value * 2]
    assert tap(torch.tensor(3)) == 8


def test_keys_and_values_grow_at_the_end_and_are_chosen_by_sentence():
    first, later = (KeysValues(*q_k_v(keys=keys)[1:]) for keys in (2, 3))
    both = first.append(later)
    for whole, one, other in zip(both, first, later, strict=True):
        assert torch.equal(whole[:, :, :2], one)
        assert torch.equal(whole[:, :, 2:], other)
    chosen = both.select(torch.tensor([1, 1, 0]))
    for kept, whole in zip(chosen, both, strict=True):
        assert all(torch.equal(kept[row], whole[sentence]) for row, sentence in enumerate([1, 1, 0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_of_any_size_give_weights_that_are_numbers(dtype):
    q, k, v = (1e4 * torch.randn(1, 1, 5, 8, dtype=dtype) for _ in range(3))
    weights = attention(q, k, v, causal_mask(5)).weights
    assert ((weights >= 0) & (weights <= 1)).all()
