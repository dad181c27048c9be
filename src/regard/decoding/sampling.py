"""Sampling: targets drawn piece by piece from what the model believes, or from the more probable part of it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regard.config import BOS, EOS, DecodingConfig
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.steps import S, Steps, forbid_repeats, forced_pieces, length_penalty, no_target
from regard.errors import InputError

NUCLEUS = 128  # pieces among which a nucleus is looked for first


@torch.no_grad()
def sample(
    model: Steps[S],
    state: S,
    *,
    batch: int,
    config: DecodingConfig,
    max_lengths: Int[Tensor, " batch"],
    prefix: list[list[int]] | None = None,
    seeds: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """config.n_best independent targets of each sentence, in the order in which they were drawn.

    Everything else is as in `beam_search`; the log-probabilities are the model's own, whatever the temperature. The
    targets of a sentence depend on its seed (without `seeds`: config.seed + its row), not on the others of the batch.
    """
    if config.temperature <= 0:
        raise InputError(
            "decoding.temperature is 0; to sample, set it above 0. For the best target, search with a beam."
        )
    limits = max_lengths.clamp(min=1)
    chance = _chance(range(config.seed, config.seed + batch) if seeds is None else seeds, limits, config.n_best)
    owner = torch.arange(batch, device=limits.device).repeat_interleave(config.n_best)
    wanted = _Wanted(chance, forced_pieces(prefix, limits)[owner], limits[owner])
    rows = _draw_rows(model, state.select(owner), wanted, config)
    broken = [row for row, drawn in enumerate(rows) if not math.isfinite(drawn.score)]
    if broken:
        raise no_target(broken[0] // config.n_best)
    return [rows[first : first + config.n_best] for first in range(0, len(rows), config.n_best)]


class _Wanted(NamedTuple):
    """What is settled of each row before the model is asked."""

    chance: Float[Tensor, "row target"]  # in [0, 1): which of the pieces, in the order of their probability, is drawn
    forced: Int[Tensor, "row target"]  # -1: free
    limit: Int[Tensor, " row"]


def _chance(seeds: Sequence[int], limits: Int[Tensor, " batch"], n: int) -> Float[Tensor, "row target"]:
    """n rows of random numbers for each sentence, one a piece, from a generator of its own."""
    longest = max(limits.tolist(), default=0)
    chance = torch.zeros(len(limits), n, longest)
    for rows, seed, limit in zip(chance, seeds, limits.tolist(), strict=True):
        rows[:, :limit] = torch.rand(n, limit, generator=torch.Generator().manual_seed(seed))
    return chance.flatten(0, 1).to(limits.device)


def _draw_rows(model: Steps[S], state: S, wanted: _Wanted, config: DecodingConfig) -> list[Hypothesis]:
    """One target a row. What has ended leaves the model's batch at once."""
    rows, longest = wanted.chance.shape
    history = torch.full((rows, longest + 1), BOS, device=wanted.limit.device)
    log_probs = torch.zeros_like(wanted.chance)
    lengths = torch.zeros_like(wanted.limit)
    living = torch.arange(rows, device=wanted.limit.device)
    for step in range(longest):
        logits, state = model.step(history[living, step], state)
        believed = logits.float().log_softmax(dim=-1)
        allowed = forbid_repeats(believed, history[living, : step + 1], config.no_repeat_ngram)[:, EOS:]
        must = wanted.forced[living, step]
        piece = must.where(must >= 0, draw(allowed, wanted.chance[living, step], config) + EOS)
        history[living, step + 1] = piece
        log_probs[living, step] = believed.gather(1, piece[:, None])[:, 0]
        lengths[living] = step + 1
        going = (piece != EOS) & (wanted.limit[living] > step + 1)
        if not going.any():
            break
        if not going.all():
            living, state = living[going], state.select(going.nonzero()[:, 0])
    columns = (lengths.tolist(), history[:, 1:].tolist(), log_probs.tolist())
    return [_read(ids[:n], own[:n], config.length_penalty) for n, ids, own in zip(*columns, strict=True)]


def _read(ids: list[int], log_probs: list[float], alpha: float) -> Hypothesis:
    return Hypothesis(ids, log_probs, sum(log_probs) / length_penalty(len(ids), alpha), ids[-1] == EOS)


def draw(
    log_probs: Float[Tensor, "row vocab"], chance: Float[Tensor, " row"], config: DecodingConfig
) -> Int[Tensor, " row"]:
    """Where the cumulative probability passes `chance`, a number in [0, 1): the inverse of the distribution function.

    The distribution is softmax(log_probs / temperature), of which the top_k most probable are kept, and of these the
    fewest that hold top_p of the probability (the nucleus; Holtzman et al., 2020).
    """
    p = (log_probs / config.temperature).softmax(dim=-1)
    place = None
    if config.top_k or config.top_p < 1:
        p, place = _most_probable(p, config)
    reached = p.cumsum(dim=1)
    last = (reached < reached[:, -1:].clamp(max=config.top_p)).sum(dim=1, keepdim=True)
    drawn = torch.searchsorted(reached, chance[:, None] * reached.gather(1, last), right=True).minimum(last)
    return (drawn if place is None else place.gather(1, drawn))[:, 0]


class _Head(NamedTuple):
    p: Float[Tensor, "row head"]
    place: Int[Tensor, "row head"]


def _most_probable(p: Float[Tensor, "row vocab"], config: DecodingConfig) -> _Head:
    """The most probable pieces, best first: the top_k, made to sum to 1 again, or enough to hold the nucleus."""
    vocab = p.shape[1]
    if config.top_k:
        best, place = p.topk(min(config.top_k, vocab))
        return _Head(best / best.sum(dim=1, keepdim=True), place)
    width = NUCLEUS
    while True:
        best, place = p.topk(min(width, vocab))
        if width >= vocab or (best.sum(dim=1) >= config.top_p).all():
            return _Head(best, place)
        width *= 8  # sorting the whole vocabulary would cost more than the model
