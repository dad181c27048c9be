"""A translator: lines in, lines out, and what the model thought of them."""

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from regard.config import EOS, Config, DecodingConfig, configure
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.sentences import NOTHING, Engine, Sentence, Translation, batches, growing_chunks, joined, parts
from regard.errors import InputError
from regard.text.formats import without_end
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.decoding.pytorch import PyTorchEngine
    from regard.looking.trace import Trace
    from regard.model.encoder_decoder import EncoderDecoder
    from regard.model.transformer import Transformer

__all__ = ["Later", "Translation", "Translator"]

FIRST_LINES, LINES = 32, 2048  # of a stream that are translated together: at first, and at most
SCORED_TOKENS = 4096  # source and target pieces of one batch that is scored, padding included


class Later:
    """A model that is read when it is first asked for, and PyTorch with it."""

    def __init__(self, read: Callable[[], "EncoderDecoder"]) -> None:
        self._read = read
        self._model: EncoderDecoder | None = None

    def __call__(self) -> "EncoderDecoder":
        """The model, read once."""
        if self._model is None:
            self._model = self._read()
        return self._model


class _Asked(NamedTuple):
    """What one call asks of all its lines."""

    config: DecodingConfig
    tag: list[int]
    prefix: tuple[int, ...]
    log_probs: bool


@dataclasses.dataclass(frozen=True)
class Translator:
    """A trained model, its words and its settings. Made by `regard.load`."""

    weights: "EncoderDecoder | Later"
    tokenizer: Tokenizer
    config: Config
    name: str = ""  # of its directory
    fast: Engine | None = None  # translates what it does not refuse; PyTorch does all else

    @property
    def model(self) -> "EncoderDecoder":
        """The model in PyTorch, where every number can be looked at."""
        return self.weights() if isinstance(self.weights, Later) else self.weights

    @property
    def transformer(self) -> "Transformer":
        """The model, where it is a Transformer. Raises InputError where it is not: it has no heads and no stream."""
        from regard.model.transformer import Transformer

        if not isinstance(self.model, Transformer):
            sight = 'where it looks in the source: regard look DIR "..." --word WORD, or regard.looking.gazing.gaze'
            raise InputError(
                f"{self.name or 'This model'} is an RNN (model.architecture = rnn), without heads and without a "
                f"residual stream. What there is to see is {sight if self.config.model.attention else 'its score'}."
            )
        return self.model

    @overload
    def translate(
        self, text: str, *, direction: str | None = ..., prefix: str = ..., log_probs: bool = ..., **settings: Any
    ) -> Translation: ...
    @overload
    def translate(
        self,
        text: Sequence[str],
        *,
        direction: str | None = ...,
        prefix: str = ...,
        log_probs: bool = ...,
        **settings: Any,
    ) -> list[Translation]: ...
    def translate(
        self,
        text: str | Sequence[str],
        *,
        direction: str | None = None,
        prefix: str = "",
        log_probs: bool = True,
        **settings: Any,
    ) -> Translation | list[Translation]:
        """The translation of a line, or of each of many, in their order; an empty line gives an empty one.

        direction: "fr-en" where the model knows several (default: its first). prefix: how each translation begins.
        settings: those of `DecodingConfig` for this call, such as beam_size=1. A line of more pieces than the model
        was trained for is cut at sentence ends, and its parts are translated one by one (see `Translation.parts`).
        Without log_probs, these and the score may be missing, and a fast engine is quicker. Raises InputError for an
        unknown direction or setting.
        """
        if isinstance(text, str):
            return self.translate([text], direction=direction, prefix=prefix, log_probs=log_probs, **settings)[0]
        return list(self._begin(list(text), 0, self._asked(direction, prefix, log_probs, settings))())

    def stream(
        self,
        lines: Iterable[str | None],
        *,
        direction: str | None = None,
        prefix: str = "",
        log_probs: bool = True,
        **settings: Any,
    ) -> Iterator[Translation]:
        """`translate` for lines without end: answers come while later lines are read, and memory stays as it is.

        A fast engine goes on with the next lines while the answers of the last are read; PyTorch cannot. A None among
        the lines has no answer; it says that the next line may be long in coming, and the answers to those before do
        not wait for it. What `lines` raises is raised behind the answers of the lines before.
        """
        asked, done = self._asked(direction, prefix, log_probs, settings), 0
        raised: list[Exception] = []
        begun: deque[Callable[[], Iterator[Translation]]] = deque()
        ahead = int(self._engine(asked) is self.fast)
        for chunk in growing_chunks(_until(lines, raised), FIRST_LINES, LINES):
            if chunk:
                begun.append(self._begin(chunk, done, asked))
                done += len(chunk)
            while len(begun) > (ahead if chunk else 0):
                yield from begun.popleft()()
        for answers in begun:
            yield from answers()
        if raised:
            raise raised[0]

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], too
        self, source: str, target: str, *, direction: str | None = ...
    ) -> Translation: ...
    @overload
    def score(
        self, source: Sequence[str], target: Sequence[str], *, direction: str | None = ...
    ) -> list[Translation]: ...
    def score(
        self, source: str | Sequence[str], target: str | Sequence[str], *, direction: str | None = None
    ) -> Translation | list[Translation]:
        """What the model thinks of a given translation, or of each of many: `log_probs` of their pieces, in one pass,
        without a search."""
        if isinstance(source, str) and isinstance(target, str):
            return self.score([source], [target], direction=direction)[0]
        if isinstance(source, str) or isinstance(target, str):
            one, many = ("source", "target") if isinstance(source, str) else ("target", "source")
            raise InputError(f"The {one} is one line, the {many} a list of lines. Give two lines, or two lists.")
        if len(source) != len(target):
            raise InputError(f"There are {len(source)} sources and {len(target)} targets; each needs one of the other.")
        direction = self._direction(direction)
        source, target = ([without_end(line) for line in side] for side in (source, target))
        sources = [self.tokenizer.encode_source(line, direction) for line in source]
        targets = [self.tokenizer.encode_target(line) for line in target]
        answers = [NOTHING] * len(source)
        for rows in batches([len(a) + len(b) for a, b in zip(sources, targets, strict=True)], SCORED_TOKENS):
            scored = self._log_probs([sources[row] for row in rows], [targets[row] for row in rows])
            for row, log_probs in zip(rows, scored, strict=True):
                ranked = sum(log_probs) / len(log_probs) ** self.config.decoding.length_penalty
                pieces = self.tokenizer.target.pieces(targets[row])
                answers[row] = Translation(target[row], pieces, log_probs, ranked, [])
        return answers

    def look(self, source: str, target: str | None = None, *, direction: str | None = None, **settings: Any) -> "Trace":
        """Every number of attention while this line is translated, or while `target` is forced upon it.

        A translation is searched for with the beam; direction and settings are those of `translate`. Raises InputError
        where the line is empty, or longer than the model reads at once, or the model is an RNN (see `transformer`).
        """
        from regard.looking.look import look

        return look(self, source, target, direction=self._direction(direction), config=self.decoding(**settings))

    def decoding(self, **settings: Any) -> DecodingConfig:
        """The model's decoding settings with these put in."""
        return configure({f"decoding.{name}": value for name, value in settings.items()}, self.config).decoding

    def refusal(self, *, prefix: str = "", **settings: Any) -> str:
        """Why the fast engine cannot translate in this way, so that PyTorch does; empty where it can."""
        if self.fast is None:
            return "there is none"
        return self.fast.refusal(self.decoding(**settings), self._prefix(prefix))

    def _asked(self, direction: str | None, prefix: str, log_probs: bool, settings: dict[str, Any]) -> _Asked:
        tag = self.tokenizer.tag(self._direction(direction))
        return _Asked(self.decoding(**settings), tag, self._prefix(prefix), log_probs)

    def _prefix(self, prefix: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.target.encode(prefix)) if prefix else ()

    def _direction(self, asked: str | None) -> str | None:
        """The direction that was asked for, which is one of the model's, or its first."""
        direction = asked or next(iter(self.tokenizer.directions), None)
        self.tokenizer.tag(direction)
        return direction

    def _begin(self, lines: list[str], first: int, asked: _Asked) -> Callable[[], Iterator[Translation]]:
        """Begins with these lines, of which the first is the stream's line `first`; what is returned gives the answers.

        What comes twice is searched for once, unless it is sampled.
        """
        own: list[list[Sentence]] = []
        for place, ids in enumerate(self._pieces(lines)):
            seed = asked.config.seed + first + place if asked.config.temperature else 0
            own.append(
                [
                    Sentence((*asked.tag, *part, EOS), () if number else asked.prefix, seed + number)
                    for number, part in enumerate(ids)
                ]
            )
        different = list(dict.fromkeys(sentence for sentences in own for sentence in sentences))
        different.sort(key=lambda sentence: -len(sentence.source))  # as engines search: so the first are read meanwhile
        found = self._engine(asked).search(different, asked.config, log_probs=asked.log_probs) if different else []
        return partial(self._answers, own, different, found, asked.config.length_penalty)

    def _answers(
        self, own: list[list[Sentence]], different: list[Sentence], found: Iterable[list[Hypothesis]], alpha: float
    ) -> Iterator[Translation]:
        """The answer of each line, in order."""
        answers = dict(zip(different, map(self._translation, found), strict=True))
        for sentences in own:
            yield joined([answers[sentence] for sentence in sentences], alpha) if sentences else NOTHING

    def _translation(self, found: list[Hypothesis]) -> Translation:
        words = self.tokenizer.target
        first, *others = [
            Translation(words.decode(one.ids), words.pieces(one.ids), one.log_probs, one.score, []) for one in found
        ]
        return first._replace(others=others)

    def _pieces(self, lines: list[str]) -> Iterator[list[list[int]]]:
        """The pieces of each line, in one part or, where the model cannot read so many, in several; none if empty."""
        words, most = self.tokenizer.source, self.config.text.max_length
        lines = [without_end(line) for line in lines]  # a file that is open gives lines with their ends
        for line, ids in zip(lines, words.encode_many(lines), strict=True):
            if len(ids) <= most or not line.strip():
                yield [ids] if line.strip() else []
            else:
                yield [words.encode(part) for part in parts(line, lambda part: len(words.encode(part)) <= most)]

    def _log_probs(self, sources: list[list[int]], targets: list[list[int]]) -> list[list[float]]:
        return self._pytorch().log_probs(sources, targets)

    def _engine(self, asked: _Asked) -> Engine:
        if self.fast and not self.fast.refusal(asked.config, asked.prefix):
            return self.fast
        return self._pytorch()

    def _pytorch(self) -> "PyTorchEngine":
        from regard.decoding.pytorch import PyTorchEngine

        return PyTorchEngine(self.model)


def _until(lines: Iterable[str | None], raised: list[Exception]) -> Iterator[str | None]:
    """The lines before the one whose reading fails; the failure is put into `raised`."""
    try:
        yield from lines
    except Exception as error:
        raised.append(error)
