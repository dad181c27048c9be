"""How many floating-point operations a Transformer's products take, from its shapes: a multiply and an add are two.

With d = d_model, f = d_ff, s and t pieces of a source and a target, V pieces of a vocabulary:

    encoder layer, a source piece     8 d d   (W_q, W_k, W_v, W_o)  +  4 d f  (W_1, W_2)  +  4 s d  (q k and weights v)
    decoder layer, a target piece    12 d d   (the same, and W_q, W_o of the look at the source)  +  4 d f
                                     +  4 t d  (its own past; step by step, t / 2 of them on the mean)  +  4 s d
    decoder layer, a source piece     4 d d   (W_k, W_v of the look at the source, made once)
    output layer, a target piece      2 d V

A training update takes three times as many: the gradients by the weights and by what went in are a product each. What
is no product (softmax, norms, dropout, Adam) does not count, though it takes time: so the share is of useful work.
"""

from typing import NamedTuple

from regard.config import ModelConfig

TRAINING = 3


class Pieces(NamedTuple):
    """What is computed: so many sentences, each with so many pieces on its two sides."""

    sentences: int
    source: int
    target: int


def encoding(size: ModelConfig, pieces: Pieces) -> float:
    """Of reading the sources."""
    d, s = size.d_model, pieces.source
    layer = 8 * d * d + 4 * d * size.d_ff + 4 * s * d
    return float(size.n_encoder_layers * layer * s * pieces.sentences)


def decoding(size: ModelConfig, pieces: Pieces, vocabulary: int, *, stepwise: bool) -> float:
    """Of writing the targets: in one pass, or step by step, where a piece sees only what is written."""
    d, s, t = size.d_model, pieces.source, pieces.target
    past = (t + 1) / 2 if stepwise else t
    layer = t * (12 * d * d + 4 * d * size.d_ff + 4 * d * (past + s)) + 4 * d * d * s
    return pieces.sentences * (size.n_decoder_layers * layer + 2 * d * vocabulary * t)


def update(size: ModelConfig, pieces: Pieces, vocabulary: int) -> float:
    """Of one training update."""
    return TRAINING * (encoding(size, pieces) + decoding(size, pieces, vocabulary, stepwise=False))


def translation(size: ModelConfig, pieces: Pieces, vocabulary: int) -> float:
    """Of a greedy translation."""
    return encoding(size, pieces) + decoding(size, pieces, vocabulary, stepwise=True)
