"""Lines on their way through a search: what one asks for, what it gets, and how long lines are cut and joined again."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from regard.config import DecodingConfig
from regard.decoding.hypothesis import Hypothesis


class Translation(NamedTuple):
    """One answer, and what the model thought of it."""

    text: str
    pieces: list[str]  # as the model wrote them; the last is the end, unless it ran out of room
    log_probs: list[float]  # log p of each piece, in nats
    score: float  # log p of the whole, divided by length ** length_penalty
    others: list["Translation"]  # the next best, where more than one was asked for
    parts: int = 1  # more where the line was too long to be read at once


class Sentence(NamedTuple):
    """What is translated at once: a line, or a part of one."""

    source: tuple[int, ...]  # with tag and eos
    prefix: tuple[int, ...] = ()  # the first pieces of its translation
    seed: int = 0  # of its chances, where it is sampled


@runtime_checkable  # so that the tests can check signatures
class Engine(Protocol):
    """What searches for targets with the weights of a model."""

    def refusal(self, config: DecodingConfig, prefix: Sequence[int]) -> str:
        """Why this engine cannot search in this way; empty where it can."""
        ...

    def search(
        self, sentences: Sequence[Sentence], config: DecodingConfig, *, log_probs: bool
    ) -> Iterable[list[Hypothesis]]:
        """The n best targets of each sentence, best first, in the order of the sentences; the work may go on in the
        background until they are read. Without log_probs, these and the scores may be left out."""
        ...


# Where a line is cut, best first: at sentence ends, at spaces and commas. Chinese and Japanese have no spaces there.
BORDERS = (
    r"(?<=[.!?…])\s+|(?<=[。！？])(?![。！？」』）”])\s*|(?<=[。！？][」』）”])\s*",
    r"\s+|(?<=[，、；])",
)
UNSPACED = r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]$"  # no space behind it
NOTHING = Translation("", [], [], 0.0, [])  # the translation of an empty line


def parts(line: str, fits: Callable[[str], bool]) -> list[str]:
    """The line, or parts of it that fit: cut at sentence ends, then at spaces or commas, then anywhere."""
    if len(line) < 2 or not line.strip() or fits(line):
        return [line]
    line = line.strip()
    for border in BORDERS:
        if cuts := [cut for cut in re.finditer(border, line) if cut.end() < len(line)]:
            cut = cuts[(len(cuts) - 1) // 2]
            return parts(line[: cut.start()], fits) + parts(line[cut.end() :], fits)
    middle = len(line) // 2
    return parts(line[:middle], fits) + parts(line[middle:], fits)


def joined(answers: list[Translation], length_penalty: float) -> Translation:
    """The translations of the parts of one line as one; so the second best of each make the second best of the line.

    They stand with a space between them, where their own writing has one: that of the source may be another.
    """
    if len(answers) == 1:
        return answers[0]
    rows = zip(*([part, *part.others] for part in answers), strict=False)
    first, *others = [_in_a_row(row, length_penalty) for row in rows]
    return first._replace(others=others)


def _in_a_row(row: Sequence[Translation], length_penalty: float) -> Translation:
    log_probs = [log_prob for part in row for log_prob in part.log_probs]
    return Translation(
        "".join(part.text if re.search(UNSPACED, part.text) else f"{part.text} " for part in row).rstrip(" "),
        [piece for part in row for piece in part.pieces],
        log_probs,
        sum(log_probs) / max(1, len(log_probs)) ** length_penalty,
        [],
        len(row),
    )


def longest_target(length: int, config: DecodingConfig) -> int:
    """How many pieces a translation may have, of a source of so many."""
    return int(min(config.max_ratio * length + 10, config.max_length))


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Rows of like length together, the longest first, each batch within the budget of padded pieces."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def growing_chunks(lines: Iterable[str | None], first: int, most: int) -> Iterator[list[str]]:
    """The lines some at a time, few at first so that their answers come early, later more so that they sort well.

    Where None stands among them, a chunk ends, and an empty one is behind it: what is there is not to wait.
    """
    size, chunk = first, list[str]()
    for line in lines:
        if line is not None:
            chunk.append(line)
        if line is None or len(chunk) == size:
            yield from (chunk, []) if line is None and chunk else (chunk,)
            size, chunk = min(4 * size, most) if line is not None else size, []
    if chunk:
        yield chunk
