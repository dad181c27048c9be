"""One pass of a model over sentence pairs, with what each attention block read, mixed and wrote: a batch at once.

Axes beside those of `regard.model.attention`:

    written    pieces that are written; row t is computed when piece t is read and piece t + 1 is chosen
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from regard.config import BOS, PAD
from regard.decoding.translator import Translator
from regard.looking.listening import listening
from regard.model.attention import MultiHeadAttention
from regard.model.encoder_decoder import EncoderDecoder
from regard.model.layers import Residual
from regard.model.transformer import Transformer
from regard.text.batching import pad

Kind = Literal["encoder", "decoder", "cross"]  # encoder self-attention, decoder self-attention, cross-attention


class Sentences(NamedTuple):
    """Pairs as ids, padded behind their ends. Row t of what is read makes piece t of what is written."""

    source: Int[Tensor, "batch source"]  # tag, pieces, end
    read: Int[Tensor, "batch written"]  # start, and the pieces before the last
    written: Int[Tensor, "batch written"]  # pieces, end

    def select(self, rows: Int[Tensor, " n"]) -> "Sentences":
        """These sentences, in that order; one may come twice."""
        return Sentences(self.source[rows], self.read[rows], self.written[rows])


class Block(NamedTuple):
    """What one attention block did, from its input to the sum that it leaves in the residual stream."""

    weights: Float[Tensor, "batch head query key"]
    v: Float[Tensor, "batch head key value"]
    w_o: Float[Tensor, "head value model"]  # the rows of W^O that belong to each head
    b_o: Float[Tensor, " model"]
    x_in: Float[Tensor, "batch query model"]  # the residual stream before
    x_out: Float[Tensor, "batch query model"]  # and after add & norm (post), or add (pre)
    norm: nn.LayerNorm | None  # of the sum, in a post-norm model
    kind: Kind


class Passed(NamedTuple):
    """Every block of one pass, by kind, from the bottom up, and what came out."""

    encoder: list[Block]
    decoder: list[Block]
    cross: list[Block]
    logits: Float[Tensor, "batch written vocab"]


def sentences(
    translator: Translator, source: Sequence[str], target: Sequence[str], *, direction: str | None = None
) -> Sentences:
    """Lines and their translations as the model reads and writes them."""
    known = translator.tokenizer.directions
    tokens, direction = translator.tokenizer, direction or (known[0] if known else None)
    sources = [tokens.encode_source(line, direction) for line in source]
    return as_sentences(translator.transformer, sources, [tokens.encode_target(line) for line in target])


def as_sentences(model: EncoderDecoder, sources: Sequence[list[int]], targets: Sequence[list[int]]) -> Sentences:
    """Ids of sources and of targets (each with its end, no start) as one batch on the model's device."""
    device = model.output.weight.device
    source, written = (torch.from_numpy(pad(side)).to(device) for side in (sources, targets))
    start = torch.full_like(written[:, :1], BOS)
    return Sentences(source, torch.cat([start, written[:, :-1]], dim=1), written)


@torch.no_grad()
def passed(model: Transformer, batch: Sentences) -> Passed:
    """The blocks of one forced pass over this batch."""
    model.eval()
    wanted = ("weights", "v", "output")
    with listening(model, lambda name: name.rpartition(".")[2] in wanted) as heard:
        logits = model(batch.source, batch.read)
    encoder, decoder, cross = [], [], []
    x = heard["source_embedding.output"]
    for number, layer in enumerate(model.encoder.layers):
        where = f"encoder.layers.{number}"
        encoder.append(_block(heard, where, layer.self_attention, layer.add_norm_1, (x, "encoder")))
        x = heard[f"{where}.add_norm_2.output"]
    x = heard["target_embedding.output"]
    for number, deep in enumerate(model.decoder.layers):
        where = f"decoder.layers.{number}"
        decoder.append(_block(heard, where, deep.self_attention, deep.add_norm_1, (x, "decoder")))
        cross.append(_block(heard, where, deep.cross_attention, deep.add_norm_2, (decoder[-1].x_out, "cross")))
        x = heard[f"{where}.add_norm_3.output"]
    return Passed(encoder, decoder, cross, logits)


def _block(
    heard: dict[str, Tensor], where: str, heads: MultiHeadAttention, add: Residual, given: tuple[Tensor, Kind]
) -> Block:
    x_in, kind = given
    name = f"{where}.{'cross' if kind == 'cross' else 'self'}_attention"
    output = heard[f"{where}.add_norm_{2 if kind == 'cross' else 1}.output"]
    w_o = heads.w_o.weight.detach().T.unflatten(0, (heads.n_heads, -1))
    norm = None if add.pre else add.norm
    return Block(heard[f"{name}.weights"], heard[f"{name}.v"], w_o, heads.w_o.bias.detach(), x_in, output, norm, kind)


def lengths(ids: Int[Tensor, "batch position"]) -> list[int]:
    """How many pieces each sentence has."""
    return [int(count) for count in (ids != PAD).sum(dim=1)]
