"""The loss: cross-entropy with label smoothing (section 5.4), the output layer included."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

COLUMN = 512  # bytes of a piece's logits that exist at the same time in the fused loss: few enough for the cache


class Loss(NamedTuple):
    """Two sums over the target positions, in nats."""

    smoothed: Float[Tensor, ""]  # what is minimised
    log_loss: Float[Tensor, ""]  # -log p of the right pieces; exp of its mean is the perplexity


def plain_loss(
    decoded: Float[Tensor, "n model"], output: Float[Tensor, "vocab model"], target: Int[Tensor, " n"], smoothing: float
) -> Loss:
    """-sum_y q(y) log p(y), with q(y) = 1 - smoothing on the right piece and smoothing / vocab on every piece more."""
    log_p = F.linear(decoded, output).log_softmax(dim=-1)
    right = log_p.gather(1, target[:, None]).sum()
    return Loss(-(1 - smoothing) * right - smoothing * log_p.mean(dim=-1).sum(), -right)


def fused_loss(
    decoded: Float[Tensor, "n model"], output: Float[Tensor, "vocab model"], target: Int[Tensor, " n"], smoothing: float
) -> Loss:
    """`plain_loss`, made with its gradient in one pass over a few rows at a time: the logits are never kept.

    The products are made in the precision of `decoded`; what they add up to has that of `output`.
    """
    if not torch.is_grad_enabled():
        decoded, output = decoded.detach(), output.detach()
    return Loss(*_Fused.apply(decoded, output, target, smoothing))  # type: ignore[no-untyped-call]


class _Fused(torch.autograd.Function):
    """d loss / d logits = p - q, so both gradients follow from the softmax while it is at hand."""

    @staticmethod
    def forward(ctx: Any, decoded: Tensor, output: Tensor, target: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        words, mean_word, learning = output.to(decoded.dtype), output.mean(dim=0), any(ctx.needs_input_grad)
        d_decoded, d_output = (torch.empty_like(decoded), torch.zeros_like(output)) if learning else (None, None)
        smoothed, log_loss = output.new_zeros(()), output.new_zeros(())
        step = COLUMN // decoded.element_size()
        for start in range(0, len(target), step):
            rows, right = decoded[start : start + step], target[start : start + step, None]
            logits = F.linear(rows, words)
            right_logits = logits.gather(1, right).to(output)
            p = torch.softmax(logits, dim=-1, out=logits)
            log_p = p.gather(1, right).to(output).log()
            if not bool(log_p.isfinite().all()):  # so small a p that it is 0
                log_p = F.linear(rows, words).to(output).log_softmax(dim=-1).gather(1, right)
            log_loss -= log_p.sum()
            # log sum exp(logits) is right_logits - log_p, and the mean of -log p that less the mean logit
            smoothed += smoothing * (right_logits - rows.to(output) @ mean_word[:, None]).sum() - log_p.sum()
            if d_decoded is not None and d_output is not None:
                p.scatter_add_(1, right, right.new_full(right.shape, -1, dtype=p.dtype) * (1 - smoothing))
                torch.sub(p @ words, (smoothing * mean_word).to(rows), out=d_decoded[start : start + step])
                if p.dtype == d_output.dtype:
                    d_output.addmm_(p.t(), rows)
                else:
                    d_output += p.t() @ rows
        if d_output is not None:
            d_output -= (smoothing / len(output)) * decoded.sum(dim=0, dtype=output.dtype)
        ctx.save_for_backward(d_decoded, d_output)
        ctx.mark_non_differentiable(log_loss)
        return smoothed, log_loss

    @staticmethod
    def backward(ctx: Any, d_smoothed: Tensor, d_log_loss: Tensor) -> tuple[Tensor, Tensor, None, None]:
        d_decoded, d_output = ctx.saved_tensors
        return d_decoded * d_smoothed.to(d_decoded), d_output * d_smoothed, None, None
