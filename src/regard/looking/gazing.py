"""Where an RNN looks in the source while it writes: the one attention that it has (Bahdanau et al., 2015, figure 3).

regard.looking.gazing.gaze(translator, "the animal is tired").of("tired")
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regard.config import DecodingConfig
from regard.decoding.pytorch import PyTorchEngine
from regard.decoding.sentences import Sentence
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.blocks import Sentences, as_sentences
from regard.looking.listening import listening
from regard.looking.look import source_ids
from regard.looking.trace import Numbers
from regard.looking.views import merged
from regard.looking.words import Word, find_word, words_of
from regard.model.recurrent import Recurrent

WEIGHTS = "decoder.attention.weights"  # the tap


class Looked(NamedTuple):
    """A word of the source, and the weight that a word of the target gave it."""

    word: str
    weight: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Gazing:
    """A translation, and where the decoder looked when it wrote each piece."""

    translation: str
    source_words: list[Word]
    target_words: list[Word]
    weights: Float[Numbers, "target source"]  # of pieces, tag and ends included; a row sums to 1
    log_probs: list[float]  # log p of each piece of the target, in nats

    @property
    def words(self) -> Float[Numbers, "words others"]:
        """The weights between words: the sum over a source word's pieces, the mean over a target word's."""
        return merged(self.weights, self.target_words, self.source_words)

    def of(self, text: str, *, occurrence: int = 1) -> list[Looked]:
        """Where a word of the target looked, in the order of the source. Raises InputError where there is none."""
        word = self.word(text, occurrence=occurrence)
        row = self.words[self.target_words.index(word)].tolist()
        return [Looked(other.text, weight) for other, weight in zip(self.source_words, row, strict=True)]

    def word(self, text: str, *, occurrence: int = 1) -> Word:
        """A word of the target. Raises InputError that lists what there is, where it is not there."""
        return find_word({"target": self.target_words}, text, occurrence).word

    def log_prob(self, word: Word) -> float:
        """log p of a word: the sum over its pieces, in nats."""
        return sum(self.log_probs[word.slice])


def gaze(
    translator: Translator,
    source: str,
    target: str | None = None,
    *,
    direction: str | None = None,
    config: DecodingConfig | None = None,
) -> Gazing:
    """Where an RNN looks while it writes the translation that its search finds, or this target.

    Raises InputError where the model is no RNN with attention, or the source is empty or too long.
    """
    tokens = translator.tokenizer
    read = source_ids(translator, source, direction or next(iter(tokens.directions), None))
    if target is None:
        searched = Sentence(tuple(read), (), (config or translator.config.decoding).seed)
        written = PyTorchEngine(translator.model).search([searched], config or translator.config.decoding)[0][0].ids
    else:
        written = tokens.encode_target(target)
    batch = as_sentences(translator.model, [read], [written])
    seen = gazed(translator, batch)
    log_p = seen.logits.float().log_softmax(dim=-1).gather(2, batch.written[:, :, None])
    return Gazing(
        translation=tokens.target.decode(written) if target is None else target,
        source_words=words_of(read, tokens.source),
        target_words=words_of(written, tokens.target),
        weights=np.array(seen.weights[0, 0].float().cpu().numpy()),
        log_probs=log_p[0, :, 0].tolist(),
    )


class Gazed(NamedTuple):
    """What a batch of pairs, the targets forced, let be seen."""

    weights: Float[Tensor, "batch 1 written source"]
    logits: Float[Tensor, "batch written vocab"]


@torch.no_grad()
def gazed(translator: Translator, batch: Sentences) -> Gazed:
    """One pass over these pairs, with an ear at the weights. Raises InputError as `gaze` does."""
    model, name = translator.model.eval(), translator.name or "This model"
    if not isinstance(model, Recurrent):
        raise InputError(f"{name} is a Transformer, which looks in many ways at once: Translator.look shows them.")
    if model.decoder.attention is None:
        raise InputError(f"{name} is an RNN without attention: its decoder reads one summary of the sentence.")
    with listening(model, WEIGHTS.__eq__) as heard:
        logits = model(batch.source, batch.read)
    return Gazed(heard[WEIGHTS], logits)
