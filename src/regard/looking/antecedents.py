"""What is looked at when a pronoun is written, and what decides it: every head and every method, put to the test.

A `Question` is a sentence with two nouns, of which a pronoun of its translation stands for one, the antecedent, and
shows its gender. A head or a method is right about a sentence where it gives more to the antecedent (or to its
translation, in the prefix) than to the other noun, whatever the sign; by chance, in half of them. The counterfactual is
the measure: a noun is replaced by one of the other gender and the sentence translated anew. The pronoun has to follow
the antecedent, and must not care for the other noun.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.attribution import GRADIENTS, MAPS, RULES
from regard.looking.blocks import Block, as_sentences, passed
from regard.looking.gradients import integrated_gradients
from regard.looking.occlusion import Group, log_probs, without
from regard.looking.pronouns import Asked, Hits, Question, Values, ask, hits
from regard.looking.rollout import Sides
from regard.looking.swaps import Counterfactual, counterfactual, expected_change, swapped

CHUNK = 16  # questions of one batch: larger ones spend their time on asking for memory
STEPS = 16  # of integrated gradients: a rank needs no more
CHANCE = 0.5
MOST = 10_000  # no sentence has so many pieces
TOLD = 0.75  # a head that is right so often may be said to tell something
LEARNED = 0.9  # a model whose pronoun does so often as it should has learned what it stands for


class Antecedents(NamedTuple):
    """The whole table."""

    questions: int
    heads: list[Hits]
    methods: list[Hits]
    counterfactual: Counterfactual

    def records(self) -> dict[str, Any]:
        """The table in plain values, for a report."""
        heads, methods = ([row._asdict() for row in rows] for rows in (self.heads, self.methods))
        return {
            "questions": self.questions,
            "heads": heads,
            "methods": methods,
            "counterfactual": self.counterfactual._asdict(),
            "explained": explained(self),
        }


def antecedents(translator: Translator, questions: Sequence[Question], *, direction: str | None = None) -> Antecedents:
    """The table of every head and every method over these questions, and the counterfactual.

    Raises InputError where there is no question, or one in which a noun or a pronoun is not found.
    """
    if not questions:
        raise InputError("There is no question to put to the model; give one sentence at least.")
    asked = [ask(translator, question, direction) for question in questions]
    swaps = swapped(translator, questions, direction)
    found = [_passes(translator, asked[start : start + CHUNK]) for start in range(0, len(asked), CHUNK)]
    rows = [hits(*name, np.concatenate([part[name] for part in found])) for name in found[0]]
    methods = [row for row in rows if not row.place]
    methods += [*_occlusions(translator, asked), *expected_change(translator, asked, swaps)]
    methods = [row for row in methods if any(share is not None for share in row[2:])]  # no pronoun written: no share
    return Antecedents(len(asked), [row for row in rows if row.place], methods, counterfactual(asked, swaps))


class Range(NamedTuple):
    """The heads of one kind that look from one place: the least and the most that one of them has."""

    method: str
    place: str  # such as "cross, writing the pronoun"
    heads: int
    low: float
    high: float


def ranges(found: Antecedents) -> list[Range]:
    """The rows of the heads in short."""
    kinds: dict[tuple[str, str], list[Hits]] = {}
    for row in found.heads:
        head, _, where = row.place.partition(", ")
        kinds.setdefault((row.method, f"{head.split()[0]}, {where}"), []).append(row)
    return [
        Range(*kind, len(rows), min(row.lowest() for row in rows), max(row.highest() for row in rows))
        for kind, rows in kinds.items()
    ]


def best(rows: Sequence[Hits]) -> Hits:
    """The row with the highest share, on whichever side it has it."""
    return max(rows, key=Hits.highest)


def explained(found: Antecedents) -> list[str]:
    """What attention shows here and what it does not, in a few sentences for a person."""
    weights = [row for row in found.heads if row.method == "weights"]
    head, method, other = best(weights), best(methods_of_one_sentence(found)), found.counterfactual
    low, high = min(row.lowest() for row in weights), head.highest()
    tells = f"the best, {head.place}, tells something" if high >= TOLD else "none of them tells which noun it is"
    knows = min(other.follows, other.stays) >= LEARNED
    unlearned = "" if knows else " So it has not learned this well, and no picture can show what is not there."
    means = " A weight says where a head looks, not what the look is worth." if method.highest() > high else ""
    return [
        f"Where the model looks: {len(weights)} rows of heads give more weight to the noun that the pronoun stands for "
        f"than to the other noun in {low:.0%} to {high:.0%} of {found.questions} sentences (by chance {CHANCE:.0%}); "
        f"{tells}.",
        f"What decides: with another such noun, of the other gender, and all translated anew, the pronoun follows in "
        f"{other.follows:.1%} of {other.followed} sentences; with another noun in the other's place it stays in "
        f"{other.stays:.1%} of {other.stayed}.{unlearned}",
        f"The method that sees this best in one sentence is {method.method}: right in {method.highest():.0%}.{means}",
    ]


def methods_of_one_sentence(found: Antecedents) -> list[Hits]:
    """The methods that need no list of other nouns."""
    return [row for row in found.methods if not row.method.startswith("replaced")]


def _passes(translator: Translator, asked: Sequence[Asked]) -> dict[tuple[str, str], Values]:
    """Of every (method, head) and of every method that takes nothing away: what it gives to the nouns."""
    model = translator.transformer
    batch = as_sentences(model, [one.source for one in asked], [one.written for one in asked])
    found = passed(model, batch)
    values: dict[tuple[str, str], Values] = {}
    for stack in found[:3]:
        for number, block in enumerate(stack):
            values |= _heads(block, number + 1, asked)
    writing, first = [one.at for one in asked], [0] * len(asked)
    for name, (_, made) in MAPS.items():
        values[name, ""] = _of_nouns(made(model, batch, found), writing, asked)
    at, instead = (torch.tensor(side, device=batch.read.device) for side in (writing, [one.ids[1] for one in asked]))
    for name, gradients in GRADIENTS.items():
        worth = gradients if name == "gradient" else partial(integrated_gradients, steps=STEPS)
        values[name, ""] = _of_nouns(worth(model, batch, at), first, asked)
        values[f"{name}, contrastive", ""] = _of_nouns(worth(model, batch, at, instead), first, asked)
    return values


def _heads(block: Block, layer: int, asked: Sequence[Asked]) -> dict[tuple[str, str], Values]:
    """Each head's weights, and the norms of what they bring, in the rows where the pronoun is read or written."""
    transformed = torch.einsum("bhkv,hvm->bhkm", block.v, block.w_o).norm(dim=-1)
    named = {"weights": block.weights, "norms": block.weights * transformed[:, :, None]}
    rows = {"writing the pronoun": [one.at for one in asked], "reading the pronoun": [one.at + 1 for one in asked]}
    if block.kind == "encoder":
        rows = {"at the source's pronoun": [one.pointer[-1] for one in asked]}
    values = {}
    for name, of_heads in named.items():
        for where, places in rows.items():
            for head in range(of_heads.shape[1]):
                place = f"{block.kind} {layer}.{head + 1}, {where}"
                values[name, place] = _of_nouns(_on_its_side(block, of_heads[:, head]), places, asked)
    return values


def _on_its_side(block: Block, found: Float[Tensor, "batch query key"]) -> Sides:
    """The decoder's own attention is on the prefix; the others are on the source."""
    batch, queries, _ = found.shape
    nothing = found.new_zeros(1, 1, 1).expand(batch, queries, MOST)
    return Sides(nothing, found) if block.kind == "decoder" else Sides(found, nothing)


def _of_nouns(found: Sides, rows: Sequence[int], asked: Sequence[Asked]) -> Values:
    """(question, side, noun): the sums over the pieces of each noun, in the row of each question."""
    sides = [side.detach().double().cpu().numpy() for side in found]
    values = [
        [
            [side[number, row, list(noun)].sum() for noun in nouns]
            for side, nouns in zip(sides, (one.nouns, one.translations), strict=True)
        ]
        for number, (one, row) in enumerate(zip(asked, rows, strict=True))
    ]
    return np.array(values, dtype=np.float64)


def _occlusions(translator: Translator, asked: Sequence[Asked]) -> list[Hits]:
    """What taking a noun away costs the right pronoun: in log p, and against the other pronoun."""
    found = []
    before = np.array(log_probs(translator.transformer, [one.variant() for one in asked]))
    for name, rule in RULES.items():
        variants = [
            without(one.variant(), Group(side, places), rule)
            for one in asked
            for side, nouns in one.sides()
            for places in nouns
        ]
        after = np.array(log_probs(translator.transformer, variants)).reshape(len(asked), 2, 2, 2)
        lost = before[:, None, None] - after
        found += [hits(name, "", lost[..., 0]), hits(f"{name}, contrastive", "", lost[..., 0] - lost[..., 1])]
    return found
