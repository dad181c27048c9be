"""The whole of Figure 1: padding, the future, order, one piece at a time, tied weights, gradients."""

import math
from itertools import pairwise, product

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from regard.config import BOS, ModelConfig
from regard.looking.listening import listening
from regard.model.attention import Tap
from regard.model.encoder import Encoder
from regard.model.transformer import Transformer

VOCAB = 37
CLOSE = dict(atol=1e-5, rtol=0)

KINDS = {
    "post": {},
    "pre": {"norm": "pre"},
    "own widths": {"d_k": 3, "d_v": 5},
    "pre, own widths, learned": {"norm": "pre", "d_k": 5, "d_v": 3, "positions": "learned"},
    "no positions, gelu": {"positions": "none", "activation": "gelu"},
    "pre, swiglu, not tied": {"norm": "pre", "activation": "swiglu", "tie": False},
    "12-1": {"n_encoder_layers": 12, "n_decoder_layers": 1, "norm": "pre"},
    "6-2": {"n_encoder_layers": 6, "n_decoder_layers": 2},
}


def transformer(source=VOCAB, target=VOCAB, joint=True, **given):
    """A small model, which computes as it does for translating."""
    sizes = dict(n_encoder_layers=2, n_decoder_layers=3, d_model=22, d_ff=29, n_heads=2, max_length=64)
    return Transformer(ModelConfig(**(sizes | given)), source, target, joint).eval()


@pytest.fixture(params=KINDS)
def model(request):
    return transformer(**KINDS[request.param])


def pieces(*lengths, vocab=VOCAB):
    """Sentences of these lengths, side by side."""
    ids = torch.randint(4, vocab, (len(lengths), max(lengths)))
    return ids * (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])


def begun(target):
    """The target as the decoder reads it."""
    return torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)


@torch.no_grad()
def test_a_sentence_is_the_same_alone_and_in_any_batch(model):
    lengths = [(7, 3), (1, 11), (13, 1), (5, 5)]
    source, target = (pieces(*side) for side in zip(*lengths, strict=True))
    together = model(source, begun(target))
    for row, (words, written) in enumerate(lengths):
        alone = model(source[row : row + 1, :words], begun(target)[row : row + 1, :written])
        torch.testing.assert_close(together[row, :written], alone[0], **CLOSE)


@torch.no_grad()
def test_no_position_sees_the_future(model):
    source, target = pieces(7, 5), begun(pieces(11, 11))
    before = model(source, target)
    for place in (1, 6, 10):
        changed = target.clone()
        changed[:, place:] = (changed[:, place:] + 1) % VOCAB
        after = model(source, changed)
        torch.testing.assert_close(after[:, :place], before[:, :place], atol=1e-6, rtol=0)
        assert ((after - before)[:, place].abs() > 1e-3).any(dim=-1).all()


@torch.no_grad()
def test_every_position_sees_the_whole_source(model):
    source, target = pieces(7), begun(pieces(5))
    before = model(source, target)
    for place in (0, 6):
        changed = source.clone()
        changed[:, place] = (changed[:, place] - 3) % (VOCAB - 4) + 4
        assert ((model(changed, target) - before).abs() > 1e-4).any(dim=-1).all()


@torch.no_grad()
def test_one_word_or_512_go_through_in_one_pass():
    model = transformer(n_decoder_layers=1)
    lengths = (1, 2, 131, 509, 512)
    source, target = pieces(*lengths), begun(pieces(*reversed(lengths)))
    together = model(source, target)
    for row, (words, written) in enumerate(zip(lengths, reversed(lengths), strict=True)):
        alone = model(source[row : row + 1, :words], target[row : row + 1, :written])
        torch.testing.assert_close(together[row, :written], alone[0], **CLOSE)


@torch.no_grad()
def test_piece_by_piece_gives_what_one_pass_gives(model):
    source, target = pieces(7, 3, 5), begun(pieces(11, 11, 11))
    state = model.start(model.encode(source))
    for place, expected in enumerate(model(source, target).unbind(dim=1)):
        assert state.length == place
        logits, state = model.step(target[:, place], state)
        torch.testing.assert_close(logits, expected, **CLOSE)


@torch.no_grad()
def test_chosen_rows_go_on_with_the_past_and_the_source_that_they_had(model):
    """The third row once, the first twice, the second not at all: before the first word, and after some."""
    source, target, rows = pieces(7, 5, 3), begun(pieces(11, 11, 11)), torch.tensor([2, 0, 0])
    expected = model(source[rows], target[rows])
    for cut in (0, 4):
        state = model.start(model.encode(source))
        for place in range(cut):
            _, state = model.step(target[:, place], state)
        state = state.select(rows)
        for place in range(cut, 11):
            logits, state = model.step(target[rows, place], state)
            torch.testing.assert_close(logits, expected[:, place], **CLOSE)


@torch.no_grad()
def test_a_state_can_be_gone_on_from_twice():
    model = transformer()
    state = model.start(model.encode(pieces(5)))
    _, state = model.step(torch.tensor([BOS]), state)
    first, second = (model.step(torch.tensor([7]), state)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert state.length == 1


@torch.no_grad()
@pytest.mark.parametrize("positions", ["none", "sinusoidal", "learned"])
def test_without_positions_and_only_then_the_order_of_the_words_is_lost(positions):
    """The encoder is equivariant: words in another order give the same states in that order."""
    model, source = transformer(positions=positions), pieces(7)
    order = torch.tensor([4, 0, 6, 2, 5, 1, 3])
    states, reordered = model.encode(source).states, model.encode(source[:, order]).states
    alike = torch.allclose(reordered, states[:, order], **CLOSE)
    assert alike == (positions == "none")


@torch.no_grad()
def test_the_mask_of_the_memory_tells_pieces_from_padding():
    assert transformer().encode(pieces(3, 1)).mask.tolist() == [[True, True, True], [True, False, False]]


def test_tied_weights_are_one_matrix():
    model = transformer()
    assert model.output.weight is model.target_embedding.pieces.weight is model.source_embedding.pieces.weight
    assert sum(weight.shape == (VOCAB, 22) for weight in model.parameters()) == 1


def test_with_two_vocabularies_the_source_has_a_matrix_of_its_own():
    model = transformer(source=41, joint=False)
    assert model.output.weight is model.target_embedding.pieces.weight
    assert model.source_embedding.pieces.weight.shape == (41, 22)
    assert model(pieces(5, vocab=41), pieces(3)).shape == (1, 3, VOCAB)


def test_weights_that_are_not_tied_are_three_matrices():
    model = transformer(tie=False)
    assert sum(weight.shape == (VOCAB, 22) for weight in model.parameters()) == 3


@pytest.mark.parametrize("kind", ["post", "6-2"])
def test_one_matrix_learns_from_all_the_places_where_it_stands(kind):
    """Its gradient is the sum of those that three matrices of the same numbers get."""
    one, three = transformer(**KINDS[kind]), transformer(**KINDS[kind], tie=False)
    three.load_state_dict(one.state_dict())
    for model in (one, three):
        model(pieces(7, 5) * 0 + 5, begun(pieces(3, 2) * 0 + 7)).log_softmax(dim=-1)[..., 11].sum().backward()
    places = (three.output, three.source_embedding.pieces, three.target_embedding.pieces)
    torch.testing.assert_close(one.output.weight.grad, sum(place.weight.grad for place in places))


def test_the_weights_are_as_many_as_the_paper_counts():
    """4 d^2 + 4 d an attention, 2 d d_ff + d + d_ff a net, 2 d a norm; d = 22, d_ff = 29; two layers and three."""
    attention, net, norm = 4 * 22**2 + 4 * 22, 2 * 22 * 29 + 22 + 29, 2 * 22
    layers = 2 * (attention + net + 2 * norm) + 3 * (2 * attention + net + 3 * norm)
    assert sum(weight.numel() for weight in transformer().parameters()) == layers + VOCAB * 22
    assert sum(weight.numel() for weight in transformer(norm="pre").parameters()) == layers + 2 * norm + VOCAB * 22


def test_the_base_model_has_about_65_million_weights():
    """Table 3, with its 37,000 pieces; the count there is rounded up (Vaswani et al., 2017)."""
    with torch.device("meta"):
        model = Transformer(ModelConfig(), 37_000, 37_000)
    assert sum(weight.numel() for weight in model.parameters()) == pytest.approx(65e6, rel=0.04)


@pytest.mark.parametrize(("kind", "layers"), [("post", (2, 3)), ("12-1", (12, 1)), ("6-2", (6, 2))])
def test_each_stack_has_its_own_number_of_layers_and_each_layer_its_own_weights(kind, layers):
    model = transformer(**KINDS[kind])
    assert (len(model.encoder.layers), len(model.decoder.layers)) == layers
    every = [*model.encoder.layers, *model.decoder.layers]
    for one, other in pairwise(every):
        assert not torch.equal(one.self_attention.w_q.weight, other.self_attention.w_q.weight)


@pytest.mark.parametrize("activation", ["relu", "gelu", "swiglu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_every_weight_learns(norm, activation):
    model = transformer(norm=norm, activation=activation, positions="learned", d_k=3, d_v=5, tie=False)
    model(pieces(64, 5), begun(pieces(64, 64))).log_softmax(dim=-1)[..., 5].sum().backward()
    still = [name for name, weight in model.named_parameters() if not weight.grad.abs().max() > 0]
    assert [name for name in still if not name.endswith("w_k.bias")] == []  # softmax does not feel a constant


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_gradient_of_the_loss_is_that_of_finite_differences(norm):
    """Of all weights at once, in double precision, with padding on both sides."""
    sizes = dict(n_encoder_layers=1, n_decoder_layers=1, d_model=6, d_ff=5, n_heads=2, d_k=2, d_v=5)
    model = Transformer(ModelConfig(**sizes, norm=norm, activation="swiglu", p_drop=0.0), 7, 7).double()
    source, target = pieces(3, 2, vocab=7), pieces(2, 3, vocab=7)
    names, weights = zip(*model.named_parameters(), strict=True)
    weights = [(weight + 0.3 * torch.randn_like(weight)).detach().requires_grad_() for weight in weights]

    def loss(*weights):
        logits = functional_call(model, dict(zip(names, weights, strict=True)), (source, begun(target)))
        return cross_entropy(logits.mT, target, ignore_index=0, reduction="sum")

    assert torch.autograd.gradcheck(loss, weights, fast_mode=True)


@torch.no_grad()
def test_what_is_heard_has_the_name_of_its_place_and_the_shape_of_its_axes():
    model, source, target = transformer(), pieces(7, 5), begun(pieces(11, 3))
    alone = model(source, target)
    with listening(model) as heard:
        torch.testing.assert_close(model(source, target), alone, **CLOSE)
    assert set(heard) == {name for name, part in model.named_modules() if isinstance(part, Tap)}
    assert heard["decoder.layers.2.cross_attention.weights"].shape == (2, 2, 11, 7)
    assert heard["decoder.layers.2.self_attention.weights"].shape == (2, 2, 11, 11)
    assert heard["encoder.layers.1.self_attention.weights"].shape == (2, 2, 7, 7)
    torch.testing.assert_close(heard["logits"], alone, **CLOSE)
    torch.testing.assert_close(heard["encoder.output"], model.encode(source).states, **CLOSE)
    torch.testing.assert_close(model.output(heard["decoder.output"]), alone, **CLOSE)
    assert heard["encoder.layers.1.add_norm_2.output"].shape == heard["source_embedding.output"].shape == (2, 7, 22)


@torch.no_grad()
def test_who_listens_to_the_steps_hears_what_the_one_pass_says(model):
    source, target, place = pieces(7), begun(pieces(5)), "decoder.layers.0.cross_attention.weights"
    with listening(model, place.__eq__) as heard:
        model(source, target)
        whole, state = heard[place], model.start(model.encode(source))
        for at in range(5):
            _, state = model.step(target[:, at], state)
            torch.testing.assert_close(heard[place][:, :, 0], whole[:, :, at], **CLOSE)


@torch.no_grad()
def test_looking_leaves_nothing_behind():
    model, source = transformer(), pieces(5)
    taps = [part for part in model.modules() if isinstance(part, Tap)]

    def interrupted():
        with listening(model):
            assert all(tap.listeners for tap in taps)
            model(source, source)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert not any(tap.listeners for tap in taps)


def test_taps_add_nothing_to_the_weights_that_are_saved():
    kinds = ("weight", "bias", "positions")
    assert {name.rpartition(".")[2] for name in transformer(positions="learned").state_dict()} == set(kinds)


@pytest.mark.parametrize(("norm", "positions"), list(product(["post", "pre"], ["sinusoidal", "none"])))
def test_only_a_pre_norm_stack_ends_with_a_norm_of_its_own(norm, positions):
    encoder = Encoder(transformer(norm=norm, positions=positions).config)
    assert hasattr(encoder.norm, "weight") == (norm == "pre")


def test_the_same_seed_gives_the_same_model():
    weights = []
    for seed in (3, 3, 5):
        torch.manual_seed(seed)
        weights.append(transformer().output.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_matrices_begin_uniform_as_far_as_glorots_bound_and_biases_at_zero():
    """U(-a, a) with a = sqrt(6 / (in + out)) (Glorot and Bengio, 2010); its deviation is a / sqrt(3)."""
    matrices = [part for part in transformer(d_model=62, d_ff=89, tie=False).modules() if isinstance(part, nn.Linear)]
    assert len(matrices) == 2 * (4 + 2) + 3 * (2 * 4 + 2) + 1
    for matrix in matrices:
        bound = math.sqrt(6 / (matrix.in_features + matrix.out_features))
        assert 0.99 * bound < matrix.weight.abs().max() <= bound
        assert matrix.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)
        assert matrix.bias is None or not matrix.bias.any()


def test_padding_has_no_vector_and_a_piece_at_its_place_a_length_of_one():
    """N(0, 1/d_model), times the root of d_model when it is read."""
    model = transformer(source=1009, target=1009)
    weight = model.source_embedding.pieces.weight
    assert (weight[0] == 0).all()
    assert weight[1:].norm(dim=1).mean().item() == pytest.approx(1, abs=0.02)


def test_dropout_is_on_in_training_alone():
    model, ids = transformer(p_drop=0.5), pieces(5)
    assert torch.equal(model(ids, ids), model(ids, ids))
    model.train()
    assert not torch.equal(model(ids, ids), model(ids, ids))
