"""Whether a shortlist is harmless, and quicker: held-out sentences are translated with it and without."""

import operator
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from regard.evaluation import bleu
from regard.interop.engines import READ, SHORTLIST, pick
from regard.interop.shortlist import Shortlist, learn_shortlist
from regard.text.formats import Pairs
from regard.text.store import encode_pairs

SAME, BLEU = 0.98, 0.1  # of the held-out sentences, so many must stay as they were; the BLEU may fall by so much
SENTENCES, ALONE = 1000, 50  # that are translated for the proof, together and one by one


class Verdict(NamedTuple):
    """What the proof found."""

    kept: bool
    pieces: int  # of the output layer, with the shortlist and without
    vocabulary: int
    same: float  # share of sentences with the same translation
    bleu: float  # change
    together: float  # how many times quicker many sentences are, and one alone
    alone: float

    def __str__(self) -> str:
        """For a person."""
        return (
            f"A shortlist, the likely target words, which makes the fast engine quicker, is "
            f"{'used' if self.kept else 'left out'}: with {self.pieces:,} of {self.vocabulary:,} pieces, "
            f"{self.same:.1%} of the held-out translations are the same, BLEU {self.bleu:+.2f}, "
            f"{self.together:.2f} times as quick together, {self.alone:.2f} alone."
        )


class _Translated(NamedTuple):
    """Held-out lines, in every direction, and the seconds that they took."""

    texts: list[str]
    bleu: list[float]  # of each direction
    together: float
    alone: float


def give_shortlist(folder: Path, train: Pairs, held_out: Pairs) -> Verdict:
    """Learns a shortlist for the model in this directory, and leaves it there if it proves harmless and quicker.

    It is proved on a copy of the model: whoever is interrupted leaves none behind that was not.
    """
    (folder / SHORTLIST).unlink(missing_ok=True)
    tokenizer = pick(folder, "cpu", "ctranslate2").translator.tokenizer
    learned = learn_shortlist(encode_pairs(tokenizer, train), tokenizer)
    verdict = prove(folder, learned, held_out)
    if verdict.kept:
        learned.save(folder / SHORTLIST)
        pick(folder, "cpu", "ctranslate2")  # made now, so that the first translation is quick
    return verdict


def prove(folder: Path, learned: Shortlist, held_out: Pairs) -> Verdict:
    """What becomes of held-out translations when this model is given the shortlist; both on copies."""
    part = Pairs(*(side[:SENTENCES] for side in held_out))
    with tempfile.TemporaryDirectory() as aside:
        for name in READ:
            if name != SHORTLIST and (folder / name).exists():
                shutil.copy(folder / name, aside)
        plain = _translated(Path(aside), part)
        learned.save(Path(aside) / SHORTLIST)
        short = _translated(Path(aside), part)
        vocabulary = len(pick(Path(aside), "cpu", "ctranslate2").translator.tokenizer.target)
    same = sum(map(operator.eq, plain.texts, short.texts)) / max(1, len(plain.texts))
    change = min(map(operator.sub, short.bleu, plain.bleu), default=0.0)
    together, alone = plain.together / short.together, plain.alone / short.alone
    kept = same >= SAME and change >= -BLEU and together > 1 and alone > 1
    return Verdict(kept, len(learned.outputs(vocabulary).pieces), vocabulary, same, change, together, alone)


def _translated(folder: Path, held_out: Pairs) -> _Translated:
    """By the translator for many lines, and some by the one for one."""
    many, one = (pick(folder, "cpu", "ctranslate2", one=one).translator for one in (False, True))
    found = _Translated([], [], 0.0, 0.0)
    for number, direction in enumerate(many.tokenizer.directions or (None,)):
        source, target = reversed(held_out) if number else held_out
        many.translate(source[:ALONE], direction=direction, log_probs=False)  # warms up
        began = time.perf_counter()
        texts = [answer.text for answer in many.translate(source, direction=direction, log_probs=False)]
        between = time.perf_counter()
        for line in source[:ALONE]:
            one.translate(line, direction=direction, log_probs=False)
        ended = time.perf_counter()
        found = _Translated(
            [*found.texts, *texts],
            [*found.bleu, bleu(texts, target).score],
            found.together + between - began,
            found.alone + ended - between,
        )
    return found
