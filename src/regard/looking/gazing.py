"""Where an RNN looks in the source while it writes: the one attention that it has (Bahdanau et al., 2015, figure 3).

regard.looking.gazing.gaze(translator, "the animal is tired").of("tired")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from regard.config import BOS, DecodingConfig
from regard.decoding.pytorch import PyTorchEngine
from regard.decoding.sentences import Sentence
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.listening import listening
from regard.looking.look import source_ids
from regard.looking.trace import Numbers
from regard.looking.views import merged
from regard.looking.words import Word, find_word, words_of
from regard.model.encoder_decoder import EncoderDecoder
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
    model = translator.model.eval()
    if not isinstance(model, Recurrent) or model.decoder.attention is None:
        raise InputError(
            f"{translator.name or 'This model'} has no attention of an RNN to look at: "
            + ("its decoder reads one summary of the sentence." if isinstance(model, Recurrent) else "see regard look.")
        )
    tokens = translator.tokenizer
    read = source_ids(translator, source, direction or next(iter(tokens.directions), None))
    if target is None:
        searched = Sentence(tuple(read), (), (config or translator.config.decoding).seed)
        written = PyTorchEngine(model).search([searched], config or translator.config.decoding)[0][0].ids
    else:
        written = tokens.encode_target(target)
    weights, log_probs = _forced(model, read, written)
    return Gazing(
        translation=tokens.target.decode(written) if target is None else target,
        source_words=words_of(read, tokens.source),
        target_words=words_of(written, tokens.target),
        weights=weights,
        log_probs=log_probs,
    )


class _Forced(NamedTuple):
    weights: Float[Numbers, "target source"]
    log_probs: list[float]


@torch.inference_mode()
def _forced(model: EncoderDecoder, source: Sequence[int], target: Sequence[int]) -> _Forced:
    """One pass over the pair, with an ear at the weights."""
    device = model.output.weight.device
    given, read, written = (torch.tensor([ids], device=device) for ids in (source, [BOS, *target[:-1]], target))
    with listening(model, WEIGHTS.__eq__) as heard:
        log_p = model(given, read).float().log_softmax(dim=-1).gather(2, written[:, :, None])
    return _Forced(np.array(heard[WEIGHTS][0, 0].float().cpu().numpy()), log_p[0, :, 0].tolist())
