"""One vector that weighs in the softmax as much as all the pieces that a shortlist leaves out."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from regard.config import BOS, PAD
from regard.interop.shortlist import Rest, left_out
from regard.model.encoder_decoder import EncoderDecoder
from regard.text.batching import pad
from regard.text.store import Encoded

PAIRS, BATCH = 1000, 8  # of the training, at whose targets the vector is fitted; at the same time
PLACES = 256  # whose logits are made at the same time
RIDGE = 1e-3  # of the mean variance of a number that the output layer reads


@torch.inference_mode()
def fit_rest(model: EncoderDecoder, encoded: Encoded, listed: NDArray[np.int64]) -> Rest:
    """v and b such that v · h + b is about log(sum exp(w · h)) over the output layer's rows w that are not listed.

    h is what the output layer reads before each piece of some training targets. Least squares: an error there shifts
    the logarithm of the softmax's denominator by as much, times the share that the pieces have in it, so each h weighs
    by the square of this share. A ridge (Hoerl and Kennard, 1970) holds v where layer norm leaves h no room to differ.
    """
    others = torch.from_numpy(left_out(listed, len(model.output.weight)))
    line = _Line(len(model.output.weight[0]))
    for h in _read(model, encoded):
        logits = h @ model.output.weight.T
        theirs = logits[:, others].logsumexp(dim=1)
        line.add(h, theirs, 2 * (theirs - logits.logsumexp(dim=1)))
    vector, bias = line.fit()
    return Rest(vector.float().numpy(), float(bias))


@torch.inference_mode()
def squares(model: EncoderDecoder, encoded: Encoded) -> NDArray[np.float64]:
    """Of each target piece, the sum of the squares of its probabilities at some training targets: how much there would
    be for the vector of the rest to err about, if it were left out."""
    total = np.zeros(len(model.output.weight))
    for h in _read(model, encoded):
        total += (h @ model.output.weight.T).softmax(dim=1).square().sum(dim=0).numpy()
    return total


def _read(model: EncoderDecoder, encoded: Encoded) -> Iterator[Float[Tensor, "n model"]]:
    """What the output layer reads of some rows, chosen by chance but always the same, at their targets' places."""
    rows = np.random.default_rng(1).permutation(len(encoded.source))[:PAIRS].tolist()
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        source = torch.from_numpy(pad([encoded.source[row] for row in some], PAD))
        target = torch.from_numpy(pad([np.append(BOS, encoded.target[row][:-1]) for row in some], PAD))
        yield from model.decode(model.encode(source), target)[target != PAD].split(PLACES)


class _Line:
    """Weighted least squares with a ridge, of points that come some at a time: only their sums are kept, in float64."""

    def __init__(self, width: int) -> None:
        self.sums = torch.zeros(width + 2, width + 2, dtype=torch.float64)  # of w z z^T, where z is x, y and 1

    def add(self, x: Float[Tensor, "n model"], y: Float[Tensor, " n"], log_weight: Float[Tensor, " n"]) -> None:
        """More points."""
        z = torch.cat([x, y[:, None], torch.ones_like(y)[:, None]], dim=1).double()
        self.sums += z.T @ (log_weight.double().exp()[:, None] * z)

    def fit(self) -> tuple[Float[Tensor, " model"], Float[Tensor, ""]]:
        """v and b of the least sum of weight * (x · v + b - y) ** 2, and of the ridge."""
        mean = self.sums[-1] / self.sums[-1, -1]
        spread = self.sums / self.sums[-1, -1] - torch.outer(mean, mean)  # covariances of x and y
        square = spread[:-2, :-2]
        ridge = RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
        v = torch.linalg.solve(square + ridge, spread[:-2, -2])
        return v, mean[-2] - mean[:-2] @ v
