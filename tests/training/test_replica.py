"""Replicas: gradients of the same weights, side by side and in half the bits."""

import numpy as np
import pytest
import torch

from regard.config import ModelConfig, TrainingConfig
from regard.model.transformer import Transformer
from regard.text.store import Encoded, Ragged
from regard.training.flat import Flat
from regard.training.learner import Learner
from regard.training.replica import Replica, batch_loss, make_batch
from regard.weights import weights_of

VOCAB = 37
CPU = torch.device("cpu")


def model(p_drop=0.0, **changes):
    torch.manual_seed(1)
    sizes = dict(n_encoder_layers=1, n_decoder_layers=1, d_model=14, d_ff=11, n_heads=2, norm="pre")
    return Transformer(ModelConfig(**sizes | changes, p_drop=p_drop), VOCAB, VOCAB)


def batch(*lengths, seed=1):
    """Pairs whose sides have these lengths."""
    draw = np.random.default_rng(seed)
    rows = [draw.integers(4, VOCAB, length) for length in lengths]
    ragged = [Ragged(np.concatenate(side).astype(np.uint16), np.cumsum([0, *map(len, side)])) for side in (rows, rows)]
    return make_batch(Encoded(*ragged), np.arange(len(rows)), CPU)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("changes", [{}, {"tie": False}, {"positions": "learned"}])
def test_the_gradient_is_that_of_the_loss_at_the_weights_of_the_model(changes):
    whole, one = model(**changes), batch(7, 2, 5)
    got = Replica(whole, TrainingConfig(label_smoothing=0.1)).gradient(one, (1,))
    loss = batch_loss(whole, one, 0.1)
    expected = torch.autograd.grad(loss.smoothed, list(whole.parameters()))
    torch.testing.assert_close(got.weights, torch.cat([part.flatten() for part in expected]))
    assert got.log_loss == pytest.approx(loss.log_loss.item())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_replica_follows_its_model(precision):
    whole, one = model(), batch(7, 2, 5)
    replica = Replica(whole, TrainingConfig(precision=precision))
    before = replica.gradient(one, (1,))
    with torch.no_grad():
        for weight in whole.parameters():
            weight.mul_(0.5)
    after, fresh = replica.gradient(one, (1,)), Replica(whole, TrainingConfig(precision=precision)).gradient(one, (1,))
    assert after.log_loss == fresh.log_loss != before.log_loss
    assert torch.equal(after.weights, fresh.weights)


def test_in_half_the_bits_the_gradient_points_the_same_way():
    whole, one = model(d_model=38, d_ff=41), batch(7, 2, 5, 11, 13)
    full, half = (
        Replica(whole, TrainingConfig(precision=kind)).gradient(one, (1,)) for kind in ("float32", "bfloat16")
    )
    assert half.log_loss == pytest.approx(full.log_loss, rel=0.01)
    assert half.log_loss != full.log_loss
    assert half.weights.dtype == torch.float32
    parts = Flat(whole).split
    for name, exact, rounded in zip(weights_of(whole), parts(full.weights), parts(half.weights), strict=True):
        if not name.endswith("w_k.bias"):  # adds the same to every score of a query: its gradient is rounding alone
            assert torch.cosine_similarity(exact.flatten(), rounded.flatten(), dim=0) > 0.99, name


def test_embeddings_and_output_layer_are_the_models_own_in_half_the_bits():
    whole = model()
    replica = Replica(whole, TrainingConfig(precision="bfloat16"))
    dtypes = {name: weight.dtype for name, weight in weights_of(replica.model).items()}
    assert {name for name, dtype in dtypes.items() if dtype == torch.float32} == {"source_embedding.pieces.weight"}
    assert replica.model.output.weight.data_ptr() == whole.output.weight.data_ptr()


def test_dropout_follows_from_the_key_alone():
    one, replica = batch(7, 2, 5), Replica(model(p_drop=0.5), TrainingConfig())
    losses = [replica.gradient(one, key).log_loss for key in ((1, 2, 3), (1, 2, 5), (1, 2, 3))]
    assert losses[0] == losses[2] != losses[1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_two_cores_side_by_side_learn_bit_by_bit_what_one_learns(two_threads, precision):
    """Batches of unlike size, more than there are replicas, and dropout on."""
    batches = [batch(7, 2, 5), batch(3), batch(2, 11, 3, seed=2), batch(13, 5, seed=3), batch(1, 1, seed=5)]
    config = TrainingConfig(accumulate=5, precision=precision)
    abreast = Learner(model(p_drop=0.3), config, CPU)
    torch.set_num_threads(1)
    alone = Learner(model(p_drop=0.3), config, CPU)
    assert (len(abreast.replicas), len(alone.replicas)) == (2, 1)
    for _ in range(3):
        torch.set_num_threads(2)
        mine = abreast.update(batches, 1e-3)
        torch.set_num_threads(1)
        assert mine == alone.update(batches, 1e-3)
    for one, other in zip(abreast.model.parameters(), alone.model.parameters(), strict=True):
        assert torch.equal(one, other)
