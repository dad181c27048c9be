"""The shortlist: what a translation may hold, given the pieces of its source, so that the output layer is small.

Learned from the training pairs, and kept only where it proves harmless and quicker on sentences that were held out.
"""

import dataclasses
import shutil
import tempfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regard.config import EOS
from regard.decoding.translator import Translator
from regard.disk import written_whole
from regard.errors import InputError
from regard.evaluation import bleu
from regard.interop.engines import READ, SHORTLIST, pick
from regard.text.formats import Pairs
from regard.text.lexicon import Lexicon, frequent, learn_lexicon
from regard.text.store import Encoded, encode_pairs
from regard.text.tokenizer import Tokenizer, Vocabulary

CANDIDATES, LEAST = 40, 0.001  # of one source piece: so many at most, of this probability at least
FREQUENT = 250  # target pieces that may always come
SAME, BLEU = 0.98, 0.1  # of the held-out sentences, so many must stay as they were; the BLEU may fall by so much
SENTENCES, ALONE = 1000, 50  # that are translated for the proof, together and one by one


class Verdict(NamedTuple):
    """What the proof found."""

    kept: bool
    same: float  # share of sentences with the same translation
    bleu: float  # change
    together: float  # how many times quicker many sentences are, and one alone
    alone: float

    def __str__(self) -> str:
        """For a person."""
        return (
            f"The shortlist, likely target words for each source word that make the fast engine quicker, is "
            f"{'used' if self.kept else 'left out'}: {self.same:.1%} of the held-out translations are the same, "
            f"BLEU {self.bleu:+.2f}, {self.together:.2f} times as quick together, {self.alone:.2f} alone."
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Shortlist:
    """The target pieces that may come with each source piece, and those that always may."""

    always: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]  # as long as `source`: couples

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        with written_whole(path) as aside, aside.open("wb") as file:
            arrays = {name: value.astype(np.uint32) for name, value in vars(self).items()}
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Shortlist":
        """What `save` wrote. Raises InputError where it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as saved:  # np.load leaves a bad file open
                return cls(*(saved[field.name].astype(np.int64) for field in dataclasses.fields(cls)))
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise InputError(
                f"{path}: damaged. Take it from a copy, or delete it: it only makes things quicker."
            ) from None

    def coverage(self, pairs: Pairs, tokenizer: Tokenizer) -> float:
        """The share of the target pieces of these pairs that may come, each with the pieces of its own source."""
        encoded, found, total = encode_pairs(tokenizer, pairs), 0, 0
        own = {int(s): self.target[self.source == s] for s in np.unique(encoded.source.values)}
        for row in range(len(encoded.source)):
            allowed = np.concatenate([self.always, *(own[int(s)] for s in encoded.source[row])])
            found += int(np.isin(encoded.target[row], allowed).sum())
            total += len(encoded.target[row])
        return found / total

    def as_map(self, tokenizer: Tokenizer) -> str:
        """The text of CTranslate2's vmap.txt: a source piece, a tab, target pieces; no source: always."""
        written = tokenizer.target.pieces(range(len(tokenizer.target)))
        named = tokenizer.source.pieces(range(len(tokenizer.source)))
        rows = [("", self.always)]
        edges = np.flatnonzero(np.diff(self.source, prepend=-1))
        groups = np.split(self.target, edges)[1:]
        rows += [(named[s], group) for s, group in zip(self.source[edges].tolist(), groups, strict=True)]
        lines = ("\t".join([name, " ".join(written[t] for t in group.tolist())]) for name, group in rows)
        return "".join(f"{line}\n" for line in lines)


def learn_shortlist(pairs: Pairs, tokenizer: Tokenizer) -> Shortlist:
    """From pairs: the pieces that model 1 takes for translations of each other, and each piece for itself."""
    encoded = encode_pairs(tokenizer, pairs)
    return shortlist_of(learn_lexicon(encoded), encoded, tokenizer)


def shortlist_of(lexicon: Lexicon, encoded: Encoded, tokenizer: Tokenizer) -> Shortlist:
    """The best translations of each piece in a lexicon, the most frequent pieces, and each piece for itself."""
    best = lexicon.best(CANDIDATES, LEAST)
    always = {EOS, *_plain(tokenizer.target), *frequent(encoded.target, FREQUENT).tolist()}
    itself = [(s, t) for s, t in _shared(tokenizer) if t not in always]
    couples = {*zip(best.source.tolist(), best.target.tolist(), strict=True), *itself}
    ordered = np.array(sorted(couple for couple in couples if couple[1] not in always), np.int64).reshape(-1, 2)
    return Shortlist(np.array(sorted(always)), ordered[:, 0], ordered[:, 1])


def _plain(words: Vocabulary) -> list[int]:
    """Bytes, digits and single signs: what anything can be spelt with."""
    pieces = words.pieces(range(len(words)))
    return [
        number
        for number, piece in enumerate(pieces)
        if number > EOS and ((len(piece) == 6 and piece.startswith("<0x")) or not any(map(str.isalpha, piece)))
    ]


def _shared(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Each source piece and the target piece that is written like it."""
    if tokenizer.joint:
        return [(number, number) for number in range(EOS + 1, len(tokenizer.source))]
    theirs = {piece: number for number, piece in enumerate(tokenizer.target.pieces(range(len(tokenizer.target))))}
    named = tokenizer.source.pieces(range(len(tokenizer.source)))
    return [(number, theirs[piece]) for number, piece in enumerate(named) if number > EOS and piece in theirs]


def give_shortlist(folder: Path, train: Pairs, held_out: Pairs) -> Verdict:
    """Learns a shortlist for the model in this directory, and leaves it there where it proves harmless and quicker.

    It is proved on a copy of the model: whoever is interrupted leaves none behind that was not.
    """
    (folder / SHORTLIST).unlink(missing_ok=True)
    learned = learn_shortlist(train, _both_ways(folder)[0].tokenizer)
    verdict = prove(folder, learned, held_out)
    if verdict.kept:
        learned.save(folder / SHORTLIST)
        pick(folder, "cpu", "ctranslate2")  # made now, so that the first translation is quick
    return verdict


def prove(folder: Path, learned: Shortlist, held_out: Pairs) -> Verdict:
    """What becomes of held-out translations when this model, which has no shortlist, is given this one; on a copy."""
    with tempfile.TemporaryDirectory() as aside:
        for name in READ:
            if (folder / name).exists():
                shutil.copy(folder / name, aside)
        learned.save(Path(aside) / SHORTLIST)
        part = Pairs(*(side[:SENTENCES] for side in held_out))
        return _compared(_both_ways(folder), _both_ways(Path(aside)), part)


def _both_ways(folder: Path) -> list[Translator]:
    """The translator for many lines, and for one."""
    return [pick(folder, "cpu", "ctranslate2", one=one).translator for one in (False, True)]


def _compared(plain: list[Translator], short: list[Translator], held_out: Pairs) -> Verdict:
    same, change, seconds = [], [], np.zeros((2, 2))
    for number, direction in enumerate(plain[0].tokenizer.directions or (None,)):
        source, target = reversed(held_out) if number else held_out
        texts = []
        for which, (many, one) in enumerate((plain, short)):
            many.translate(source[:ALONE], direction=direction, log_probs=False)  # warms up
            began = time.perf_counter()
            texts.append([answer.text for answer in many.translate(source, direction=direction, log_probs=False)])
            between = time.perf_counter()
            for line in source[:ALONE]:
                one.translate(line, direction=direction, log_probs=False)
            seconds[which] += between - began, time.perf_counter() - between
        same += [one == other for one, other in zip(*texts, strict=True)]
        change.append(bleu(texts[1], target).score - bleu(texts[0], target).score)
    together, alone = (seconds[0] / seconds[1]).tolist()
    share, worst = sum(same) / max(1, len(same)), min(change, default=0.0)
    return Verdict(share >= SAME and worst >= -BLEU and together > 1 and alone > 1, share, worst, together, alone)
