"""Looking: a translation, and one forced pass over it with an ear at every tap."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from regard.config import BOS, DecodingConfig
from regard.decoding.beam import Growth, beam_tree
from regard.decoding.pytorch import longest_targets
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.listening import listening
from regard.looking.trace import KINDS, Attention, FeedForwardBlock, Kind, ModelFacts, Node, State, Trace
from regard.looking.words import words_of
from regard.model.attention import MultiHeadAttention
from regard.model.layers import Residual
from regard.model.transformer import Transformer
from regard.text.tokenizer import Vocabulary

TAPS = ("q", "k", "v", "scores", "scaled", "weights", "context")  # of an attention
ALTERNATIVES = 6  # most probable pieces that are kept for each place


@torch.inference_mode()
def look(
    translator: Translator, source: str, target: str | None, *, direction: str | None, config: DecodingConfig
) -> Trace:
    """The trace of a translation: of the one that the beam search finds, or of `target`, if it is given.

    Raises InputError where the source is empty, or longer than the model reads at once.
    """
    ids = source_ids(translator, source, direction)
    if translator.transformer.training:
        translator.transformer.eval()
    found = _searched(translator, ids, config) if target is None else _given(translator, target)
    return _trace(
        translator,
        found,
        text=source,
        source_ids=ids,
        forced=target is not None,
        direction=direction,
        decoding=dataclasses.asdict(config),
    )


class _Found(NamedTuple):
    """The target to look at, and the search that found it."""

    text: str
    ids: list[int]
    beam: list[Node]


def source_ids(translator: Translator, source: str, direction: str | None) -> list[int]:
    """A sentence as the model reads it. Raises InputError where it is empty, or longer than it reads at once."""
    if not source.strip():
        raise InputError("There is nothing to look at: the source is empty. Give a sentence.")
    ids = translator.tokenizer.encode_source(source, direction)
    most = translator.config.text.max_length
    if len(ids) > most + 2:
        raise InputError(
            f"The source has {len(ids)} pieces, and this model reads {most} at once; a longer line is translated part "
            f"by part. Look at one sentence of it."
        )
    return ids


def _given(translator: Translator, target: str) -> _Found:
    return _Found(target, translator.tokenizer.encode_target(target), [])


def _searched(translator: Translator, ids: list[int], config: DecodingConfig) -> _Found:
    model, words = translator.transformer, translator.tokenizer.target
    source = torch.tensor([ids], device=model.output.weight.device)
    limits = longest_targets(torch.tensor([len(ids)], device=source.device), config)
    state = model.start(model.encode(source))
    found = beam_tree(model, state, batch=1, config=config, max_lengths=limits)
    best = found.hypotheses[0][0].ids
    return _Found(words.decode(best), best, _nodes(found.tree, words, best))


def _nodes(tree: list[Growth], vocabulary: Vocabulary, best: list[int]) -> list[Node]:
    """The candidates of the search for one sentence, numbered anew without those that there are not."""
    number, nodes, ids = {-1: -1}, list[Node](), list[int]()
    for growth in tree:
        columns = (growth.node, growth.parent, growth.piece, growth.log_prob, growth.total, growth.ended, growth.kept)
        for node, parent, piece, log_prob, total, ended, kept in zip(*(c[0].tolist() for c in columns), strict=True):
            if total > -torch.inf:
                number[node] = len(nodes)
                state: State = "ended" if ended else "kept" if kept else "discarded"
                ids.append(piece)
                nodes.append(Node(number[parent], vocabulary.pieces([piece])[0], log_prob, total, state, False))
    return _with_path(nodes, ids, best)


def _with_path(nodes: list[Node], ids: list[int], best: list[int]) -> list[Node]:
    """The nodes, those on the way to the translation marked."""
    place = -1
    for piece in best:
        place = next(at for at, node in enumerate(nodes) if node.parent == place and ids[at] == piece)
        nodes[place] = nodes[place]._replace(chosen=True)
    return nodes


class _Heard(NamedTuple):
    """What was heard at every tap while the model read one pair, a batch of one, and the model."""

    model: Transformer
    values: dict[str, Tensor]
    log_probs: Float[Tensor, "target vocab"]

    def array(self, name: str) -> Any:
        """The value of a tap, of the one sentence."""
        return _array(self.values[name][0])


def _heard(model: Transformer, source: list[int], target: list[int]) -> _Heard:
    """One forced pass."""
    device = model.output.weight.device
    read = [BOS, *target[:-1]]
    with listening(model, lambda name: not name.endswith("feed_forward.hidden")) as values:
        logits = model(torch.tensor([source], device=device), torch.tensor([read], device=device))
    return _Heard(model, values, logits[0].float().log_softmax(dim=-1))


class _Sublayer(NamedTuple):
    """Where one block stands: its tap names, and the tap whose value is the residual stream before it."""

    layer: int
    name: str
    add: str
    before: str


def _encoder_blocks(heard: _Heard) -> Iterator[Attention | FeedForwardBlock]:
    before = "source_embedding.output"
    for number, layer in enumerate(heard.model.encoder.layers):
        where = f"encoder.layers.{number}"
        place = _Sublayer(number, f"{where}.self_attention", f"{where}.add_norm_1", before)
        yield _attention(heard, "encoder", place, (layer.self_attention, layer.add_norm_1))
        place = _Sublayer(number, f"{where}.feed_forward", f"{where}.add_norm_2", f"{place.add}.output")
        yield _feed_forward(heard, "encoder", place)
        before = f"{place.add}.output"


def _decoder_blocks(heard: _Heard) -> Iterator[Attention | FeedForwardBlock]:
    before = "target_embedding.output"
    for number, layer in enumerate(heard.model.decoder.layers):
        where = f"decoder.layers.{number}"
        place = _Sublayer(number, f"{where}.self_attention", f"{where}.add_norm_1", before)
        yield _attention(heard, "decoder", place, (layer.self_attention, layer.add_norm_1))
        place = _Sublayer(number, f"{where}.cross_attention", f"{where}.add_norm_2", f"{place.add}.output")
        yield _attention(heard, "cross", place, (layer.cross_attention, layer.add_norm_2))
        place = _Sublayer(number, f"{where}.feed_forward", f"{where}.add_norm_3", f"{place.add}.output")
        yield _feed_forward(heard, "decoder", place)
        before = f"{place.add}.output"


def _attention(heard: _Heard, kind: Kind, place: _Sublayer, modules: tuple[MultiHeadAttention, Residual]) -> Attention:
    heads, add = modules
    taps = {name: heard.array(f"{place.name}.{name}") for name in TAPS}
    shape = taps["weights"].shape[1:]
    return Attention(
        kind=kind,
        layer=place.layer,
        **taps,
        mask=np.tri(*shape, dtype=bool) if kind == "decoder" else np.ones(shape, dtype=bool),
        w_o=_array(heads.w_o.weight.T.unflatten(0, (heads.n_heads, -1))),
        b_o=_array(heads.w_o.bias),
        x_in=heard.array(place.before),
        m_in=_array(_offered(heard, kind, place, add)),
        added=heard.array(f"{place.add}.added"),
        x_out=heard.array(f"{place.add}.output"),
        norm_weight=_array(add.norm.weight),
        norm_bias=_array(add.norm.bias),
    )


def _offered(heard: _Heard, kind: Kind, place: _Sublayer, add: Residual) -> Tensor:
    """What keys and values are made of: the encoder's output, or the stream, normed first in a pre-norm model."""
    if kind == "cross":
        return heard.values["encoder.output"][0]
    stream = heard.values[place.before]
    normed: Tensor = add.norm(stream) if add.pre else stream
    return normed[0]


def _feed_forward(heard: _Heard, stack: Literal["encoder", "decoder"], place: _Sublayer) -> FeedForwardBlock:
    return FeedForwardBlock(
        stack,
        place.layer,
        heard.array(place.before),
        heard.array(f"{place.add}.added"),
        heard.array(f"{place.add}.output"),
    )


def _array(value: Tensor) -> NDArray[np.float32]:
    """A copy that no later change of the model reaches."""
    array: NDArray[np.float32] = np.array(value.detach().float().cpu().numpy(), order="C")
    return array


def _trace(translator: Translator, found: _Found, **given: Any) -> Trace:
    words, heard = translator.tokenizer, _heard(translator.transformer, given["source_ids"], found.ids)
    blocks = [*_encoder_blocks(heard), *_decoder_blocks(heard)]
    attentions = [block for block in blocks if isinstance(block, Attention)]
    writes = words.target.pieces(found.ids)
    log_probs = heard.log_probs.gather(1, torch.tensor(found.ids, device=heard.log_probs.device)[:, None])[:, 0]
    return Trace(
        model=_facts(translator, given.pop("direction")),
        translation=found.text,
        source_pieces=words.source.pieces(given["source_ids"]),
        reads=[*words.target.pieces([BOS]), *writes[:-1]],
        writes=writes,
        target_ids=found.ids,
        source_words=words_of(given["source_ids"], words.source),
        target_words=words_of(found.ids, words.target),
        log_probs=log_probs.tolist(),
        alternatives=_alternatives(heard.log_probs, words.target),
        attentions=sorted(attentions, key=lambda block: KINDS.index(block.kind)),
        feed_forwards=[block for block in blocks if isinstance(block, FeedForwardBlock)],
        beam=found.beam,
        translator=translator,
        **given,
    )


def _alternatives(log_probs: Float[Tensor, "target vocab"], vocabulary: Vocabulary) -> list[list[tuple[str, float]]]:
    best = log_probs.topk(min(ALTERNATIVES, log_probs.shape[1]))
    rows = zip(best.indices.tolist(), best.values.exp().tolist(), strict=True)
    return [list(zip(vocabulary.pieces(ids), probabilities, strict=True)) for ids, probabilities in rows]


def _facts(translator: Translator, direction: str | None) -> ModelFacts:
    config, words = translator.config.model, translator.tokenizer
    return ModelFacts(
        name=translator.name,
        direction=direction,
        n_encoder_layers=config.n_encoder_layers,
        n_decoder_layers=config.n_decoder_layers,
        n_heads=config.n_heads,
        d_model=config.d_model,
        d_ff=config.d_ff,
        d_k=config.key_width,
        d_v=config.value_width,
        norm=config.norm,
        norm_epsilon=translator.transformer.decoder.layers[0].add_norm_1.norm.eps,
        activation=config.activation,
        positions=config.positions,
        parameters=sum(weight.numel() for weight in translator.transformer.parameters()),
        source_vocabulary=len(words.source),
        target_vocabulary=len(words.target),
    )
