"""Whether a shortlist is harmless, and quicker: held-out sentences are translated with it and without."""

import dataclasses
import operator
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regard.decoding.directory import WEIGHTS
from regard.decoding.sentences import Translation
from regard.decoding.translator import Translator
from regard.disk import hash_of
from regard.evaluation import bleu, tokenization
from regard.interop.engines import READ, SHORTLIST, pick
from regard.interop.rest import fit_rest, squares
from regard.interop.shortlist import Shortlist, left_out, likely_pieces
from regard.text.formats import Pairs
from regard.text.store import Encoded, encode_pairs

SAME, BLEU = 0.98, 0.1  # of the held-out sentences, so many must stay as they were; the BLEU may fall by so much
LEAST = 0.1  # of the vocabulary, that has to be left out to be worth the trouble
BEAMS = (1, 5)  # with which the translations must stay as they were
FEWEST, SENTENCES = 200, 1000  # held-out pairs that the proof needs, and that it takes at most
OWN = 20_000  # training sources that the model translates at most, to tell what it writes
ROUNDS, TOGETHER, ALONE = 3, 200, 50  # of the timing, and the sentences of each: together, and one by one
WHAT = "A shortlist, the likely target words, which makes the fast engine quicker, is"


class Untried(NamedTuple):
    """Why there is no proof, and no shortlist."""

    why: str

    def __str__(self) -> str:
        """For a person."""
        return f"{WHAT} left out: {self.why}."


class Verdict(NamedTuple):
    """What the proof found."""

    kept: bool
    pieces: int  # of the output layer, with the shortlist and without
    vocabulary: int
    same: float  # share of sentences with the same translation, at the direction and the beam where it is least
    bleu: float  # change, where it is worst
    together: float  # how many times quicker many sentences are, and one alone
    alone: float

    def __str__(self) -> str:
        """For a person."""
        return (
            f"{WHAT} {'used' if self.kept else 'left out'}: with {self.pieces:,} of {self.vocabulary:,} pieces, "
            f"{self.same:.1%} of the held-out translations are the same, BLEU {self.bleu:+z.2f}, "
            f"{self.together:.2f} times as quick together, {self.alone:.2f} alone."
        )


class _Ways(NamedTuple):
    """The fast engine of a model, for many lines and for one."""

    many: Translator
    one: Translator


def give_shortlist(folder: Path, train: Pairs, held_out: Pairs, *, threads: int | None = None) -> Verdict | Untried:
    """Learns a shortlist for the model in this directory, and leaves it there if it proves harmless and quicker.

    A short one is tried first, and a longer one where that does harm. Each is proved on a copy of the model: whoever is
    interrupted leaves none behind that was not. It is for these weights alone; an engine made from others does not
    take it.
    """
    (folder / SHORTLIST).unlink(missing_ok=True)
    if (count := len(held_out.source)) < FEWEST:
        return Untried(f"too few held-out pairs to prove that it does no harm ({count}; it takes {FEWEST})")
    weights = hash_of(folder / WEIGHTS)
    translator = pick(folder, "cpu", "ctranslate2", threads=threads).translator
    tokenizer, encoded = translator.tokenizer, encode_pairs(translator.tokenizer, train)
    long = likely_pieces(encoded, tokenizer)
    others = len(left_out(long, len(tokenizer.target)))
    if others < LEAST * len(tokenizer.target):
        return Untried(f"hardly any piece can be left out ({others:,} of {len(tokenizer.target):,})")
    for listed in (likely_pieces(encoded, tokenizer, worth=worth_of(translator, train, encoded)), long):
        learned = Shortlist(listed, fit_rest(translator.model, encoded, listed))
        verdict = prove(folder, learned, held_out, threads=threads)
        if verdict.kept:
            dataclasses.replace(learned, weights=weights).save(folder / SHORTLIST)
            pick(folder, "cpu", "ctranslate2", threads=threads)  # made now, so that the first translation is quick
            break
    return verdict


def prove(folder: Path, learned: Shortlist, held_out: Pairs, *, threads: int | None = None) -> Verdict:
    """What becomes of held-out translations when this model is given the shortlist; both on copies."""
    part = Pairs(*(side[:SENTENCES] for side in held_out))
    same, changes, seconds = list[float](), list[float](), np.zeros((2, 2))
    with tempfile.TemporaryDirectory() as aside:
        plain = _opened(folder, Path(aside) / "plain", threads=threads)
        short = _opened(folder, Path(aside) / "short", learned, threads=threads)
        words = plain.many.tokenizer
        for number, direction in enumerate(words.directions or (None,)):
            source, target = reversed(part) if number else part
            tokenize = tokenization((direction or "").partition("-")[2])
            for beam in BEAMS:
                answers = (_translate(ways.many, source, direction, beam) for ways in (plain, short))
                texts = [[one.text for one in side] for side in answers]
                same.append(sum(map(operator.eq, *texts)) / len(source))
                before, after = (bleu(side, target, tokenize=tokenize).score for side in texts)
                changes.append(after - before)
            seconds += _timed((plain, short), source, direction)
    together, alone = (seconds[0] / seconds[1]).tolist()
    share, change, vocabulary = min(same), min(changes), len(words.target)
    kept = share >= SAME and change >= -BLEU and together > 1 and alone > 1
    return Verdict(kept, len(learned.outputs(vocabulary).pieces), vocabulary, share, change, together, alone)


def worth_of(translator: Translator, train: Pairs, encoded: Encoded) -> NDArray[np.float64]:
    """Of each target piece, how much an output layer would lose with it: the most if the model writes it when it
    translates training sources, which are taken by chance, but always the same."""
    words, worth = translator.tokenizer, squares(translator.model, encoded)
    rows = np.random.default_rng(1).permutation(len(train.source))[:OWN].tolist()
    for direction, side in zip(words.directions or (None,), train, strict=False):
        for one in _translate(translator, [side[row] for row in rows], direction, 1):
            worth[[words.target.id_of(piece) for piece in one.pieces]] = np.inf
    return worth


def _opened(folder: Path, place: Path, shortlist: Shortlist | None = None, *, threads: int | None = None) -> _Ways:
    """A copy of the model, with this shortlist or with none."""
    place.mkdir()
    for name in READ:
        if name != SHORTLIST and (folder / name).exists():
            shutil.copy(folder / name, place)
    if shortlist:
        dataclasses.replace(shortlist, weights=hash_of(place / WEIGHTS)).save(place / SHORTLIST)
    return _Ways(*(pick(place, "cpu", "ctranslate2", threads=threads, one=one).translator for one in (False, True)))


def _translate(translator: Translator, lines: list[str], direction: str | None, beam: int) -> list[Translation]:
    """By the fast engine, whatever the model's settings for decoding are."""
    plain: dict[str, Any] = {"n_best": 1, "temperature": 0.0, "no_repeat_ngram": 0}
    return translator.translate(lines, direction=direction, log_probs=False, beam_size=beam, **plain)


def _timed(both: Sequence[_Ways], lines: list[str], direction: str | None) -> NDArray[np.float64]:
    """Seconds of each for many lines and for some one by one: the fewest of some rounds by turns, since what else the
    machine does only adds to them."""
    fewest = np.full((len(both), 2), np.inf)
    for _ in range(ROUNDS):
        for which, ways in enumerate(both):
            began = time.perf_counter()
            _translate(ways.many, lines[:TOGETHER], direction, max(BEAMS))
            between = time.perf_counter()
            for line in lines[:ALONE]:
                _translate(ways.one, [line], direction, max(BEAMS))
            fewest[which] = np.minimum(fewest[which], (between - began, time.perf_counter() - between))
    return fewest
