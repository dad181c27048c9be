"""Words of the source hidden or moved: what becomes of the pronoun then."""

from collections.abc import Sequence
from typing import NamedTuple

from regard.decoding.pytorch import PyTorchEngine
from regard.decoding.sentences import Sentence
from regard.decoding.translator import Translator
from regard.looking.occlusion import Group, Rule, log_probs, without
from regard.looking.pronouns import Asked


class Pronouns(NamedTuple):
    """What becomes of the pronoun of many sentences; shares of them."""

    probable: float | None  # behind its right beginning, the right one is the more probable; None: not asked
    right: float  # the model's own translation has the right one
    other: float  # it has that of the other noun; where it has neither, the rest


def hidden(
    translator: Translator, asked: Sequence[Asked], places: Sequence[Sequence[int]], rule: Rule = "unk"
) -> Pronouns:
    """The pronouns where these pieces of each source are unknown ones (unk), or not there (drop)."""
    variants = [without(one.variant(), Group("source", gone), rule) for one, gone in zip(asked, places, strict=True)]
    found = log_probs(translator.transformer, variants)
    probable = sum(right > wrong for right, wrong in found) / len(found)
    return written(translator, asked, [variant.source for variant in variants])._replace(probable=probable)


def written(translator: Translator, asked: Sequence[Asked], sources: Sequence[list[int]]) -> Pronouns:
    """The pronouns of the model's own translations of these sources, greedily searched; each stands for a question's
    own source, changed in whatever way."""
    engine, config = PyTorchEngine(translator.model), translator.decoding(beam_size=1)
    answers = engine.search([Sentence(tuple(source)) for source in sources], config, log_probs=False)
    return pronouns(asked, [answer[0].ids for answer in answers])


def pronouns(asked: Sequence[Asked], translations: Sequence[list[int]]) -> Pronouns:
    """How often the pronoun of a translation is the right one, and how often the other one."""
    found = [(one.ids, one.pronoun(ids)) for one, ids in zip(asked, translations, strict=True)]
    right, other = (sum(ids[n] == pronoun for ids, pronoun in found) / len(found) for n in (0, 1))
    return Pronouns(None, right, other)
