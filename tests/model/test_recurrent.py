"""The RNN with and without attention: its cells by hand, padding, the future, one piece at a time, gradients."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from regard.config import BOS, ModelConfig, TrainingConfig
from regard.looking.listening import changing, listening
from regard.model.attention import Tap
from regard.model.layers import Dropout
from regard.model.recurrent import AdditiveAttention, Offered, Recurrent, recurrent_layer, run
from regard.training.flat import Flat
from regard.training.replica import Batch, Replica

VOCAB = 37
CLOSE = dict(atol=1e-5, rtol=0)

KINDS = {
    "gru": {},
    "lstm": {"cell": "lstm"},
    "gru, a summary": {"attention": False},
    "lstm, a summary": {"attention": False, "cell": "lstm"},
    "deep gru, own width": {"n_encoder_layers": 2, "n_decoder_layers": 3, "d_k": 5},
    "deep lstm, a summary": {"n_encoder_layers": 3, "n_decoder_layers": 2, "cell": "lstm", "attention": False},
}


def recurrent(source=VOCAB, target=VOCAB, joint=True, **given):
    """A small model, which computes as it does for translating."""
    sizes = dict(architecture="rnn", n_encoder_layers=1, n_decoder_layers=1, d_model=22)
    return Recurrent(ModelConfig(**(sizes | given)), source, target, joint).eval()


@pytest.fixture(params=KINDS)
def model(request):
    return recurrent(**KINDS[request.param])


def pieces(*lengths, vocab=VOCAB):
    """Sentences of these lengths, side by side."""
    ids = torch.randint(4, vocab, (len(lengths), max(lengths)))
    return ids * (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])


def begun(target):
    """The target as the decoder reads it."""
    return torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)


def gates(layer, x, s, count):
    """W x + b and U s + c, a row for each gate."""
    wx = layer.weight_ih_l0 @ x + layer.bias_ih_l0
    us = layer.weight_hh_l0 @ s + layer.bias_hh_l0
    return wx.view(count, -1), us.view(count, -1)


def shaken(module):
    """No weight is zero, or one of its kind."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return module


@torch.no_grad()
def test_a_gru_reads_a_piece_as_its_equations_say():
    """r and z are gates; n = tanh(W x + r * (U s)); s' = (1 - z) * n + z * s."""
    layer = shaken(recurrent_layer(ModelConfig(architecture="rnn", d_model=6), 7))
    x, s = torch.randn(7), torch.randn(6)
    wx, us = gates(layer, x, s, 3)
    r, z = torch.sigmoid(wx[0] + us[0]), torch.sigmoid(wx[1] + us[1])
    expected = (1 - z) * torch.tanh(wx[2] + r * us[2]) + z * s
    states, (after,) = run(layer, x[None, None], (s[None, None],))
    torch.testing.assert_close(states[0, 0], expected)
    torch.testing.assert_close(after[0, 0], expected)


@torch.no_grad()
def test_an_lstm_reads_a_piece_as_its_equations_say():
    """i, f and o are gates; c' = f * c + i * tanh(...); s' = o * tanh(c')."""
    layer = shaken(recurrent_layer(ModelConfig(architecture="rnn", cell="lstm", d_model=6), 7))
    x, s, c = torch.randn(7), torch.randn(6), torch.randn(6)
    i, f, g, o = (sum(gate) for gate in zip(*gates(layer, x, s, 4), strict=True))
    cell = f.sigmoid() * c + i.sigmoid() * g.tanh()
    states, after = run(layer, x[None, None], (s[None, None], c[None, None]))
    torch.testing.assert_close(states[0, 0], o.sigmoid() * cell.tanh())
    torch.testing.assert_close(after[1][0, 0], cell)


@torch.no_grad()
def test_additive_attention_by_hand():
    """Two keys, width one, v = 1: the scores are tanh(s + 0) and tanh(s + ln 2); padding gets nothing."""
    attend = AdditiveAttention(ModelConfig(architecture="rnn", d_model=2, d_k=1))
    attend.w_a.weight.copy_(torch.tensor([[1.0, 0.0]]))
    attend.v_a.weight.fill_(1)
    annotations = torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 9.0, 9.0]]])
    keys, mask = torch.tensor([[[0.0], [math.log(2)], [5.0]]]), torch.tensor([[True, True, False]])
    s = torch.tensor([[0.0, 3.0]])
    weights, context = attend(s, Offered(annotations, keys, mask, annotations[:, 0]))
    score = (2 - 1 / 2) / (2 + 1 / 2)  # tanh(ln 2) = 0.6
    first = 1 / (1 + math.exp(score))
    torch.testing.assert_close(weights, torch.tensor([[first, 1 - first, 0]]))
    torch.testing.assert_close(context, torch.tensor([[first, 1 - first, 0, 0]]))


@torch.no_grad()
def test_a_whole_step_is_that_of_the_paper():
    """s_0 = tanh(W_s h_1 backward), alpha of s_0, s_1 = GRU([y; c], s_0), then a maxout over pairs of [s_1; y; c]."""
    model = shaken(recurrent())
    decoder, source = model.decoder, pieces(5)
    h = model.encode(source).states[0]
    y = model.target_embedding.pieces.weight[BOS] * math.sqrt(22)
    s = torch.tanh(decoder.begin.weight @ h[0, 22:] + decoder.begin.bias)
    attend = decoder.attention
    scores = torch.stack([attend.v_a.weight[0] @ torch.tanh(attend.w_a.weight @ s + attend.u_a.weight @ a) for a in h])
    c = scores.softmax(dim=0) @ h
    s, _ = run(decoder.layers[0], torch.cat([y, c])[None, None], (s[None, None],))
    t = decoder.maxout.weight @ torch.cat([s[0, 0], y, c]) + decoder.maxout.bias
    expected = model.output.weight @ torch.maximum(t[0::2], t[1::2])
    torch.testing.assert_close(model(source, torch.tensor([[BOS]]))[0, 0], expected, **CLOSE)


@torch.no_grad()
def test_without_attention_the_decoder_knows_both_ends_of_the_reading_alone():
    """The last forward and the first backward state: whatever else the encoder says is not heard."""
    model, source, target = recurrent(attention=False), pieces(7, 5), begun(pieces(3, 3))
    memory = model.encode(source)
    states = torch.zeros_like(memory.states)
    for row, length in enumerate((7, 5)):
        states[row, length - 1, :22] = memory.states[row, length - 1, :22]
    states[:, 0, 22:] = memory.states[:, 0, 22:]
    torch.testing.assert_close(model.decode(memory._replace(states=states), target), model.decode(memory, target))


@torch.no_grad()
def test_the_encoder_reads_forward_and_backward():
    """The forward half of a place changes with what stands before it alone, the backward half with what is behind."""
    model, source = recurrent(), pieces(7)
    other = source.clone()
    other[:, 3] = (other[:, 3] - 3) % (VOCAB - 4) + 4
    differs = (model.encode(source).states != model.encode(other).states).unflatten(-1, (2, 22)).any(dim=-1)[0]
    assert differs[:, 0].tolist() == [False] * 3 + [True] * 4
    assert differs[:, 1].tolist() == [True] * 4 + [False] * 3


@torch.no_grad()
def test_a_sentence_is_the_same_alone_and_in_any_batch(model):
    lengths = [(7, 3), (1, 11), (13, 1), (5, 5)]
    source, target = (pieces(*side) for side in zip(*lengths, strict=True))
    together = model(source, begun(target))
    for row, (words, written) in enumerate(lengths):
        alone = model(source[row : row + 1, :words], begun(target)[row : row + 1, :written])
        torch.testing.assert_close(together[row, :written], alone[0], **CLOSE)


@torch.no_grad()
def test_no_position_sees_the_future_and_each_sees_its_past(model):
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
    for place in (0, 3, 6):
        changed = source.clone()
        changed[:, place] = (changed[:, place] - 3) % (VOCAB - 4) + 4
        assert ((model(changed, target) - before).abs() > 1e-6).any(dim=-1).all()


@torch.no_grad()
def test_piece_by_piece_gives_what_teacher_forcing_gives(model):
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
def test_a_state_can_be_gone_on_from_twice(model):
    state = model.start(model.encode(pieces(5)))
    _, state = model.step(torch.tensor([BOS]), state)
    first, second = (model.step(torch.tensor([7]), state)[0] for _ in range(2))
    assert torch.equal(first, second)


@torch.no_grad()
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_attention_weights_sum_to_one_and_none_falls_on_padding(cell):
    model = recurrent(cell=cell)
    source, target = pieces(7, 1, 5), begun(pieces(11, 11, 3))
    with listening(model) as heard:
        model(source, target)
    weights = heard["decoder.attention.weights"]
    assert weights.shape == (3, 1, 11, 7)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 1, 11))
    assert (weights.masked_select((source == 0)[:, None, None]) == 0).all()
    assert (weights[1, 0, :, 0] == 1).all()
    assert len(weights[0, 0].unique(dim=0)) == 11  # each target position looks in its own way


@torch.no_grad()
def test_who_listens_to_the_steps_hears_what_the_one_pass_says():
    model, source, target, place = recurrent(), pieces(7), begun(pieces(5)), "decoder.attention.weights"
    with listening(model, place.__eq__) as heard:
        model(source, target)
        whole, state = heard[place], model.start(model.encode(source))
        for at in range(5):
            _, state = model.step(target[:, at], state)
            torch.testing.assert_close(heard[place][:, :, 0], whole[:, :, at], **CLOSE)


@torch.no_grad()
def test_a_row_that_is_changed_changes_what_is_written_and_what_is_watched():
    """All weight on the third piece: the context is its annotation, at every step."""
    model, source, target = recurrent(), pieces(7), begun(pieces(5))
    third = torch.nn.functional.one_hot(torch.tensor(2), 7).float()
    before = model(source, target)
    with changing(model.decoder.attention.row, third.expand_as), listening(model) as heard:
        after = model(source, target)
    assert (heard["decoder.attention.weights"][0, 0] == third).all()
    torch.testing.assert_close(heard["decoder.context"][0], heard["encoder.output"][0, 2].expand(5, -1))
    assert ((after - before).abs() > 1e-4).any()


@torch.no_grad()
def test_what_is_heard_has_the_name_of_its_place_and_nothing_else_changes():
    model, source, target = recurrent(), pieces(7, 5), begun(pieces(11, 3))
    alone = model(source, target)
    with listening(model) as heard:
        assert torch.equal(model(source, target), alone)
    assert set(heard) == {name for name, part in model.named_modules() if isinstance(part, Tap)}
    assert heard["encoder.output"].shape == (2, 7, 44)
    assert heard["decoder.output"].shape == (2, 11, 22)


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_learns(kind):
    model = recurrent(**KINDS[kind], tie=False)
    model(pieces(7, 5), begun(pieces(5, 3))).log_softmax(dim=-1)[..., 5].sum().backward()
    assert [name for name, weight in model.named_parameters() if not weight.grad.abs().max() > 0] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_the_loss_is_that_of_finite_differences(kind):
    """Along a random direction through all weights, in double precision, with padding on both sides."""
    model = shaken(recurrent(7, 7, **KINDS[kind] | {"d_model": 6}, p_drop=0.0)).double()
    source, target = pieces(3, 2, vocab=7), pieces(2, 3, vocab=7)
    weights = list(model.parameters())
    direction = [torch.randn_like(weight) for weight in weights]

    def loss():
        return cross_entropy(model(source, begun(target)).mT, target, ignore_index=0, reduction="sum")

    def moved(by):
        with torch.no_grad():
            for weight, part in zip(weights, direction, strict=True):
                weight.add_(by * part)

    slope = sum((g * d).sum() for g, d in zip(torch.autograd.grad(loss(), weights), direction, strict=True))
    small, ends = 1e-5, []
    with torch.no_grad():
        for by in (small, -2 * small):
            moved(by)
            ends.append(loss())
    torch.testing.assert_close((ends[0] - ends[1]) / (2 * small), slope, rtol=1e-6, atol=1e-8)


def test_weights_are_tied_as_the_transformers_are():
    one, two, three = recurrent(), recurrent(source=41, joint=False), recurrent(tie=False)
    assert one.output.weight is one.target_embedding.pieces.weight is one.source_embedding.pieces.weight
    assert two.output.weight is two.target_embedding.pieces.weight
    assert two.source_embedding.pieces.weight.shape == (41, 22)
    assert sum(weight.shape == (VOCAB, 22) for weight in three.parameters()) == 3


@pytest.mark.parametrize(("cell", "count"), [("gru", 3), ("lstm", 4)])
def test_the_weights_are_as_many_as_the_equations_have(cell, count):
    """d = 22: a gate has W, U and two biases; attention W_a, U_a, v_a; then W_s; then U_o, V_o, C_o, two of each."""
    d = 22
    encoder = 2 * count * (2 * d * d + 2 * d)
    decoder = count * (3 * d * d + d * d + 2 * d)
    attention, begin, maxout = d * d + 2 * d * d + d, d * d + d, 2 * d * 4 * d + 2 * d
    total = encoder + decoder + attention + begin + maxout + VOCAB * d
    assert sum(weight.numel() for weight in recurrent(cell=cell).parameters()) == total


@torch.no_grad()
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_recurrent_matrices_begin_orthogonal_and_an_lstm_remembers(cell):
    layer = recurrent_layer(ModelConfig(architecture="rnn", cell=cell, d_model=6), 7)
    for gate in layer.weight_hh_l0.split(6):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6))
    biases = torch.zeros_like(layer.bias_ih_l0)
    if cell == "lstm":
        biases[6:12] = 1
    assert torch.equal(layer.bias_ih_l0 + layer.bias_hh_l0, biases)


def test_dropout_is_on_in_training_alone_and_draws_from_the_generator_that_is_given():
    """No dropout of torch's own is inside: with generators at one seed, twice the same."""
    model = recurrent(n_encoder_layers=2, n_decoder_layers=2, p_drop=0.5)
    ids = pieces(5)
    assert torch.equal(model(ids, ids), model(ids, ids))
    model.train()
    assert not torch.equal(model(ids, ids), model(ids, ids))
    generator = torch.Generator()
    for part in model.modules():
        if isinstance(part, Dropout):
            part.generator = generator
    answers = [model(ids, ids) for _ in range(2) if generator.manual_seed(7)]
    assert torch.equal(*answers)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_in_half_the_bits_the_gradient_points_the_same_way_and_the_embeddings_keep_theirs(cell):
    model, ids = recurrent(cell=cell, d_model=38, p_drop=0.0), pieces(7, 2, 5, 11, 13)
    batch = Batch(ids, begun(ids), ids)
    full, half = (Replica(model, TrainingConfig(precision=kind)) for kind in ("float32", "bfloat16"))
    kinds = {name: weight.dtype for name, weight in half.model.named_parameters()}
    assert {name for name, kind in kinds.items() if kind == torch.float32} == {"source_embedding.pieces.weight"}
    exact, rounded = full.gradient(batch, (1,)), half.gradient(batch, (1,))
    assert rounded.log_loss == pytest.approx(exact.log_loss, rel=0.01)
    assert rounded.log_loss != exact.log_loss
    split = Flat(model).split
    for name, one, other in zip(kinds, split(exact.weights), split(rounded.weights), strict=True):
        assert torch.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.99, name


def test_an_rnn_has_no_positions_and_its_encoder_still_knows_the_order():
    model, source = recurrent(), pieces(7)
    order = torch.tensor([4, 0, 6, 2, 5, 1, 3])
    assert model.source_embedding.kind == "none"
    with torch.no_grad():
        states, reordered = model.encode(source).states, model.encode(source[:, order]).states
    assert not torch.allclose(reordered, states[:, order], atol=1e-3)
