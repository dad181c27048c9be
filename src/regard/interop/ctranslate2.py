"""CTranslate2: our weights as one of its models, and that model as an engine that translates."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from regard.config import BOS, EOS, PAD, UNK, Config, DecodingConfig
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.sentences import Sentence, batches, longest_target
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.interop.shortlist import Outputs, Shortlist

BATCH_TOKENS = 2048  # source pieces of one batch times the beam, padding included
WIDEST = 128  # the widest beam: CTranslate2 wants twice as many pieces, and any vocabulary and shortlist has 256 bytes

LISTED = "shortlisted"  # an empty file in an engine whose output layer is cut down

Weights = dict[str, NDArray[np.float32]]
Rows = NDArray[np.float32]


def cannot_express(config: Config) -> str:
    """Why CTranslate2 has no such model; empty where it has."""
    model = config.model
    if model.architecture != "transformer":
        return f"regard fills CTranslate2's Transformer alone, and this model is an {model.architecture.upper()}"
    if model.key_width != model.value_width:
        return f"CTranslate2 wants d_k = d_v, and this model has {model.key_width} and {model.value_width}"
    return ""


def position_rows(config: Config) -> int:
    """How many positions the engine's table has; CTranslate2 does not extend it."""
    if config.model.positions == "learned":
        return config.model.max_length
    return max(1024, config.text.max_length + 2, config.decoding.max_length)


def write_engine(
    weights: Weights,
    config: Config,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    quantization: str,
    shortlist: "Shortlist | None" = None,
) -> None:
    """Writes a CTranslate2 model directory. The weights stay as they are."""
    outputs = shortlist.outputs(len(tokenizer.target)) if shortlist else None
    spec = as_spec(weights, config, tokenizer, outputs)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    if outputs:
        (folder / LISTED).touch()


def as_spec(weights: Weights, config: Config, tokenizer: Tokenizer, outputs: "Outputs | None" = None) -> Any:
    """CTranslate2's description of a Transformer, filled with copies of these weights, the names of `weights_of`;
    of the target's pieces it has all, or these."""
    from ctranslate2.specs import TransformerDecoderSpec, TransformerEncoderSpec, TransformerSpec  # imports torch
    from ctranslate2.specs.common_spec import Activation

    model = config.model
    activation = {"relu": Activation.RELU, "gelu": Activation.GELU, "swiglu": Activation.SWISH}[model.activation]
    kind: dict[str, Any] = {"pre_norm": model.norm == "pre", "activation": activation}
    kind["ffn_glu"] = model.activation == "swiglu"
    if model.key_width * model.n_heads != model.d_model:
        kind["head_dim"] = model.key_width
    encoder = TransformerEncoderSpec(model.n_encoder_layers, model.n_heads, **kind)
    decoder = TransformerDecoderSpec(model.n_decoder_layers, model.n_heads, **kind, alignment_heads=0)
    target = first_of(weights, "target_embedding.pieces.weight", "source_embedding.pieces.weight")
    written = np.arange(len(target)) if outputs is None else outputs.pieces
    encoder.embeddings[0].weight = weights["source_embedding.pieces.weight"].copy()
    encoder.position_encodings.encodings = _positions(weights, config, "source")
    decoder.embeddings.weight = target[written]
    decoder.position_encodings.encodings = _positions(weights, config, "target")
    decoder.position_encodings.encodings[0] += math.sqrt(model.d_model) * target[BOS]  # where alone it stands
    decoder.embeddings.weight[BOS] = 0  # so that 8 bits do not round what every target begins with
    decoder.projection.weight = weights.get("output.weight", target)[written]
    if outputs is not None:
        decoder.projection.bias = outputs.bias
        decoder.projection.weight[outputs.copies] = outputs.vector
    _fill_stack(encoder, "encoder", weights)
    _fill_stack(decoder, "decoder", weights)
    spec = TransformerSpec(encoder, decoder)
    spec.config.layer_norm_epsilon = 1e-5
    spec.register_source_vocabulary(tokenizer.source.pieces(range(len(tokenizer.source))))
    spec.register_target_vocabulary(tokenizer.target.pieces(written.tolist()))
    return spec


def first_of(weights: Weights, *names: str) -> Rows:
    """The weight of the first of these names that there is; a matrix that is tied has only one of them."""
    return next(weights[name] for name in names if name in weights)


def _positions(weights: Weights, config: Config, side: str) -> Rows:
    """A row for each position: the paper's sinusoids (section 3.5), what was learned, or zeros."""
    rows, width = position_rows(config), config.model.d_model
    if config.model.positions == "learned":
        return weights[f"{side}_embedding.positions"].copy()
    if config.model.positions == "none":
        return np.zeros((rows, width), np.float32)
    frequency = np.float32(10000) ** (-np.arange(0, width, 2, dtype=np.float32) / np.float32(width))
    angle = np.arange(rows, dtype=np.float32)[:, None] * frequency
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(rows, width)


def _fill_stack(stack: Any, name: str, weights: Weights) -> None:
    for number, layer in enumerate(stack.layer):
        ours = f"{name}.layers.{number}"
        norms = [(layer.self_attention, 1)]
        _fill_linear(layer.self_attention.linear[0], weights, *(f"{ours}.self_attention.w_{x}" for x in "qkv"))
        _fill_linear(layer.self_attention.linear[1], weights, f"{ours}.self_attention.w_o")
        if name == "decoder":
            norms.append((layer.attention, 2))
            _fill_linear(layer.attention.linear[0], weights, f"{ours}.cross_attention.w_q")
            _fill_linear(layer.attention.linear[1], weights, *(f"{ours}.cross_attention.w_{x}" for x in "kv"))
            _fill_linear(layer.attention.linear[2], weights, f"{ours}.cross_attention.w_o")
        norms.append((layer.ffn, len(norms) + 1))
        _fill_linear(layer.ffn.linear_0, weights, f"{ours}.feed_forward.w_1")
        _fill_linear(layer.ffn.linear_1, weights, f"{ours}.feed_forward.w_2")
        if hasattr(layer.ffn, "linear_0_noact"):
            _fill_linear(layer.ffn.linear_0_noact, weights, f"{ours}.feed_forward.gate")
        for block, place in norms:
            _fill_norm(block.layer_norm, weights, f"{ours}.add_norm_{place}.norm")
    if f"{name}.norm.weight" in weights:
        _fill_norm(stack.layer_norm, weights, f"{name}.norm")


def _fill_linear(spec: Any, weights: Weights, *names: str) -> None:
    """Several matrices that read the same are one."""
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def _fill_norm(spec: Any, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"].copy(), weights[f"{name}.bias"].copy()


class Threads(NamedTuple):
    """How the cores are shared out."""

    workers: int  # batches at the same time
    each: int  # cores of one batch


class _Going(NamedTuple):
    """A batch that CTranslate2 is at."""

    rows: list[int]
    limits: list[int]  # pieces that each target may have
    results: list[Any]  # futures


class CTranslate2Engine:
    """An engine that `write_engine` wrote. In float32 and without a shortlist it finds what the PyTorch engine finds,
    but for a beam whose hypotheses are cut off (they may push out one that ended), and for the second best and those
    behind it where the length penalty is 0."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, config: Config, threads: Threads) -> None:
        self._rows, self._workers, self._listed = position_rows(config), threads.workers, (folder / LISTED).exists()
        self._source = tokenizer.source.pieces(range(len(tokenizer.source)))
        self._target = tokenizer.target.pieces(range(len(tokenizer.target)))
        self._ids = {piece: number for number, piece in enumerate(self._target)}
        self._never = [[self._target[number]] for number in (PAD, UNK, BOS)]
        self._translator = ctranslate2.Translator(
            str(folder), inter_threads=threads.workers, intra_threads=threads.each, max_queued_batches=-1
        )

    def refusal(self, config: DecodingConfig, prefix: Sequence[int]) -> str:
        """Why this search is PyTorch's."""
        refused = {
            "CTranslate2 does not sample as decoding.temperature asks": config.temperature > 0,
            "CTranslate2 does not count a prefix in its scores": bool(prefix),
            "CTranslate2 does not know decoding.no_repeat_ngram as it is meant here": config.no_repeat_ngram > 0,
            "the fast engine's shortlist is proved for the best translation alone": self._listed and config.n_best > 1,
            f"this engine has {self._rows} positions": config.max_length > self._rows,
            f"the beam is wider than {WIDEST}": config.beam_size > WIDEST,
        }
        return next((why for why, applies in refused.items() if applies), "")

    def search(
        self, sentences: Sequence[Sentence], config: DecodingConfig, *, log_probs: bool
    ) -> Iterator[list[Hypothesis]]:
        """The n best of each sentence; begins at once, and goes on in the background."""
        limits = [longest_target(len(sentence.source), config) for sentence in sentences]
        lengths = [len(sentence.source) for sentence in sentences]
        going = []
        share = max(lengths, default=0) * math.ceil(len(lengths) / self._workers)  # so that all of them have something
        for rows in batches(lengths, min(BATCH_TOKENS // config.beam_size, share)):
            source = [self._named(sentences[row]) for row in rows]
            most = max(limits[row] for row in rows)
            going.append(_Going(rows, [limits[row] for row in rows], self._translate(source, config, most)))
        return self._collect(sentences, going, config, log_probs)

    def _translate(self, source: list[list[str]], config: DecodingConfig, most: int, all_of_beam: bool = False) -> Any:
        return self._translator.translate_batch(
            source,
            asynchronous=True,
            beam_size=config.beam_size,
            num_hypotheses=config.beam_size if all_of_beam else config.n_best,
            length_penalty=config.length_penalty,
            max_decoding_length=most,
            min_decoding_length=0,
            max_input_length=0,
            return_end_token=True,
            suppress_sequences=self._never,
        )

    def _collect(
        self, sentences: Sequence[Sentence], going: list[_Going], config: DecodingConfig, log_probs: bool
    ) -> Iterator[list[Hypothesis]]:
        found: list[list[Hypothesis]] = [[] for _ in sentences]
        given = 0
        for batch in going:
            for row, limit, result in zip(batch.rows, batch.limits, batch.results, strict=True):
                found[row] = self._read(result.result().hypotheses, limit)
                if config.beam_size == 1:
                    found[row] = [one._replace(ids=one.ids[:limit]) for one in found[row]]
                elif not all(one.finished for one in found[row]):
                    found[row] = self._within(sentences[row], limit, config)
            while not log_probs and given < len(found) and found[given]:
                yield found[given]
                given += 1
        if log_probs:
            self._score(sentences, found, config.length_penalty)
        yield from found[given:]

    def _read(self, hypotheses: list[list[str]], limit: int) -> list[Hypothesis]:
        """As ours; what is longer than its sentence allows is not finished."""
        ids = [[self._ids[piece] for piece in hypothesis] for hypothesis in hypotheses]
        return [Hypothesis(one, [], 0.0, one[-1:] == [EOS] and len(one) <= limit) for one in ids]

    def _within(self, sentence: Sentence, limit: int, config: DecodingConfig) -> list[Hypothesis]:
        """The n best for a sentence whose targets are cut off at its own limit: those come behind the finished."""
        (result,) = self._translate([self._named(sentence)], config, limit, all_of_beam=True)
        found = self._read(result.result().hypotheses, limit)
        return sorted(found, key=lambda one: not one.finished)[: config.n_best]

    def _score(self, sentences: Sequence[Sentence], found: list[list[Hypothesis]], alpha: float) -> None:
        """Puts in the log-probabilities, which one more pass finds."""
        source = [self._named(sentence) for sentence, row in zip(sentences, found, strict=True) for _ in row]
        target = [self._pieces(one) for row in found for one in row]
        scored = self._translator.score_batch(
            source, target, max_batch_size=BATCH_TOKENS, batch_type="tokens", max_input_length=0
        )
        scores = iter(scored)
        for row in found:
            for place, one in enumerate(row):
                log_probs = next(scores).log_probs[: len(one.ids)]
                row[place] = one._replace(log_probs=log_probs, score=sum(log_probs) / len(one.ids) ** alpha)

    def _named(self, sentence: Sentence) -> list[str]:
        return [self._source[number] for number in sentence.source]

    def _pieces(self, found: Hypothesis) -> list[str]:
        """Without eos, which CTranslate2 puts behind every target that it scores."""
        return [self._target[number] for number in found.ids if number != EOS]


def graphics_cards() -> int:
    """How many CUDA devices there are."""
    return ctranslate2.get_cuda_device_count()
