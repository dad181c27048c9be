"""One update after the other: the batch, Adam, clipping, the running average, and all of it on disk."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from regard.config import ModelConfig, TrainingConfig
from regard.errors import InputError
from regard.model.transformer import Transformer
from regard.text.store import Encoded, Ragged
from regard.training.learner import Learner, Standing
from regard.training.replica import Batch, batch_loss, make_batch
from regard.weights import weights_of

VOCAB, RATE = 37, 1e-3
CPU = torch.device("cpu")


def ragged(*rows):
    return Ragged(np.concatenate([*rows]).astype(np.uint16), np.cumsum([0, *map(len, rows)]))


def learner(p_drop=0.0, **training):
    torch.manual_seed(1)
    sizes = dict(n_encoder_layers=1, n_decoder_layers=1, d_model=14, d_ff=11, n_heads=2, norm="pre")
    model = Transformer(ModelConfig(**sizes, p_drop=p_drop), VOCAB, VOCAB)
    return Learner(model, TrainingConfig(**training), CPU)


def batch(*lengths, seed=1):
    """Pairs whose sides have these lengths."""
    draw = np.random.default_rng(seed)
    rows = [draw.integers(4, VOCAB, length) for length in lengths]
    return make_batch(Encoded(ragged(*rows), ragged(*rows[::-1])), np.arange(len(rows)), CPU)


def gradients(learner, *batches):
    """Those of the mean loss of a piece, and none left behind."""
    model, tokens = learner.model.train(), sum(one.tokens for one in batches)
    loss = sum(batch_loss(model, one, learner.config.label_smoothing).smoothed for one in batches) / tokens
    return dict(zip(weights_of(model), torch.autograd.grad(loss, list(model.parameters())), strict=True))


def moments(learner, kind):
    """Adam's first ("exp_avg") or second moment of each weight, by name."""
    state = learner.optimizer.state[learner.weights.vector]
    return dict(zip(weights_of(learner.model), learner.weights.split(state[kind]), strict=True))


def copied(tensors):
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_batch_reads_the_start_and_the_words_and_writes_the_words_and_the_end():
    pairs = Encoded(ragged([5, 7, 3], [11, 3], [13, 3]), ragged([17, 3], [19, 23, 29, 3], [31, 3]))
    got = make_batch(pairs, np.array([1, 0]), CPU)
    assert got.source.tolist() == [[11, 3, 0], [5, 7, 3]]
    assert got.target_in.tolist() == [[2, 19, 23, 29], [2, 17, 3, 0]]
    assert got.target_out.tolist() == [[19, 23, 29, 3], [17, 3, 0, 0]]
    assert got.tokens == 6


def test_the_loss_counts_no_padding_and_is_pytorchs():
    taught, one = learner(label_smoothing=0.1), batch(7, 2, 5)
    logits = taught.model(one.source, one.target_in).mT
    loss = batch_loss(taught.model, one, 0.1)
    for got, smoothing in ((loss.smoothed, 0.1), (loss.log_loss, 0.0)):
        expected = cross_entropy(logits, one.target_out, ignore_index=0, label_smoothing=smoothing, reduction="sum")
        torch.testing.assert_close(got, expected)


def test_an_update_tells_minus_log_p_of_a_piece_before_it():
    taught, batches = learner(label_smoothing=0.3), [batch(7, 2, 5), batch(3)]
    total = sum(batch_loss(taught.model, one, 0.3).log_loss.item() for one in batches)
    assert taught.update(batches, RATE) == pytest.approx(total / 17, rel=1e-5)
    assert taught.standing.update == 1


def test_the_first_update_moves_each_weight_by_the_rate_against_its_gradient():
    """Adam: m / sqrt(v) is the gradient's sign, where there has been but one."""
    taught, one = learner(clip=0.0), batch(7, 2, 5)
    gradient, before = gradients(taught, one), copied(weights_of(taught.model))
    taught.update([one], RATE)
    for name, weight in weights_of(taught.model).items():
        felt = gradient[name].abs() > 1e-5
        torch.testing.assert_close(
            (weight - before[name])[felt], -RATE * gradient[name].sign()[felt], rtol=1e-3, atol=0
        )
        torch.testing.assert_close(moments(taught, "exp_avg")[name], 0.1 * gradient[name])  # beta_1 = 0.9
        torch.testing.assert_close(moments(taught, "exp_avg_sq")[name], 0.02 * gradient[name] ** 2)  # beta_2 = 0.98


@pytest.mark.parametrize("clip", [0.01, 1e6])
def test_a_gradient_that_is_too_long_is_shortened_and_no_other(clip):
    taught, one = learner(clip=clip), batch(7, 2, 5)
    length = torch.cat([gradient.flatten() for gradient in gradients(taught, one).values()]).norm().item()
    taught.update([one], RATE)
    moved = torch.cat([moment.flatten() for moment in moments(taught, "exp_avg").values()])
    assert 10 * moved.norm().item() == pytest.approx(min(length, clip), rel=1e-3)


def test_a_batch_in_two_unlike_parts_is_the_same_update_as_the_whole():
    """They write 3 pieces and 7, so a mean of the parts' means would be another one.

    Where the gradient is nothing but rounding, Adam makes it as large as the rate: there is nothing to compare.
    """
    whole, parts = learner(), learner()
    one = batch(7, 2, 1)
    cut = [Batch(*(side[rows] for side in one)) for rows in (slice(0, 2), slice(2, 3))]
    assert [part.tokens for part in cut] == [3, 7]
    for _ in range(3):
        assert whole.update([one], RATE) == pytest.approx(parts.update(cut, RATE), rel=1e-4)
    for name, moment in moments(whole, "exp_avg").items():
        felt = moment.abs() > 1e-6  # of the others, Adam makes noise as large as the rate
        mine, other = (weights_of(taught.model)[name][felt] for taught in (whole, parts))
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-4)


def test_the_running_average_follows_the_weights():
    """Its decay is at most 2/11 after the first update, 3/12 after the second, and never above 0.2 here."""
    taught, one = learner(ema=0.2), batch(7, 2, 5)
    expected = copied(weights_of(taught.model))
    for decay in (2 / 11, 0.2, 0.2):
        taught.update([one], RATE)
        for name, weight in weights_of(taught.model).items():
            expected[name] = decay * expected[name] + (1 - decay) * weight.detach()
    for name, weight in weights_of(taught.result).items():
        torch.testing.assert_close(weight, expected[name])
    assert taught.result is taught.average is not taught.model
    assert taught.average.output.weight is taught.average.source_embedding.pieces.weight


def test_without_an_average_the_model_itself_is_the_result():
    taught = learner(ema=0.0)
    assert taught.result is taught.model


def test_the_dropout_of_an_update_follows_from_its_seed_and_number_alone():
    """Whatever else is drawn between two updates."""
    one, results = batch(7, 2, 5), []
    for seed, disturbed in ((3, False), (3, True), (5, False)):
        taught = learner(p_drop=0.5, seed=seed)
        for _ in range(2):
            if disturbed:
                torch.rand(7)
                taught.model.eval()
            taught.update([one], RATE)
        results.append(copied(weights_of(taught.model)))
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_two_updates_drop_different_numbers():
    taught, one = learner(p_drop=0.5), batch(7, 2, 5)
    assert taught.update([one], 0.0) != taught.update([one], 0.0)


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("updates", [0, 1, 3])
def test_who_is_saved_and_loaded_goes_on_bit_by_bit_the_same(tmp_path, updates, ema):
    straight, batches = learner(p_drop=0.3, ema=ema), [batch(7, 2, 5), batch(3, seed=2)]
    for _ in range(updates):
        straight.update(batches, RATE)
    far = dict(epoch=5, position=7, seconds=1.1, stale=2, best=[(0.1, 3)])
    straight.standing = dataclasses.replace(straight.standing, **far)
    straight.save(tmp_path / "last")
    resumed = learner(p_drop=0.3, ema=ema)
    with torch.no_grad():
        for weight in resumed.model.parameters():
            weight += 1
    resumed.load(tmp_path / "last")
    assert resumed.standing == Standing(updates, **far)
    for _ in range(2):
        assert straight.update(batches, RATE) == resumed.update(batches, RATE)
    assert same(weights_of(straight.model), weights_of(resumed.model))
    assert same(weights_of(straight.result), weights_of(resumed.result))
    for kind in ("exp_avg", "exp_avg_sq"):
        assert same(moments(straight, kind), moments(resumed, kind))


def test_a_standing_of_another_model_is_refused(tmp_path):
    learner().save(tmp_path / "last")
    other = Learner(Transformer(ModelConfig(d_model=14, n_heads=2), VOCAB, VOCAB), TrainingConfig(), CPU)
    with pytest.raises(InputError, match="lacks weight 'decoder"):
        other.load(tmp_path / "last")


def test_half_precision_learns_nearly_the_same():
    full, half = learner(precision="float32"), learner(precision="bfloat16")
    one = batch(7, 2, 5)
    losses = [[taught.update([one], 3e-2) for _ in range(5)] for taught in (full, half)]
    assert losses[1] == pytest.approx(losses[0], rel=0.03)
    assert losses[1] != losses[0]
    assert losses[0][-1] < losses[0][0] - 0.5
    assert {weight.dtype for weight in half.model.parameters()} == {torch.float32}


def test_the_gradients_are_gone_after_an_update():
    taught = learner()
    taught.update([batch(7, 2, 5)], RATE)
    assert all(weight.grad is None for weight in taught.model.parameters())
