"""Which heads matter: by the gradient of a gate (Michel et al., 2019), by their confidence (Voita et al., 2019)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from regard.config import EOS, PAD
from regard.looking.blocks import Block, Kind, Passed, Sentences
from regard.looking.listening import changing
from regard.model.attention import MultiHeadAttention
from regard.model.transformer import Transformer


class HeadScore(NamedTuple):
    """A number for one head. Layers and heads count from 0."""

    kind: Kind
    layer: int
    head: int
    score: float


def attentions(model: Transformer) -> Iterator[tuple[Kind, int, MultiHeadAttention]]:
    """Every attention of the model: encoder, decoder, cross, each from the bottom up."""
    yield from (("encoder", number, layer.self_attention) for number, layer in enumerate(model.encoder.layers))
    yield from (("decoder", number, layer.self_attention) for number, layer in enumerate(model.decoder.layers))
    yield from (("cross", number, layer.cross_attention) for number, layer in enumerate(model.decoder.layers))


@contextmanager
def gated(model: Transformer, gates: list[Float[Tensor, "batch head"]]) -> Iterator[None]:
    """Each head's context is multiplied by its gate xi: 1 leaves it as it is, 0 switches it off."""
    with ExitStack() as stack:
        for gate, (_, _, heads) in zip(gates, attentions(model), strict=True):
            stack.enter_context(changing(heads.context, lambda context, xi=gate: context * xi[:, :, None, None]))  # type: ignore[misc]
        yield


def loss(model: Transformer, batch: Sentences) -> Float[Tensor, " batch"]:
    """-log p of each sentence's target, in nats."""
    logits = model(batch.source, batch.read)
    return F.cross_entropy(logits.transpose(1, 2), batch.written, ignore_index=PAD, reduction="none").sum(dim=1)


def gate_gradients(model: Transformer, batch: Sentences) -> list[Float[Tensor, "batch head"]]:
    """dL/dxi of each sentence and head, one matrix an attention, in the order of `attentions`."""
    model.eval()
    some = model.output.weight
    gates = [
        torch.ones(len(batch.source), heads.n_heads, dtype=some.dtype, device=some.device, requires_grad=True)
        for _, _, heads in attentions(model)
    ]
    with torch.enable_grad(), gated(model, gates):
        return list(torch.autograd.grad(loss(model, batch).sum(), gates))


def importance(model: Transformer, batch: Sentences) -> list[HeadScore]:
    """I_h = E_x |dL(x)/dxi_h|, with xi_h = 1 a gate on head h (Michel et al., 2019, section 4.1)."""
    places, found = attentions(model), gate_gradients(model, batch)
    return [
        HeadScore(kind, layer, head, float(score))
        for (kind, layer, _), gradients in zip(places, found, strict=True)
        for head, score in enumerate(gradients.abs().mean(dim=0))
    ]


def confidence(found: Passed, batch: Sentences) -> list[HeadScore]:
    """The mean over rows of the largest weight, end of sentence excluded (Voita et al., 2019, section 4).

    The end is left out on both sides: as what looks, and as what is looked at.
    """
    source = (batch.source != PAD) & (batch.source != EOS)
    target = (batch.written != PAD) & (batch.written != EOS)
    sides = {"encoder": (source, source), "decoder": (target, torch.ones_like(target)), "cross": (target, source)}
    blocks = [(number, block) for stack in found[:3] for number, block in enumerate(stack)]
    return [
        HeadScore(block.kind, layer, head, score)
        for layer, block in blocks
        for head, score in enumerate(_confident(block, *sides[block.kind]))
    ]


def _confident(block: Block, queries: Tensor, keys: Tensor) -> list[float]:
    highest = block.weights.masked_fill(~keys[:, None, None, :], 0).amax(dim=-1)
    scores: list[float] = ((highest * queries[:, None]).sum(dim=(0, 2)) / queries.sum()).tolist()
    return scores
