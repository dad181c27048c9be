"""What the logit of a written piece would gain or lose with each piece read: gradient x input, integrated gradients.

One position of each sentence is asked about, so that a whole sentence is explained by a batch of its copies. With
`instead`, the question is contrastive: why this piece and not that one (Yin and Neubig, 2022).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regard.config import PAD
from regard.looking.blocks import Sentences
from regard.looking.listening import changing
from regard.looking.rollout import Sides
from regard.model.encoder_decoder import Memory
from regard.model.layers import Embedding
from regard.model.transformer import Transformer


def logit(
    model: Transformer, batch: Sentences, at: Int[Tensor, " batch"], instead: Int[Tensor, " batch"] | None = None
) -> Float[Tensor, " batch"]:
    """The logit of the piece y written at position `at` of each sentence; with `instead`, logit y - logit y'."""
    rows = torch.arange(len(at), device=at.device)
    memory: Memory = model.encode(batch.source)
    decoded = model.decode(memory, batch.read)[rows, at]
    weight = model.output.weight
    wanted = weight[batch.written[rows, at]]
    return (decoded * (wanted if instead is None else wanted - weight[instead])).sum(dim=-1)


def gradient_x_input(
    model: Transformer, batch: Sentences, at: Int[Tensor, " batch"], instead: Int[Tensor, " batch"] | None = None
) -> Sides:
    """d(logit y - logit y')/dx . x, with x the vector of a piece and its position: to first order, what it is worth.

    One row a sentence: (batch 1 source) and (batch 1 read).
    """
    x, m = _vectors(model, batch)
    source, prefix = _gradients(model, batch, (x, m), (at, instead))
    return _rows(batch, (source * x).sum(dim=-1), (prefix * m).sum(dim=-1))


def integrated_gradients(
    model: Transformer,
    batch: Sentences,
    at: Int[Tensor, " batch"],
    instead: Int[Tensor, " batch"] | None = None,
    *,
    steps: int = 32,
) -> Sides:
    """(x - x0) . mean over a of the gradient at x0 + a (x - x0), a = ½, 1½, ... of `steps` (Sundararajan et al., 2017).

    x0 keeps the positions and has zero for every piece's vector. The sum over all pieces tends, with the steps, to
    the difference of logits between the sentence and x0.
    """
    inputs, starts = _vectors(model, batch), _positions(model, batch)
    totals = [torch.zeros_like(vectors) for vectors in inputs]
    for step in range(steps):
        share = (step + 0.5) / steps
        between = [start + share * (x - start) for x, start in zip(inputs, starts, strict=True)]
        for total, gradient in zip(totals, _gradients(model, batch, between, (at, instead)), strict=True):
            total += gradient / steps
    worth = [((x - start) * total).sum(dim=-1) for x, start, total in zip(inputs, starts, totals, strict=True)]
    return _rows(batch, *worth)


@contextmanager
def reading(model: Transformer, source: Tensor, prefix: Tensor) -> Iterator[None]:
    """The model reads these vectors, whatever the ids say."""
    x, m = model.source_embedding.output, model.target_embedding.output
    with changing(x, lambda _: source), changing(m, lambda _: prefix):
        yield


def _vectors(model: Transformer, batch: Sentences) -> tuple[Tensor, Tensor]:
    model.eval()
    with torch.no_grad():
        return model.source_embedding(batch.source), model.target_embedding(batch.read)


@torch.no_grad()
def _positions(model: Transformer, batch: Sentences) -> tuple[Tensor, Tensor]:
    """What is read where every piece's vector is zero."""

    def bare(embedding: Embedding, ids: Tensor) -> Tensor:
        return embedding(ids) - embedding.pieces(ids) * math.sqrt(embedding.pieces.embedding_dim)

    return bare(model.source_embedding, batch.source), bare(model.target_embedding, batch.read)


def _gradients(
    model: Transformer,
    batch: Sentences,
    vectors: tuple[Tensor, Tensor] | list[Tensor],
    asked: tuple[Tensor, Tensor | None],
) -> tuple[Tensor, ...]:
    source, prefix = (side.detach().requires_grad_() for side in vectors)
    with torch.enable_grad(), reading(model, source, prefix):
        total = logit(model, batch, *asked).sum()
        return torch.autograd.grad(total, [source, prefix])


def _rows(batch: Sentences, source: Tensor, prefix: Tensor) -> Sides:
    """One row a sentence, with zero where there is padding."""
    source = source.masked_fill(batch.source == PAD, 0)
    return Sides(source[:, None], prefix.masked_fill(batch.read == PAD, 0)[:, None])
