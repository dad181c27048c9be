"""The RNN that the Transformer replaced: "Neural machine translation by jointly learning to align and translate".

Sections are those of that paper (Bahdanau, Cho and Bengio, 2015), and so are the letters: s_i the decoder's state when
it writes piece i, h_j the encoder's annotation of source piece j, e_ij and alpha_ij a score and a weight, c_i the
context.

Axes beside those of `regard.model.attention`:

    annotation    2 d_model, the width of an annotation: both directions
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from regard.config import ModelConfig
from regard.model.attention import Tap
from regard.model.encoder_decoder import EncoderDecoder
from regard.model.layers import Dropout

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM}

Hidden = tuple[Float[Tensor, "1 batch model"], ...]  # what a layer remembers: a GRU s, an LSTM s and its cell


def recurrent_layer(config: ModelConfig, inputs: int, bidirectional: bool = False) -> nn.RNNBase:
    """One layer of cells (section A.1.1), d_model wide in each direction.

    The recurrent matrices begin orthogonal (section B.1), the others as all of the model's, biases at 0; an LSTM's
    forget gate at 1, so that it begins by remembering (Jozefowicz et al., 2015).
    """
    width = config.d_model
    layer = CELLS[config.cell](inputs, width, batch_first=True, bidirectional=bidirectional)
    for name, weight in layer.named_parameters():
        if name.startswith("weight"):
            begin = nn.init.orthogonal_ if "_hh_" in name else nn.init.xavier_uniform_
            for gate in weight.detach().split(width):
                begin(gate)
        else:
            nn.init.zeros_(weight)
            if config.cell == "lstm" and "_ih_" in name:
                nn.init.ones_(weight.detach()[width : 2 * width])
    return layer


def run(
    layer: nn.RNNBase, x: Float[Tensor, "batch position width"], before: Hidden
) -> tuple[Float[Tensor, "batch position model"], Hidden]:
    """A layer reads these positions, one after the other; its state at each, and what it remembers after the last."""
    states, after = layer(x, before if len(before) > 1 else before[0])
    return states, after if isinstance(after, tuple) else (after,)


class RecurrentEncoder(nn.Module):
    """h_j = [forward h_j; backward h_j] (section 3.2): each piece, read in the light of those before and behind it.

    A layer above the first reads the annotations of the one below. Dropout is on what passes between layers, never
    from one position to the next (Zaremba et al., 2014).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        widths = [config.d_model, *[2 * config.d_model] * (config.n_encoder_layers - 1)]
        self.layers = cast(
            Sequence[nn.RNNBase],
            nn.ModuleList(recurrent_layer(config, width, bidirectional=True) for width in widths),
        )
        self.dropout = Dropout(config.p_drop)
        self.output = Tap()

    def forward(
        self, x: Float[Tensor, "batch source model"], mask: Bool[Tensor, "batch source"]
    ) -> Float[Tensor, "batch source annotation"]:
        """N pieces are N steps, one after the other. Padding is not read; its annotations are 0."""
        lengths = mask.sum(dim=1).cpu()
        for layer in self.layers:
            packed, _ = layer(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
            x = self.dropout(pad_packed_sequence(packed, batch_first=True, total_length=mask.shape[1])[0])
        return self.output(x)


class Offered(NamedTuple):
    """What the source offers to the decoder."""

    annotations: Float[Tensor, "batch source annotation"]
    keys: Float[Tensor, "batch source d_k"]  # U_a h_j; without attention, of width 0
    mask: Bool[Tensor, "batch source"]
    summary: Float[Tensor, "batch annotation"]  # both ends of the encoder's reading: last forward, first backward

    def select(self, rows: Int[Tensor, " n"]) -> "Offered":
        """The sentences `rows`, in that order."""
        return Offered(*(part.index_select(0, rows) for part in self))


class Aligned(NamedTuple):
    """Where the decoder looks before it reads a piece, and what it finds there."""

    weights: Float[Tensor, "batch source"]  # alpha_ij
    context: Float[Tensor, "batch annotation"]  # c_i


class AdditiveAttention(nn.Module):
    """e_ij = v_a . tanh(W_a s_(i-1) + U_a h_j); alpha_ij = softmax_j e_ij, c_i = sum_j alpha_ij h_j (section 3.1).

    Taps: `row` passes the weights of one target position (batch 1 1 source) as they are made, and is the place to
    change them; `weights` then passes those of all positions that were read together (batch 1 target source), in the
    axes of the Transformer's, to be watched alone.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d_k = config.d_k or config.d_model
        self.w_a = nn.Linear(config.d_model, d_k, bias=False)
        self.u_a = nn.Linear(2 * config.d_model, d_k, bias=False)
        self.v_a = nn.Linear(d_k, 1, bias=False)
        self.row, self.weights = Tap(), Tap()

    def forward(self, s: Float[Tensor, "batch model"], source: Offered) -> Aligned:
        """The decoder in state s_(i-1) looks at the source."""
        scores = self.v_a(torch.tanh(self.w_a(s)[:, None] + source.keys))[..., 0]
        weights = scores.masked_fill(~source.mask, -torch.inf).softmax(dim=-1)
        weights = self.row(weights[:, None, None])[:, 0]
        return Aligned(weights[:, 0], (weights @ source.annotations)[:, 0])


class RecurrentState(NamedTuple):
    """A decoder in the middle of its sentences."""

    hidden: list[Hidden]  # one a layer
    source: Offered
    length: int  # pieces read

    def select(self, rows: Int[Tensor, " n"]) -> "RecurrentState":
        """The state of the sentences `rows`, in that order; a row may come twice, or not at all."""
        hidden = [tuple(part.index_select(1, rows) for part in layer) for layer in self.hidden]
        return RecurrentState(hidden, self.source.select(rows), self.length)


class _Read(NamedTuple):
    """What the first layer makes of the positions that it reads."""

    s: Float[Tensor, "batch target model"]
    context: Float[Tensor, "batch target annotation"]
    hidden: Hidden


class RecurrentDecoder(nn.Module):
    """s_i = f(s_(i-1), y_(i-1), c_i) (section 3.1); what the output layer reads is a maxout of s_i, y_(i-1) and c_i.

    Without attention, c is the same at every step: both ends of what the encoder read, so that one vector holds the
    whole sentence (Cho et al., 2014). Departures: the maxout reads s_i where section A.2.2 has s_(i-1); it is as wide
    as the embeddings, so that these can be the output layer; a layer above the first reads the states of the one below.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d, annotation, n = config.d_model, 2 * config.d_model, config.n_decoder_layers
        self.lstm = config.cell == "lstm"
        self.attention = AdditiveAttention(config) if config.attention else None
        self.begin = nn.Linear(d if config.attention else annotation, n * d)  # W_s
        inputs = [d + annotation, *[d] * (n - 1)]
        self.layers = cast(Sequence[nn.RNNBase], nn.ModuleList(recurrent_layer(config, width) for width in inputs))
        self.maxout = nn.Linear(d + d + annotation, 2 * d)  # U_o, V_o and C_o side by side
        self.dropout = Dropout(config.p_drop)
        self.context, self.output = Tap(), Tap()

    def forward(
        self,
        y: Float[Tensor, "batch target model"],
        memory: Float[Tensor, "batch source annotation"],
        memory_mask: Bool[Tensor, "batch source"],
    ) -> Float[Tensor, "batch target model"]:
        """Teacher forcing: one position after the other, for each state waits for the one before it."""
        return self._read(y, self.start(memory, memory_mask))[0]

    def start(
        self, memory: Float[Tensor, "batch source annotation"], memory_mask: Bool[Tensor, "batch source"]
    ) -> RecurrentState:
        """s_0 = tanh(W_s h_1), of the backward reading (section A.2.2); without attention, of both ends.

        Each layer has a W_s of its own. An LSTM's cell begins at 0.
        """
        width = memory.shape[2] // 2
        last = memory_mask.sum(dim=1) - 1
        ends = memory[torch.arange(len(memory), device=memory.device), last, :width], memory[:, 0, width:]
        summary = torch.cat(ends, dim=-1)
        keys = memory[..., :0] if self.attention is None else self.attention.u_a(memory)
        began = torch.tanh(self.begin(summary if self.attention is None else ends[1])).chunk(len(self.layers), dim=-1)
        first = [s[None].contiguous() for s in began]
        hidden: list[Hidden] = [(s, torch.zeros_like(s)) if self.lstm else (s,) for s in first]
        return RecurrentState(hidden, Offered(memory, keys, memory_mask, summary), 0)

    def step(
        self, y: Float[Tensor, "batch 1 model"], state: RecurrentState
    ) -> tuple[Float[Tensor, "batch 1 model"], RecurrentState]:
        """`forward` for the one next piece."""
        return self._read(y, state)

    def _read(
        self, y: Float[Tensor, "batch target model"], state: RecurrentState
    ) -> tuple[Float[Tensor, "batch target model"], RecurrentState]:
        """Goes on from this state over the pieces y."""
        s, context, first = self._summarised(y, state) if self.attention is None else self._aligned(y, state)
        hidden = [first]
        for layer, before in zip(self.layers[1:], state.hidden[1:], strict=True):
            s, after = run(layer, self.dropout(s), before)
            hidden.append(after)
        pairs = self.maxout(torch.cat([s, y, self.context(context)], dim=-1)).unflatten(-1, (-1, 2))
        x = self.output(self.dropout(pairs.amax(dim=-1)))
        return x, RecurrentState(hidden, state.source, state.length + y.shape[1])

    def _aligned(self, y: Float[Tensor, "batch target model"], state: RecurrentState) -> _Read:
        """Looks, then reads, at each position."""
        attend = cast(AdditiveAttention, self.attention)
        hidden, states, looked = state.hidden[0], list[Tensor](), list[Aligned]()
        for piece in y.split(1, dim=1):
            looked.append(attend(hidden[0][0], state.source))
            s, hidden = run(self.layers[0], torch.cat([piece, looked[-1].context[:, None]], dim=-1), hidden)
            states.append(s)
        weights, contexts = (torch.stack(parts, dim=1) for parts in zip(*looked, strict=True))
        attend.weights(weights[:, None])
        return _Read(torch.cat(states, dim=1), contexts, hidden)

    def _summarised(self, y: Float[Tensor, "batch target model"], state: RecurrentState) -> _Read:
        """Every position reads the same summary of the source."""
        context = state.source.summary[:, None].expand(-1, y.shape[1], -1)
        s, hidden = run(self.layers[0], torch.cat([y, context], dim=-1), state.hidden[0])
        return _Read(s, context, hidden)


class Recurrent(EncoderDecoder):
    """A bidirectional RNN that reads and an RNN that writes, with or without attention between them.

    It knows the order of the words by walking through them, so it takes no positions. Of the settings of a model it
    reads architecture, cell, attention, n_encoder_layers, n_decoder_layers, d_model, d_k (the width in which states
    and annotations meet; None: d_model), p_drop and tie.
    """

    encoder: RecurrentEncoder
    decoder: RecurrentDecoder

    def __init__(self, config: ModelConfig, source_vocabulary: int, target_vocabulary: int, joint: bool = True) -> None:
        super().__init__(dataclasses.replace(config, positions="none"), source_vocabulary, target_vocabulary)
        self.encoder = RecurrentEncoder(config)
        self.decoder = RecurrentDecoder(config)
        self.complete(joint)
