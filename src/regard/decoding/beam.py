"""Beam search over a whole batch: exact where the beam is wide enough, greedy where it is one wide.

Axes beside those of `regard.model.attention`:

    beam       living hypotheses of a sentence
    row        the living hypotheses of all sentences, as the model reads them: (batch beam), flattened
    candidate  the best continuations of a sentence's hypotheses

A search is over when beam_size hypotheses have ended, as CTranslate2's is; with a length penalty of 0, when nothing can
win any more. A sentence leaves the batch sooner if its answer is known before.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from regard.config import BOS, EOS, DecodingConfig
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.steps import S, Steps, forbid_repeats, forced_pieces, length_penalty, no_target, top


class Growth(NamedTuple):
    """One step of the beam tree: the best candidates of each sentence that is still searched, best first.

    What neither ended nor was kept was discarded. Nodes are counted through the whole tree, in the order of its tables.
    """

    sentence: Int[Tensor, " batch"]  # which of the sentences that the search began with
    row: Int[Tensor, "batch candidate"]  # the row that is continued, in what the model read at this step
    parent: Int[Tensor, "batch candidate"]  # the node that is continued; -1: bos
    node: Int[Tensor, "batch candidate"]  # the candidate itself
    piece: Int[Tensor, "batch candidate"]
    log_prob: Float[Tensor, "batch candidate"]  # of the piece
    total: Float[Tensor, "batch candidate"]  # of all pieces up to it; -inf: there is no such candidate
    ended: Bool[Tensor, "batch candidate"]  # a finished hypothesis
    kept: Bool[Tensor, "batch candidate"]  # a living hypothesis


class Found(NamedTuple):
    """What a beam search found, and how."""

    hypotheses: list[list[Hypothesis]]  # of each sentence the n best, best first
    tree: list[Growth]  # one a step


class _Living(NamedTuple):
    """The hypotheses that may still grow, best first; a place that a sentence does not fill has a total of -inf."""

    sentence: Int[Tensor, " batch"]
    node: Int[Tensor, "batch beam"]
    total: Float[Tensor, "batch beam"]
    history: Int[Tensor, "row target"]  # bos and the pieces so far
    born: int  # nodes so far


def beam_search(
    model: Steps[S],
    state: S,
    *,
    batch: int,
    config: DecodingConfig,
    max_lengths: Int[Tensor, " batch"],
    prefix: list[list[int]] | None = None,
    scored: bool = True,
) -> list[list[Hypothesis]]:
    """The config.n_best best targets of each sentence, best first; those that were cut off come behind the finished.

    Fewer, where the prefix or the limit leaves fewer. `state` has a row for each of the `batch` sentences. max_lengths
    (on the model's device) counts all pieces, eos and prefix included. Each target begins with its prefix, if there is
    one. Pad, unk and bos are not produced, but may be forced. With beam_size 1 the search is greedy: it ends at the
    first eos. If it need not be `scored`, it is quicker then, and has no log-probabilities and a score of 0.
    """
    scored = scored or config.beam_size > 1
    found = beam_tree(
        model, state, batch=batch, config=config, max_lengths=max_lengths, prefix=prefix, scored=scored
    ).hypotheses
    return found if scored else [[one._replace(log_probs=[], score=0.0) for one in row] for row in found]


@torch.no_grad()
def beam_tree(
    model: Steps[S],
    state: S,
    *,
    batch: int,
    config: DecodingConfig,
    max_lengths: Int[Tensor, " batch"],
    prefix: list[list[int]] | None = None,
    scored: bool = True,
) -> Found:
    """`beam_search`, and the tree it grew (which it needs anyway: a hypothesis is read from its end to its root).

    Where it is not `scored`, logits stand for log-probabilities: the largest is the same, and that is all that a greedy
    search looks at.
    """
    limits = max_lengths.clamp(min=1)
    forced = forced_pieces(prefix, limits)
    answers = _Answers(limits, config)
    living = _roots(batch, limits.device)
    tree: list[Growth] = []
    while len(living.sentence):
        logits, state = model.step(living.history[:, -1], state)
        scores = logits.float().log_softmax(dim=-1) if scored else logits.float()
        growth = _grow(scores, living, forced[living.sentence, len(tree)], config)
        tree.append(growth)
        done = answers.take(growth, len(tree))
        rows, living = _go_on(growth, ~done, living, config.beam_size)
        if not torch.equal(rows, torch.arange(len(logits), device=rows.device)):
            state = state.select(rows)
    return Found(answers.read(tree), tree)


def _roots(batch: int, device: torch.device) -> _Living:
    """One row for each sentence, before its first piece."""
    return _Living(
        sentence=torch.arange(batch, device=device),
        node=torch.full((batch, 1), -1, device=device),
        total=torch.zeros(batch, 1, device=device),
        history=torch.full((batch, 1), BOS, device=device),
        born=0,
    )


class _Next(NamedTuple):
    """The best next pieces of each row, best first."""

    log_prob: Float[Tensor, "row next"]
    piece: Int[Tensor, "row next"]


def _continue(
    log_probs: Float[Tensor, "row vocab"], living: _Living, must: Int[Tensor, " batch"], config: DecodingConfig
) -> _Next:
    """Twice beam_size pieces a row: at most one of each is eos, which leaves beam_size of a sentence's best to go on.

    One is enough where the search is greedy, and where every sentence is still in its prefix.
    """
    alone = config.beam_size == 1 or bool((must >= 0).all())
    wide = 1 if alone else min(2 * config.beam_size, log_probs.shape[1] - EOS)
    best, place = top(forbid_repeats(log_probs, living.history, config.no_repeat_ngram)[:, EOS:], wide)
    must = must.repeat_interleave(living.total.shape[1])[:, None]
    forced = torch.full_like(best, -torch.inf)
    forced[:, :1] = log_probs.gather(1, must.clamp(min=0))  # the model's own: what is forced may repeat
    return _Next(best.where(must < 0, forced), (place + EOS).where(must < 0, must))


def _grow(
    log_probs: Float[Tensor, "row vocab"], living: _Living, must: Int[Tensor, " batch"], config: DecodingConfig
) -> Growth:
    """The best candidates of each sentence; eos ends a hypothesis where it is among the first beam_size of them."""
    batch, beam = living.total.shape
    log_prob, piece = _continue(log_probs, living, must, config)
    total = living.total.view(-1, 1) + log_prob
    total, place = total.view(batch, -1).topk(min(2 * config.beam_size, beam * total.shape[1]))
    parent = place // log_prob.shape[1]
    piece, log_prob = piece.view(batch, -1).gather(1, place), log_prob.view(batch, -1).gather(1, place)
    exists, lives = total > -torch.inf, piece != EOS
    return Growth(
        sentence=living.sentence,
        row=parent + beam * torch.arange(batch, device=parent.device)[:, None],
        parent=living.node.gather(1, parent),
        node=living.born + torch.arange(place.numel(), device=place.device).view_as(place),
        piece=piece,
        log_prob=log_prob,
        total=total,
        ended=exists & ~lives & (torch.arange(place.shape[1], device=place.device) < config.beam_size),
        kept=exists & lives & (lives.cumsum(dim=1) <= config.beam_size),
    )


def _go_on(growth: Growth, going: Bool[Tensor, " batch"], living: _Living, beam_size: int) -> tuple[Tensor, _Living]:
    """The living hypotheses of the sentences that go on, and the rows that each of them continues."""
    total = growth.total.masked_fill(~growth.kept, -torch.inf)[going]
    total, place = total.topk(min(beam_size, total.shape[1]))
    row, node, piece = (x[going].gather(1, place) for x in (growth.row, growth.node, growth.piece))
    history = torch.cat([living.history[row.flatten()], piece.view(-1, 1)], dim=1)
    return row.flatten(), _Living(growth.sentence[going], node, total, history, living.born + growth.node.numel())


_FINISHED, _CUT = 0, 1


class _Answers:
    """The n best targets of each sentence so far, those that are finished and those cut off, by score and by node."""

    def __init__(self, limits: Int[Tensor, " batch"], config: DecodingConfig) -> None:
        self.limits, self.alpha, self.n_best = limits, config.length_penalty, config.n_best
        self.enough = config.beam_size if config.length_penalty else math.inf
        self.ended = torch.zeros_like(limits)
        self.score = torch.full((2, len(limits), config.n_best), -torch.inf, device=limits.device)
        self.node = torch.full_like(self.score, -1, dtype=torch.long)

    def take(self, growth: Growth, length: int) -> Bool[Tensor, " batch"]:
        """Takes in what ended. Tells which sentences are done: enough has ended, at their limit, or settled.

        A sentence is settled when none of its living hypotheses can beat its n-th best finished one. Proof: a living
        hypothesis has a sum s of log-probabilities. Finished, it has a sum s' <= s <= 0, since no log-probability is
        positive, and a length l' with length < l' <= limit. Its score is s' / l'^alpha <= s / l'^alpha, and because
        s <= 0 that is largest for the largest divisor: at most s / limit^alpha if alpha > 0, s / (length + 1)^alpha if
        not. All the living are of one length, so the best s gives the bound for all.
        """
        limit = self.limits[growth.sentence]
        self._add(_FINISHED, growth, growth.ended, length)
        self.ended[growth.sentence] += growth.ended.sum(dim=1)
        self._add(_CUT, growth, growth.kept & (limit <= length)[:, None], length)
        best = growth.total.masked_fill(~growth.kept, -torch.inf).amax(dim=1)
        reach = limit if self.alpha > 0 else torch.full_like(limit, length + 1)
        settled = self.score[_FINISHED, growth.sentence, -1] >= best / length_penalty(reach, self.alpha)
        return settled | (self.ended[growth.sentence] >= self.enough) | (limit <= length)

    def _add(self, kind: int, growth: Growth, chosen: Bool[Tensor, "batch candidate"], length: int) -> None:
        if chosen.any():
            score = growth.total.masked_fill(~chosen, -torch.inf) / length_penalty(length, self.alpha)
            at = (kind, growth.sentence)
            self.score[at], place = torch.cat([self.score[at], score], dim=1).topk(self.n_best)
            self.node[at] = torch.cat([self.node[at], growth.node], dim=1).gather(1, place)

    def read(self, tree: list[Growth]) -> list[list[Hypothesis]]:
        """The n best of each sentence, those cut off behind the finished.

        Raises ValueError where a sentence has none, which a model whose logits are numbers cannot bring about.
        """
        nodes = _Nodes(
            *([x for step in tree for x in getattr(step, name).flatten().tolist()] for name in _Nodes._fields)
        )
        scores, ends = (both.transpose(0, 1).flatten(1).tolist() for both in (self.score, self.node))
        answers = [
            [_read(end, score, nodes) for score, end in zip(*row, strict=True) if score > -torch.inf][: self.n_best]
            for row in zip(scores, ends, strict=True)
        ]
        if not all(answers):
            raise no_target(answers.index([]))
        return answers


class _Nodes(NamedTuple):
    """All candidates of the tree, each at its number."""

    parent: list[int]
    piece: list[int]
    log_prob: list[float]


def _read(end: int, score: float, nodes: _Nodes) -> Hypothesis:
    """The path from the root to this node."""
    path = [end]
    while nodes.parent[path[-1]] >= 0:
        path.append(nodes.parent[path[-1]])
    path.reverse()
    return Hypothesis(
        [nodes.piece[node] for node in path], [nodes.log_prob[node] for node in path], score, nodes.piece[end] == EOS
    )
