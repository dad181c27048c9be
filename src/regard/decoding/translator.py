"""A translator: lines in, lines out, and what the model thought of them."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import torch
from torch import Tensor

from regard.config import BOS, Config, DecodingConfig, configure, flatten
from regard.decoding.beam import beam_search
from regard.decoding.sampling import sample
from regard.decoding.steps import Hypothesis
from regard.errors import InputError
from regard.model.transformer import Transformer
from regard.text.batching import pad
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.looking.trace import Trace

BATCH_TOKENS = 4096  # source pieces of one batch times the beam, padding included


class Translation(NamedTuple):
    """One answer, and what the model thought of it."""

    text: str
    pieces: list[str]  # as the model wrote them; the last is the end, unless it ran out of room
    log_probs: list[float]  # log p of each piece, in nats
    score: float  # log p of the whole, divided by length ** length_penalty
    others: list["Translation"]  # the next best, where more than one was asked for
    parts: int = 1  # more where the line was too long to be read at once


@dataclasses.dataclass(frozen=True)
class Translator:
    """A trained model, its words and its settings. Made by `regard.load`."""

    model: Transformer
    tokenizer: Tokenizer
    config: Config
    name: str = ""  # of its directory

    @overload
    def translate(
        self, text: str, *, direction: str | None = ..., prefix: str = ..., **settings: Any
    ) -> Translation: ...
    @overload
    def translate(
        self, text: Sequence[str], *, direction: str | None = ..., prefix: str = ..., **settings: Any
    ) -> list[Translation]: ...
    def translate(
        self, text: str | Sequence[str], *, direction: str | None = None, prefix: str = "", **settings: Any
    ) -> Translation | list[Translation]:
        """The translation of a line, or of each of many, in their order; an empty line gives an empty one.

        direction: "fr-en" where the model knows several (default: its first). prefix: how each translation begins.
        settings: those of `DecodingConfig` for this call, such as beam_size=1. A line of more pieces than the model
        was trained for is cut at sentence ends, and its parts are translated one by one (see `Translation.parts`).
        Raises InputError for an unknown direction or setting.
        """
        if isinstance(text, str):
            return self.translate([text], direction=direction, prefix=prefix, **settings)[0]
        config, direction = self.decoding(**settings), self._direction(direction)
        begun = self.tokenizer.target.encode(prefix) if prefix else []
        lines = [self._parts(line) for line in text]
        sentences = [
            _Sentence(self.tokenizer.encode_source(part, direction), [] if place else begun, bool(part.strip()))
            for parts in lines
            for place, part in enumerate(parts)
        ]
        answers = iter(self._search(sentences, config))
        return [_joined([next(answers) for _ in parts], config.length_penalty) for parts in lines]

    def score(self, source: Sequence[str], target: Sequence[str], *, direction: str | None = None) -> list[Translation]:
        """What the model thinks of given translations: `log_probs` of their pieces, in one pass, without a search."""
        if len(source) != len(target):
            raise InputError(f"There are {len(source)} sources and {len(target)} targets; each needs one of the other.")
        direction = self._direction(direction)
        sources = [self.tokenizer.encode_source(line, direction) for line in source]
        targets = [self.tokenizer.encode_target(line) for line in target]
        answers: list[Translation | None] = [None] * len(source)
        for rows in _batches([len(a) + len(b) for a, b in zip(sources, targets, strict=True)], BATCH_TOKENS):
            scored = self._log_probs([sources[row] for row in rows], [targets[row] for row in rows])
            for row, log_probs in zip(rows, scored, strict=True):
                ranked = sum(log_probs) / len(log_probs) ** self.config.decoding.length_penalty
                pieces = self.tokenizer.target.pieces(targets[row])
                answers[row] = Translation(target[row], pieces, log_probs, ranked, [])
        return [answer for answer in answers if answer]

    def look(self, source: str, target: str | None = None, *, direction: str | None = None, **settings: Any) -> "Trace":
        """Every number of attention while this line is translated, or while `target` is forced upon it.

        A translation is searched for with the beam; direction and settings are those of `translate`. Raises InputError
        where the line is empty, or longer than the model reads at once.
        """
        from regard.looking.look import look

        return look(self, source, target, direction=self._direction(direction), config=self.decoding(**settings))

    def decoding(self, **settings: Any) -> DecodingConfig:
        """The model's decoding settings with these put in."""
        asked = {f"decoding.{name}": value for name, value in settings.items()}
        return configure(flatten(self.config) | asked).decoding

    def _direction(self, asked: str | None) -> str | None:
        """The direction that was asked for, which is one of the model's, or its first."""
        direction = asked or next(iter(self.tokenizer.directions), None)
        self.tokenizer.tag(direction)
        return direction

    @torch.inference_mode()
    def _search(self, sentences: Sequence["_Sentence"], config: DecodingConfig) -> list[Translation]:
        answers = [Translation("", [], [], 0.0, []) for _ in sentences]
        written = [row for row, sentence in enumerate(sentences) if sentence.written]
        lengths = [len(sentences[row].source) for row in written]
        wide = config.n_best if config.temperature else config.beam_size
        for batch in _batches(lengths, BATCH_TOKENS // wide):
            rows = [written[at] for at in batch]
            found = self._hypotheses([sentences[row] for row in rows], [config.seed + row for row in rows], config)
            for row, hypotheses in zip(rows, found, strict=True):
                first, *others = [self._translation(hypothesis) for hypothesis in hypotheses]
                answers[row] = first._replace(others=others)
        return answers

    def _hypotheses(
        self, sentences: list["_Sentence"], seeds: list[int], config: DecodingConfig
    ) -> list[list[Hypothesis]]:
        self.model.eval()
        source = torch.from_numpy(pad([sentence.source for sentence in sentences]))
        source = source.to(self.model.output.weight.device)
        lengths = torch.tensor([len(sentence.source) for sentence in sentences], device=source.device)
        most = longest_targets(lengths, config)
        state = self.model.start(self.model.encode(source))
        search = partial(sample, seeds=seeds) if config.temperature else beam_search
        prefix = [sentence.prefix for sentence in sentences]
        return search(self.model, state, batch=len(sentences), config=config, max_lengths=most, prefix=prefix)

    def _translation(self, found: Hypothesis) -> Translation:
        words = self.tokenizer.target
        return Translation(words.decode(found.ids), words.pieces(found.ids), found.log_probs, found.score, [])

    @torch.inference_mode()
    def _log_probs(self, sources: list[list[int]], targets: list[list[int]]) -> list[list[float]]:
        self.model.eval()
        device = self.model.output.weight.device
        source, target = torch.from_numpy(pad(sources)).to(device), torch.from_numpy(pad(targets)).to(device)
        read = torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)
        log_p = self.model(source, read).float().log_softmax(dim=-1).gather(2, target[:, :, None])[:, :, 0]
        return [row[: len(ids)].tolist() for row, ids in zip(log_p, targets, strict=True)]

    def _parts(self, line: str) -> list[str]:
        """The line, or parts of it that the model can read: cut at sentence ends, then at spaces, then anywhere."""
        most = self.config.text.max_length
        if len(line) < 2 or not line.strip() or len(self.tokenizer.source.encode(line)) <= most:
            return [line]
        for border in (r"(?<=[.!?…。！？])\s+", r"\s+"):
            if len(pieces := re.split(border, line.strip())) > 1:
                middle = len(pieces) // 2
                return self._parts(" ".join(pieces[:middle])) + self._parts(" ".join(pieces[middle:]))
        middle = len(line) // 2
        return self._parts(line[:middle]) + self._parts(line[middle:])


def longest_targets(lengths: Tensor, config: DecodingConfig) -> Tensor:
    """How many pieces a translation may have, of sources of these lengths."""
    return (config.max_ratio * lengths + 10).long().clamp(max=config.max_length)


class _Sentence(NamedTuple):
    """What is translated at once: a line, or a part of one."""

    source: list[int]
    prefix: list[int]  # the first pieces of its translation
    written: bool  # False: there is nothing in it but spaces


def _joined(parts: list[Translation], length_penalty: float) -> Translation:
    """The translations of the parts of one line as one; so the second best of each make the second best of the line."""
    if len(parts) == 1:
        return parts[0]
    rows = zip(*([part, *part.others] for part in parts), strict=False)
    first, *others = [_in_a_row(row, length_penalty) for row in rows]
    return first._replace(others=others)


def _in_a_row(parts: Sequence[Translation], length_penalty: float) -> Translation:
    log_probs = [log_prob for part in parts for log_prob in part.log_probs]
    return Translation(
        " ".join(part.text for part in parts),
        [piece for part in parts for piece in part.pieces],
        log_probs,
        sum(log_probs) / len(log_probs) ** length_penalty,
        [],
        len(parts),
    )


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Rows of like length together, the longest first, each batch within the budget of padded pieces."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
