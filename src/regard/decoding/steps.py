"""What every search of PyTorch's shares: what it asks of a model, how it scores, what it must and may not write."""

from typing import Protocol, TypeVar, overload, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regard.config import PAD
from regard.errors import InputError

Same = TypeVar("Same")


@runtime_checkable  # so that the tests can check signatures
class State(Protocol):
    """A decoder in the middle of its sentences, one row for each."""

    def select(self: Same, rows: Int[Tensor, " n"]) -> Same:
        """The state of `rows`, in that order; a row may come twice, or not at all."""
        ...


S = TypeVar("S", bound=State)

BLOCK = 64  # pieces whose maximum is taken together where the best of many are wanted


@runtime_checkable
class Steps(Protocol[S]):
    """A model that reads its target piece by piece."""

    def step(self, ids: Int[Tensor, " row"], state: S) -> tuple[Float[Tensor, "row vocab"], S]:
        """Reads one piece a row; the logits of the next, and the state after."""
        ...


@overload
def length_penalty(length: int, alpha: float) -> float: ...
@overload
def length_penalty(length: Tensor, alpha: float) -> Tensor: ...
def length_penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    """length ** alpha, by which a sum of log-probabilities is divided; the length counts eos.

    The convention of fairseq and of CTranslate2, so that scores can be compared: 0 ranks by the sum, 1 by the mean of a
    piece. It is not ((5 + length) / 6) ** alpha (Wu et al., 2016).
    """
    penalty: float | Tensor = length**alpha
    return penalty


def forced_pieces(prefix: list[list[int]] | None, limits: Int[Tensor, " batch"]) -> Int[Tensor, "batch target"]:
    """The piece that each sentence must have at each place of its prefix; behind it, up to the longest limit, -1."""
    if prefix is not None and len(prefix) != len(limits):
        raise ValueError(
            f"{len(prefix)} prefixes for {len(limits)} sentences: give each one its own; [] forces nothing."
        )
    forced = limits.new_full((len(limits), max(limits.tolist(), default=0)), -1)
    for row, ids in enumerate(prefix or []):
        ids = ids[: forced.shape[1]]
        forced[row, : len(ids)] = torch.tensor(ids, dtype=forced.dtype)
    return forced


def forbid_repeats(
    log_probs: Float[Tensor, "row vocab"], history: Int[Tensor, "row target"], n: int
) -> Float[Tensor, "row vocab"]:
    """-inf for each piece that would end a run of n pieces that its row already has; n = 0: nothing is forbidden.

    Eos is always allowed, for it has not come before.
    """
    length = history.shape[1]
    if not 0 < n <= length:
        return log_probs
    runs = history.unfold(1, n, 1)
    latest = history[:, length - n + 1 :]
    again = (runs[..., :-1] == latest[:, None]).all(dim=-1)
    return log_probs.scatter(1, runs[..., -1].where(again, PAD), -torch.inf)


def top(values: Float[Tensor, "row vocab"], n: int) -> tuple[Float[Tensor, "row n"], Int[Tensor, "row n"]]:
    """`topk` along the last axis: the n largest of each row, the largest first, and where they stand.

    Several times quicker on a processor for a large vocabulary, since the n largest stand in the n blocks with the
    largest maxima, and a maximum is quickly found.
    """
    whole = values.shape[1] // BLOCK
    if whole <= n:
        return values.topk(n)
    blocks = values[:, : whole * BLOCK].unflatten(1, (whole, BLOCK))
    block = blocks.amax(dim=2).topk(n).indices
    row = torch.arange(len(values), device=values.device)[:, None]
    best, place = torch.cat([blocks[row, block].flatten(1), values[:, whole * BLOCK :]], dim=1).topk(n)
    behind = place - n * BLOCK  # among what is left behind the last whole block
    inside = block.gather(1, (place // BLOCK).clamp(max=n - 1)) * BLOCK + place % BLOCK
    return best, inside.where(behind < 0, behind + whole * BLOCK)


def no_target(sentence: int) -> InputError:
    """What is wrong where a search comes back with nothing: no model whose logits are finite brings it about."""
    return InputError(
        f"Sentence {sentence} of the batch has no target of a probability above 0: the model's logits are not numbers, "
        f"or rule out what the prefix asks for. Are the model's weights finite?"
    )
