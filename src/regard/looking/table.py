"""The student's table: what one position does in one head, one step after the other, in numbers.

q . k, divided by sqrt(d_k), masked, exponentiated, normalised, times v, summed to z, and through W_O (section 3.2).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from regard.looking.trace import Attention, Kind, Numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """One query of one head, computed anew in float64 from q, k and v; places, layers, heads count from 0."""

    kind: Kind
    layer: int
    head: int
    place: int  # the row
    query: str
    keys: list[str]
    q: Float[Numbers, " d_k"]
    k: Float[Numbers, "key d_k"]
    v: Float[Numbers, "key value"]
    products: Float[Numbers, "key d_k"]  # q * k, number by number
    scores: Float[Numbers, " key"]  # their sum: q . k
    scaled: Float[Numbers, " key"]  # divided by sqrt(d_k)
    mask: Bool[Numbers, " key"]  # True: this key may be looked at
    masked: Float[Numbers, " key"]  # -inf where it may not
    exponentials: Float[Numbers, " key"]  # e^(masked - the largest of them), so that none overflows
    weights: Float[Numbers, " key"]  # divided by their sum
    weighted: Float[Numbers, "key value"]  # a * v
    running: Float[Numbers, "key value"]  # the sum of a * v so far; the last one is z
    z: Float[Numbers, " value"]
    added: Float[Numbers, " model"]  # z through the head's rows of W_O: what the head adds, but for b_O
    difference: float  # the largest between these numbers and the model's own

    def records(self) -> list[dict[str, Any]]:
        """A row for each key, for pandas.DataFrame(...)."""
        columns = {
            "q·k": self.scores,
            "q·k/sqrt(d_k)": self.scaled,
            "masked": self.masked,
            "exp": self.exponentials,
            "softmax": self.weights,
        }
        return [
            {"key": key, **{name: float(column[row]) for name, column in columns.items()}}
            | {"q": self.q.tolist(), "k": self.k[row].tolist(), "v": self.v[row].tolist()}
            | {"q*k": self.products[row].tolist(), "a*v": self.weighted[row].tolist()}
            | {"running sum": self.running[row].tolist()}
            for row, key in enumerate(self.keys)
        ]


def steps(block: Attention, head: int, place: int, *, query: str, keys: list[str]) -> Steps:
    """The arithmetic of one row; head and place count from 0."""
    q, k, v = (getattr(block, name)[head].astype(np.float64) for name in ("q", "k", "v"))
    q, mask = q[place], block.mask[place]
    products = q * k
    scores = products.sum(axis=1)
    scaled = scores / math.sqrt(len(q))
    masked = np.where(mask, scaled, -np.inf)
    exponentials = np.exp(masked - masked.max())
    weights = exponentials / exponentials.sum()
    weighted = weights[:, None] * v
    running = weighted.cumsum(axis=0)
    z = running[-1]
    added = z @ block.w_o[head].astype(np.float64)
    own = {"scores": scores, "scaled": scaled, "weights": weights, "context": z, "heads": added}
    differences = [np.abs(getattr(block, name)[head, place] - value).max() for name, value in own.items()]
    return Steps(
        kind=block.kind, layer=block.layer, head=head, place=place, query=query, keys=keys, q=q, k=k, v=v,
        products=products, scores=scores, scaled=scaled, mask=mask, masked=masked, exponentials=exponentials,
        weights=weights, weighted=weighted, running=running, z=z, added=added, difference=float(max(differences)),
    )  # fmt: skip
