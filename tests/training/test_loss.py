"""The loss: by hand, against PyTorch's, and the fused one against the plain one."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from regard.training.loss import COLUMN, fused_loss, plain_loss

VOCAB, D_MODEL = 31, 7
ROWS = COLUMN // 4  # at the same time, in float32; in float64 half as many
BOTH = pytest.mark.parametrize("loss", [plain_loss, fused_loss])


def inputs(rows, spread=1.0, dtype=torch.float64):
    """Decoded positions, an output layer and the right pieces."""
    decoded = (spread * torch.randn(rows, D_MODEL, dtype=dtype)).requires_grad_()
    return decoded, torch.randn(VOCAB, D_MODEL, dtype=dtype, requires_grad=True), torch.randint(VOCAB, (rows,))


@BOTH
def test_the_loss_of_one_word_among_three_is_the_one_done_by_hand(loss):
    """p = 1/8, 2/8, 5/8; the second is right; with smoothing 0.3, q = 0.1, 0.8, 0.1."""
    output = torch.tensor([[0.0], [math.log(2)], [math.log(5)]])
    got = loss(torch.ones(1, 1), output, torch.tensor([1]), 0.3)
    assert got.smoothed.item() == pytest.approx(0.1 * math.log(8) + 0.8 * math.log(4) + 0.1 * math.log(8 / 5))
    assert got.log_loss.item() == pytest.approx(math.log(4))


@BOTH
def test_the_gradient_by_the_logits_is_p_minus_q(loss):
    """The output layer is the identity, so that the decoded position is its own logits; p and q as above."""
    decoded = torch.tensor([[0.0, math.log(2), math.log(5)]], requires_grad=True)
    loss(decoded, torch.eye(3), torch.tensor([1]), 0.3).smoothed.backward()
    torch.testing.assert_close(decoded.grad, torch.tensor([[1 / 8 - 0.1, 2 / 8 - 0.8, 5 / 8 - 0.1]]))


@BOTH
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_the_loss_is_pytorchs(loss, smoothing):
    decoded, output, target = inputs(11)
    got, logits = loss(decoded, output, target, smoothing), decoded @ output.T
    expected = cross_entropy(logits, target, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(got.smoothed, expected)
    torch.testing.assert_close(got.log_loss, cross_entropy(logits, target, reduction="sum"))


@pytest.mark.parametrize("rows", [1, 13, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 11])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, {}), (torch.float32, dict(atol=1e-3, rtol=1e-4))])
def test_the_fused_loss_is_the_plain_one_in_value_and_gradient(rows, smoothing, dtype, close):
    decoded, output, target = inputs(rows, dtype=dtype)
    plain, fused = (loss(decoded, output, target, smoothing) for loss in (plain_loss, fused_loss))
    torch.testing.assert_close(tuple(fused), tuple(plain), **close)
    gradients = [torch.autograd.grad(7 * loss.smoothed, (decoded, output)) for loss in (fused, plain)]
    torch.testing.assert_close(*gradients, **close)


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
def test_who_wants_no_gradient_gets_the_same_loss_and_pays_for_none(monkeypatch, without):
    decoded, output, target = inputs(ROWS + 3)
    expected = fused_loss(decoded, output, target, 0.1)
    monkeypatch.setattr(torch.Tensor, "scatter_add_", None)  # the first step towards a gradient
    with without():
        torch.testing.assert_close(tuple(fused_loss(decoded, output, target, 0.1)), tuple(expected))
    with pytest.raises(TypeError):
        fused_loss(decoded, output, target, 0.1)


def test_the_gradient_of_the_fused_loss_is_that_of_finite_differences():
    decoded, output, target = inputs(5)
    assert torch.autograd.gradcheck(lambda *given: fused_loss(*given, target, 0.1).smoothed, (decoded, output))


def test_the_fused_loss_does_not_pretend_to_have_a_gradient_for_what_is_not_minimised():
    decoded, output, target = inputs(5)
    fused = fused_loss(decoded, output, target, 0.1)
    assert fused.smoothed.requires_grad
    assert not fused.log_loss.requires_grad


@BOTH
@pytest.mark.parametrize("logit", [-1e6, -200.0, 200.0, 1e6])
def test_logits_of_any_size_give_numbers(loss, logit):
    """Of two pieces, 0 and `logit` their scores, the first is right: -log p = log(1 + exp(logit))."""
    decoded, output = torch.tensor([[logit]], requires_grad=True), torch.tensor([[0.0], [1.0]], requires_grad=True)
    got = loss(decoded, output, torch.tensor([0]), 0.2)
    got.smoothed.backward()
    assert got.log_loss.item() == pytest.approx(max(logit, 0), abs=1e-6)
    assert got.smoothed.item() == pytest.approx(0.9 * max(logit, 0) + 0.1 * max(-logit, 0), rel=1e-6)
    second = float(logit > 0)  # its probability
    torch.testing.assert_close(decoded.grad, torch.tensor([[second - 0.1]]))
    torch.testing.assert_close(output.grad, torch.tensor([[(1 - second - 0.9) * logit], [(second - 0.1) * logit]]))


def test_many_rows_with_large_logits_are_as_in_the_plain_loss():
    decoded, output, target = inputs(ROWS + 7, spread=1e4)
    plain, fused = (loss(decoded, output, target, 0.1) for loss in (plain_loss, fused_loss))
    torch.testing.assert_close(tuple(fused), tuple(plain))
    torch.testing.assert_close(
        *(torch.autograd.grad(loss.smoothed, (decoded, output)) for loss in (fused, plain)), atol=1e-6, rtol=1e-7
    )


@BOTH
def test_the_loss_is_a_sum_over_the_rows(loss):
    decoded, output, target = inputs(ROWS + 7)
    whole = loss(decoded, output, target, 0.1)
    parts = [loss(decoded[cut], output, target[cut], 0.1) for cut in (slice(0, 17), slice(17, None))]
    torch.testing.assert_close(whole.smoothed, parts[0].smoothed + parts[1].smoothed)
    torch.testing.assert_close(whole.log_loss, parts[0].log_loss + parts[1].log_loss)


@BOTH
def test_the_loss_of_nothing_is_nothing(loss):
    assert [value.item() for value in loss(*inputs(0), 0.1)] == [0, 0]
