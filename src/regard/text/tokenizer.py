"""Lines as pieces: a vocabulary for each language, or one for both, learned by SentencePiece."""

import functools
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import sentencepiece

from regard.config import BOS, EOS, PAD, UNK, TextConfig
from regard.disk import written_whole
from regard.errors import InputError
from regard.text.formats import Pairs
from regard.text.regularisation import Regularisation

MOST_PAIRS = 1_000_000  # a vocabulary learns nothing new from more
FEW = 32  # lines that are encoded sooner than threads for them are started

SPACE = "\u2581"  # what SentencePiece writes for a space; in a line it would be taken for one
_ESCAPE = "\x10"  # "data link escape": it and _ stand for that character, it twice for itself
_LANGUAGE = "[a-z]{2,3}(?:_[A-Za-z]{2,4})?"


@final
class Vocabulary:
    """One side's pieces. Every line comes back from them as it was: characters never seen in training become bytes.

    The kinds: `unigram` and `bpe` learn subwords; `word` takes what stands between spaces, the most frequent ones;
    `char` takes characters. A space belongs to the word after it and is written as U+2581.
    """

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        ids = list(range(len(self)))
        names, is_byte = self._processor.id_to_piece(ids), self._processor.is_byte(ids)
        is_special = [control or i == UNK for i, control in enumerate(self._processor.is_control(ids))]
        self._bytes = [
            b"" if special else bytes.fromhex(name[3:-1]) if byte else name.encode()
            for name, byte, special in zip(names, is_byte, is_special, strict=True)
        ]
        self.texts = {i: names[i] for i in ids if not (is_byte[i] or is_special[i])}  # of the pieces that are text
        self._begins = {i for i in ids if is_special[i] or names[i].startswith(SPACE)}  # those that begin a word
        self.draw = functools.lru_cache(maxsize=2**19)(self._draw)

    @classmethod
    def train(cls, lines: Iterable[str], config: TextConfig, tags: Sequence[str] = ()) -> "Vocabulary":
        """A vocabulary of at most config.vocabulary pieces, bytes and tags among them, learned from these lines."""
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=map(_escape, lines),
                model_writer=model,
                model_type=config.tokenizer,
                vocab_size=config.vocabulary,
                hard_vocab_limit=False,  # a small corpus holds fewer pieces
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                byte_fallback=True,
                control_symbols=list(tags),
                max_sentence_length=2**16,
                num_threads=16,  # fixed: sums of floats depend on it, on the machine they must not
                minloglevel=2,
                pad_id=PAD,
                unk_id=UNK,
                bos_id=BOS,
                eos_id=EOS,
            )
        except RuntimeError as error:
            sizes = re.search(r"required_chars. \d+ vs (\d+)", str(error))
            if sizes:
                raise InputError(
                    f"text.vocabulary is {config.vocabulary}, but this corpus has so many characters that it takes "
                    f"{sizes[1]} pieces at least. Raise text.vocabulary."
                ) from None
            raise InputError(
                f"No vocabulary can be learned from this corpus; is it empty? ({str(error).strip()})"
            ) from None
        return cls(model.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """The vocabulary of a model file that was written by Tokenizer.save."""
        try:
            vocabulary = cls(path.read_bytes())
            special = vocabulary.pieces([PAD, UNK, BOS, EOS])
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}. Take it from a copy of the model.") from None
        except (RuntimeError, IndexError):
            raise InputError(f"{path}: not a SentencePiece model. Copy or train it again.") from None
        if special != ["<pad>", "<unk>", "<s>", "</s>"]:
            raise InputError(
                f"{path}: the first pieces are {special}, not <pad> <unk> <s> </s>; regard did not make it."
            )
        return vocabulary

    def __len__(self) -> int:
        return self._processor.get_piece_size()

    def encode(self, line: str) -> list[int]:
        """The best pieces for this line, without special ones."""
        ids: list[int] = self._processor.encode(_escape(line))
        return ids

    def encode_many(self, lines: Iterable[str]) -> list[list[int]]:
        """The best pieces of each line."""
        escaped = [_escape(line) for line in lines]
        if len(escaped) <= FEW:
            return [self._processor.encode(line) for line in escaped]
        rows: list[list[int]] = self._processor.encode(escaped, num_threads=-1)
        return rows

    @functools.cached_property
    def _regularisation(self) -> Regularisation:
        """What draws other pieces for a word."""
        return Regularisation({name: self._processor.get_score(i) for i, name in self.texts.items()})

    def words(self, ids: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """The pieces of each word, which begins at a space; a special piece is one by itself."""
        start = 0
        for place, piece in enumerate(ids):
            if place > start and piece in self._begins:
                yield tuple(ids[start:place])
                start = place
        if ids:
            yield tuple(ids[start:])

    def _draw(self, word: tuple[int, ...], strength: float, number: int) -> tuple[int, ...]:
        """The number-th way to write a word in other pieces, as in `Regularisation`; as it is if some are no text."""
        if not all(piece in self.texts for piece in word):
            return word
        text = "".join(self.texts[piece] for piece in word)
        return tuple(self.id_of(piece) for piece in self._regularisation.draw(text, strength, number))

    def decode(self, ids: Iterable[int]) -> str:
        """The line that these pieces spell; special ones say nothing, bytes that are not UTF-8 become U+FFFD."""
        line = b"".join(self._bytes[i] for i in ids).decode(errors="replace")
        line = line.replace(SPACE, " ").removeprefix(" ")
        return re.sub(f"{_ESCAPE}([{_ESCAPE}_])", lambda match: match[1].replace("_", SPACE), line)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces as text, to look at."""
        return self._processor.id_to_piece([int(i) for i in ids])

    def id_of(self, piece: str) -> int:
        """The id of a piece; UNK if there is none like it."""
        return self._processor.piece_to_id(piece)


@final
@dataclass(frozen=True, eq=False)
class Tokenizer:
    """The vocabularies of both sides (one object when joint), and the directions between them.

    With two directions, such as fr-en and en-fr, a source begins with the tag of the language it goes to: <2en>
    (Johnson et al., 2017). The first direction is that of the corpus, from its left to its right side.
    """

    source: Vocabulary
    target: Vocabulary
    directions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_directions(self.directions, joint=self.source is self.target)
        missing = [tag for tag in _tags(self.directions) if self.source.id_of(tag) == UNK]
        if missing:
            raise InputError(
                f"The vocabulary has no {' and no '.join(missing)}: it was not trained for {self._named()}."
            )

    @classmethod
    def train(cls, pairs: Pairs, config: TextConfig, seed: int) -> "Tokenizer":
        """Vocabularies learned from these pairs, or from a million of them, drawn by the seed, if there are more."""
        _check_directions(config.directions, config.joint)
        source, target = (_some(side, seed) for side in pairs)
        if config.joint:
            both = Vocabulary.train(itertools.chain(source, target), config, _tags(config.directions))
            return cls(both, both, config.directions)
        return cls(Vocabulary.train(source, config), Vocabulary.train(target, config), config.directions)

    @classmethod
    def load(cls, folder: Path, directions: tuple[str, ...] = ()) -> "Tokenizer":
        """The tokenizer that was saved in this folder."""
        if (folder / "tokenizer.model").exists() or not (folder / "source.model").exists():
            both = Vocabulary.load(folder / "tokenizer.model")
            return cls(both, both, directions)
        return cls(Vocabulary.load(folder / "source.model"), Vocabulary.load(folder / "target.model"), directions)

    def save(self, folder: Path) -> None:
        """Writes tokenizer.model, or source.model and target.model if they are two; removes the others."""
        both = {"tokenizer.model": self.source}
        two = {"source.model": self.source, "target.model": self.target}
        wanted, other = (both, two) if self.source is self.target else (two, both)
        for name, vocabulary in wanted.items():
            with written_whole(folder / name) as aside:
                aside.write_bytes(vocabulary.model)
        for name in other:
            (folder / name).unlink(missing_ok=True)

    @property
    def joint(self) -> bool:
        """Whether both sides share one vocabulary."""
        return self.source is self.target

    def encode_source(self, line: str, direction: str | None = None) -> list[int]:
        """What the encoder reads: the tag if there are several directions, the pieces, the end."""
        return [*self.tag(direction), *self.source.encode(line), EOS]

    def encode_target(self, line: str) -> list[int]:
        """What the decoder is to write: the pieces, the end."""
        return [*self.target.encode(line), EOS]

    def tag(self, direction: str | None = None) -> list[int]:
        """The one piece that tells the model this direction; none if the model has only one."""
        if direction is None and len(self.directions) > 1:
            raise InputError(f"This model has several directions; say which one: {self._named()}.")
        if direction is not None and direction not in self.directions:
            raise InputError(f"There is no direction '{direction}'; this model has {self._named()}.")
        return [self.source.id_of(_tag(direction))] if direction and len(self.directions) > 1 else []

    def _named(self) -> str:
        return ", ".join(self.directions) or "one without a name"


def _check_directions(directions: Sequence[str], joint: bool) -> None:
    for direction in directions:
        if not re.fullmatch(f"{_LANGUAGE}-{_LANGUAGE}", direction):
            raise InputError(f"'{direction}' is not a direction; write two languages, such as fr-en.")
    if len(directions) < 2:
        return
    there = directions[0]
    back = "-".join(reversed(there.split("-")))
    if list(directions[1:]) != [back]:
        raise InputError(f"text.directions is {', '.join(directions)}; next to {there} there can only be {back}.")
    if not joint:
        raise InputError("text.joint is false, but two directions need one vocabulary. Set text.joint = true.")


def _tags(directions: Sequence[str]) -> list[str]:
    """The tags of several directions; one alone needs none."""
    return [_tag(direction) for direction in directions] if len(directions) > 1 else []


def _tag(direction: str) -> str:
    """<2en> for fr-en."""
    return f"<2{direction.partition('-')[2]}>"


def _some(lines: Sequence[str], seed: int) -> Iterator[str]:
    """All lines, or MOST_PAIRS of them, the same rows on both sides."""
    if len(lines) <= MOST_PAIRS:
        return iter(lines)
    rows = np.random.default_rng(seed).choice(len(lines), MOST_PAIRS, replace=False, shuffle=False)
    return (lines[row] for row in np.sort(rows))


def _escape(line: str) -> bytes:
    """The line as SentencePiece can keep it."""
    if _ESCAPE in line or SPACE in line:
        line = line.replace(_ESCAPE, 2 * _ESCAPE).replace(SPACE, f"{_ESCAPE}_")
    try:
        return line.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{line[:40]!r} is not Unicode text: {error.reason} at character {error.start}.") from None
