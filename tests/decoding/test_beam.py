"""The beam against all targets there are, against a search in plain Python, and against answers done by hand."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from regard.config import BOS, EOS, PAD, UNK, DecodingConfig, ModelConfig
from regard.decoding.beam import Growth, beam_search, beam_tree
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.steps import forbid_repeats, length_penalty, top
from regard.model.encoder_decoder import Memory
from regard.model.transformer import Transformer

A, B, C = 4, 5, 6  # the first ordinary pieces
VOCAB = 7
ALPHAS = [-0.5, 0.0, 0.6, 1.0, 2.0]


def search(
    model: Any, limits: list[int], prefix: list[list[int]] | None = None, state: Any = None, **settings: Any
) -> list[list[Hypothesis]]:
    """The beam's answer for each sentence."""
    return beam_search(
        model,
        model.start() if state is None else state,
        batch=len(limits),
        config=DecodingConfig(**settings),
        max_lengths=torch.tensor(limits, dtype=torch.long),
        prefix=prefix,
    )


def log_probs(table: Any, sentence: int, ids: list[int]) -> list[float]:
    """What the table says of each piece."""
    read = [PAD, BOS, *ids]
    return [
        float(table.logits[sentence, read[at], read[at + 1]].log_softmax(dim=0)[piece]) for at, piece in enumerate(ids)
    ]


def ranked(table: Any, sentence: int, targets: Iterator[list[int]], alpha: float) -> list[Hypothesis]:
    """The targets as hypotheses, the finished ones first, the best first."""
    found = []
    for ids in targets:
        own = log_probs(table, sentence, ids)
        found.append(Hypothesis(ids, own, sum(own) / len(ids) ** alpha, ids[-1] == EOS))
    return sorted(found, key=lambda one: (-one.finished, -one.score))


def every_target(limit: int) -> Iterator[list[int]]:
    """All that end within the limit, and all that are cut off at it."""
    for length in range(1, limit + 1):
        yield from ([*body, EOS] for body in product([A, B, C], repeat=length - 1))
    yield from (list(body) for body in product([A, B, C], repeat=limit))


def plain_search(table: Any, sentence: int, limit: int, prefix: list[int], config: DecodingConfig) -> list[Hypothesis]:
    """The slow twin: a beam search over lists, which never stops before beam_size targets have ended; with a length
    penalty of 0, not before the limit."""
    living, finished = [[]], []
    for step in range(limit):
        grown = []
        for ids in living:
            following = prefix[step : step + 1] or [
                piece for piece in range(EOS, VOCAB) if not repeats([BOS, *ids, piece], config.no_repeat_ngram)
            ]
            grown += [[*ids, piece] for piece in following]
        grown.sort(key=lambda ids: -sum(log_probs(table, sentence, ids)))
        finished += [ids for ids in grown[: config.beam_size] if ids[-1] == EOS]
        living = [ids for ids in grown if ids[-1] != EOS][: config.beam_size]
        if len(finished) >= config.beam_size and config.length_penalty:
            break
    return ranked(table, sentence, iter(finished + living), config.length_penalty)[: config.n_best]


def repeats(ids: list[int], n: int) -> bool:
    """The last n pieces have come before, in one run."""
    return n > 0 and any(ids[at : at + n] == ids[-n:] for at in range(len(ids) - n))


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [one.ids for one in found] == [one.ids for one in expected]
    assert [one.finished for one in found] == [one.finished for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-5)
        assert one.log_probs == pytest.approx(other.log_probs, rel=1e-5)


@pytest.mark.parametrize("n", [0, 2])
@pytest.mark.parametrize("beam_size", [1, 2])
def test_a_greedy_search_needs_no_log_probabilities(random_table, beam_size, n):
    table, limits, prefix = (
        random_table(20, VOCAB, spread=5.0),
        torch.tensor([1, 3, 8, 12] * 5),
        [[], [B], [C, A], []] * 5,
    )
    config = DecodingConfig(beam_size=beam_size, no_repeat_ngram=n)
    asked = {"batch": 20, "config": config, "max_lengths": limits, "prefix": prefix}
    scored = beam_search(table, table.start(), **asked)
    bare = beam_search(table, table.start(), **asked, scored=False)
    if beam_size > 1:
        assert bare == scored
    else:
        assert bare == [[one._replace(log_probs=[], score=0.0) for one in row] for row in scored]
    assert {one.finished for row in scored for one in row} == {True, False}


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_beam_as_wide_as_there_are_targets_finds_the_best_of_all_of_them(random_table: Any, alpha: float) -> None:
    limits = [5, 3, 1, 4, 2, 5, 5]
    table = random_table(len(limits), VOCAB, spread=1.0)
    found = search(table, limits, beam_size=4**5, n_best=7, length_penalty=alpha)
    for sentence, limit in enumerate(limits):
        assert_same(found[sentence], ranked(table, sentence, every_target(limit), alpha)[:7])


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("beam_size", [2, 3, 5])
@pytest.mark.parametrize("n_best", [1, 2])
def test_a_narrow_beam_finds_what_the_plain_search_finds_that_ends_by_the_same_rule(
    random_table: Any, alpha: float, beam_size: int, n_best: int
) -> None:
    limits = [11, 7, 2, 13, 1, 11, 11]
    table = random_table(len(limits), VOCAB, seed=beam_size)
    config = DecodingConfig(beam_size=beam_size, n_best=n_best, length_penalty=alpha)
    found = search(table, limits, beam_size=beam_size, n_best=n_best, length_penalty=alpha)
    for sentence, limit in enumerate(limits):
        assert_same(found[sentence], plain_search(table, sentence, limit, [], config))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_search_that_is_settled_before_its_limit_has_the_best_of_all_targets(random_table: Any, alpha: float) -> None:
    """The beam is so wide that never as many end as it has places, and none is discarded: what ends a search is the
    bound alone, and had it gone on to the limit, it would have found every target there is."""
    limit, settled = 5, 0
    for seed, likely in product(range(7), (3, 6)):
        table = random_table(1, VOCAB, seed=seed, spread=5.0)
        table.logits[..., EOS] += likely  # so that it may be over soon
        found = search(table, [limit], beam_size=4**limit, length_penalty=alpha)[0]
        assert_same(found, ranked(table, 0, every_target(limit), alpha)[:1])
        settled += len(table.rows) < limit
    assert settled > 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_prefixes_and_forbidden_repeats_agree_with_the_plain_search(random_table: Any, n: int) -> None:
    limits = [7, 7, 5, 11, 2, 7]
    prefix = [[A, A, A, A], [], [UNK], [B, A, B, A, B], [A, C, C], [C, EOS, A]]
    table = random_table(len(limits), VOCAB, seed=n)
    settings = {"beam_size": 3, "n_best": 3, "no_repeat_ngram": n}
    found = search(table, limits, prefix, **settings)
    for sentence, limit in enumerate(limits):
        begun = prefix[sentence]
        if EOS in begun:
            assert [one.ids for one in found[sentence]] == [[C, EOS]]
        else:
            assert_same(found[sentence], plain_search(table, sentence, limit, begun, DecodingConfig(**settings)))


def test_a_sentence_has_the_same_answer_alone_and_in_a_batch(random_table: Any) -> None:
    limits, prefix = [7, 3, 11, 5, 13], [[A, B, C], [], [UNK], [], [B]]
    table = random_table(len(limits), VOCAB)
    together = search(table, limits, prefix, beam_size=3, n_best=2)
    for row in range(len(limits)):
        alone = search(table, [limits[row]], [prefix[row]], table.start(row), beam_size=3, n_best=2)
        assert_same(alone[0], together[row])


def test_a_hypothesis_is_scored_by_the_power_of_its_length_with_eos(chain: Any) -> None:
    found = search(chain({BOS: {A: 0.5}, A: {EOS: 0.25}}), [3], beam_size=2, length_penalty=2.0)[0][0]
    assert found.ids == [A, EOS]
    assert found.log_probs == pytest.approx([math.log(0.5), math.log(0.25)])
    assert found.score == pytest.approx(math.log(0.125) / 4)
    assert found.finished
    assert [length_penalty(7, alpha) for alpha in (0.0, 1.0, 2.0)] == [1, 7, 49]


def test_a_beam_finds_what_greed_misses(chain: Any) -> None:
    table = chain({BOS: {A: 0.6, B: 0.4}, A: {EOS: 0.5}, B: {EOS: 0.9}})
    greedy, wide = (search(table, [5], beam_size=size, length_penalty=0.0)[0][0] for size in (1, 2))
    assert (greedy.ids, wide.ids) == ([A, EOS], [B, EOS])
    assert math.exp(wide.score) == pytest.approx(0.36)


def test_a_beam_of_one_ends_at_its_first_eos_although_going_on_would_score_better(chain: Any) -> None:
    table = chain({BOS: {EOS: 0.5, A: 0.4}, A: {EOS: 1.0}})
    assert search(table, [17], beam_size=1)[0][0].ids == [EOS]
    assert search(table, [17], beam_size=2)[0][0].ids == [A, EOS]  # log 0.4 / 2 = -0.46, and log 0.5 = -0.69


def test_a_search_is_over_when_nothing_can_win_any_more(chain: Any) -> None:
    table = chain({BOS: {A: 0.98, B: 0.02}, A: {EOS: 0.98, B: 0.02}, B: {B: 0.5, EOS: 0.5}})
    search(table, [101], beam_size=2, length_penalty=0.0)
    assert len(table.rows) == 2


def test_a_search_goes_on_while_a_longer_hypothesis_can_still_win(chain: Any) -> None:
    table = chain({BOS: {EOS: 0.6, A: 0.4}, A: {B: 1.0}, B: {C: 1.0}, C: {EOS: 1.0}})
    found = search(table, [5], beam_size=2, length_penalty=1.0)[0][0]
    assert found.ids == [A, B, C, EOS]
    assert found.score == pytest.approx(math.log(0.4) / 4)  # -0.23; eos at once has log 0.6 = -0.51
    assert search(table, [5], beam_size=2, length_penalty=0.0)[0][0].ids == [EOS]


def test_a_search_is_over_when_as_many_have_ended_as_the_beam_is_wide(chain: Any) -> None:
    table = chain({BOS: {A: 0.5, EOS: 0.3, B: 0.2}, A: {EOS: 0.6, B: 0.4}, B: {C: 1.0}, C: {EOS: 1.0}})
    assert search(table, [9], beam_size=2, length_penalty=1.0)[0][0].ids == [A, EOS]  # two ended: eos, and A eos
    assert len(table.rows) == 2
    assert search(table, [9], beam_size=3, length_penalty=1.0)[0][0].ids == [B, C, EOS]  # log 0.2 / 3 is better
    assert search(table, [9], beam_size=4, length_penalty=1.0)[0][0].ids == [A, B, C, EOS]  # and log 0.2 / 4


def test_without_a_length_penalty_a_search_goes_on_while_one_more_can_win(chain: Any) -> None:
    table = chain({BOS: {A: 0.6, EOS: 0.4}, A: {B: 0.9, EOS: 0.1}, B: {EOS: 1.0}})
    assert search(table, [9], beam_size=2, length_penalty=0.0)[0][0].ids == [A, B, EOS]  # two have ended before


@pytest.mark.parametrize(("vocabulary", "n"), [(7, 3), (128, 1), (640, 10), (704, 10), (705, 10), (767, 10)])
def test_the_best_of_many_are_those_that_topk_finds(vocabulary: int, n: int) -> None:
    values = torch.randn(6, vocabulary, generator=torch.Generator().manual_seed(vocabulary))
    values[0, -1] = 9  # behind the last whole block, if the blocks do not come out even
    values[1, 2 : 2 + n] = torch.arange(n) + 9.0  # all in one block
    values[2] = -math.inf
    values[3, ::3] = -math.inf
    values[4] = math.nan
    found, place = top(values, n)
    expected = values.topk(n)
    assert torch.equal(found.nan_to_num(7), expected.values.nan_to_num(7))
    certain = [0, 1, 3, 5]  # of what is alike any may be taken
    assert torch.equal(place[certain], expected.indices[certain])
    assert torch.equal(values.gather(1, place).nan_to_num(7), found.nan_to_num(7))
    assert top(values[:0], n)[0].shape == (0, n)


def test_where_length_is_punished_too_the_search_goes_on_while_one_more_piece_can_win(chain: Any) -> None:
    table = chain({BOS: {EOS: 0.3, A: 0.6}, A: {EOS: 1.0}})
    found = search(table, [101], beam_size=2, length_penalty=-1.0)[0][0]
    assert found.ids == [A, EOS]
    assert found.score == pytest.approx(2 * math.log(0.6))  # -1.02; eos at once has log 0.3 = -1.20


def test_what_is_cut_off_comes_behind_everything_finished(chain: Any) -> None:
    table = chain({BOS: {A: 0.9, EOS: 0.01}, A: {A: 0.99, EOS: 0.01}})
    found = search(table, [3], beam_size=5, n_best=5, length_penalty=1.0)[0]
    assert [one.ids for one in found] == [[A, A, EOS], [A, EOS], [EOS], [A, A, A]]
    assert [one.finished for one in found] == [True, True, True, False]
    assert found[-1].score == pytest.approx(math.log(0.9 * 0.99 * 0.99) / 3)
    assert_same(search(table, [3], beam_size=1)[0], found[-1:])


def test_pad_unk_and_bos_are_never_produced_but_unk_may_be_forced(chain: Any) -> None:
    table = chain({BOS: {UNK: 0.7, BOS: 0.2, A: 0.05}, A: {UNK: 0.9, EOS: 0.1}, UNK: {B: 1.0}, B: {EOS: 1.0}})
    assert search(table, [5], beam_size=2)[0][0].ids == [A, EOS]
    forced = search(table, [5], [[UNK]], beam_size=2)[0][0]
    assert forced.ids == [UNK, B, EOS]
    assert forced.log_probs == pytest.approx([math.log(0.7), 0, 0], abs=1e-6)


def test_a_prefix_counts_in_the_score_and_in_the_length(chain: Any) -> None:
    table = chain({BOS: {A: 0.9, B: 0.1}, A: {EOS: 1.0}, B: {C: 0.5, EOS: 0.5}, C: {EOS: 1.0}})
    found = search(table, [5], [[B, C]], beam_size=3)[0]
    assert [one.ids for one in found] == [[B, C, EOS]]
    assert found[0].score == pytest.approx(math.log(0.05) / 3)
    assert search(table, [2], [[B, C, A, A]], beam_size=3)[0][0][::3] == ([B, C], False)


def test_while_all_are_in_their_prefixes_one_row_each_is_read(random_table: Any) -> None:
    table = random_table(2, VOCAB)
    search(table, [5, 5], [[A, B, C], [C, B]], beam_size=3)
    assert table.rows[:4] == [2, 2, 2, 6]


def test_the_rows_of_a_sentence_that_is_done_are_no_longer_read(random_table: Any) -> None:
    table = random_table(3, VOCAB)
    search(table, [1, 2, 3], beam_size=3, n_best=3, length_penalty=2.0)
    assert table.rows == [3, 6, 3]


def test_no_run_of_pieces_comes_twice(chain: Any) -> None:
    table = chain({BOS: {A: 0.9}, A: {B: 0.9, EOS: 0.1}, B: {A: 0.9, EOS: 0.1}})
    assert search(table, [7], beam_size=1)[0][0].ids == [A, B, A, B, A, B, A]
    assert search(table, [7], beam_size=1, no_repeat_ngram=3)[0][0].ids == [A, B, A, B, EOS]
    assert search(table, [7], beam_size=1, no_repeat_ngram=2)[0][0].ids == [A, B, A, EOS]
    assert search(table, [7], beam_size=1, no_repeat_ngram=1)[0][0].ids == [A, B, EOS]


def test_forbidding_repeats_leaves_the_given_numbers_alone() -> None:
    given = torch.zeros(2, VOCAB)
    history = torch.tensor([[BOS, A, B, A], [BOS, A, C, B]])
    expected = torch.zeros(2, VOCAB)
    expected[0, B] = expected[:, PAD] = -math.inf
    assert torch.equal(forbid_repeats(given, history, 2), expected)
    assert not given.any()


def test_the_tree_holds_every_candidate_and_leads_back_to_every_answer(random_table: Any) -> None:
    limits, prefix = [5, 3, 7], [[], [], [A, EOS]]
    table = random_table(len(limits), VOCAB)
    config = DecodingConfig(beam_size=2)
    start, most = table.start(), torch.tensor(limits)
    answers, tree = beam_tree(table, start, batch=3, config=config, max_lengths=most, prefix=prefix)
    paths: dict[int, list[int]] = {-1: []}
    totals, ended = {-1: 0.0}, set()
    for growth, rows in zip(tree, table.rows, strict=True):
        assert int(growth.kept.sum(dim=1).max()) <= 2
        assert int(growth.row.max()) < rows
        for sentence, *columns in zip(growth.sentence.tolist(), *candidates(growth), strict=True):
            for parent, node, piece, log_prob, total, end in zip(*columns, strict=True):
                paths[node], totals[node] = [*paths[parent], piece], total
                if total > -math.inf:
                    assert total == pytest.approx(totals[parent] + log_prob)
                    assert log_prob == pytest.approx(log_probs(table, sentence, paths[node])[-1], rel=1e-5)
                ended |= {(sentence, *paths[node], total)} if end else set()
    assert sorted(paths) == list(range(-1, len(paths) - 1))
    assert min(total for *_, total in ended) > -math.inf
    for sentence, (best, *_) in enumerate(answers):
        assert any(one[:-1] == (sentence, *best.ids) for one in ended) == best.finished


def candidates(growth: Growth) -> list[list[list[Any]]]:
    columns = (growth.parent, growth.node, growth.piece, growth.log_prob, growth.total, growth.ended)
    return [column.tolist() for column in columns]


def test_no_sentences_have_no_answers(random_table: Any) -> None:
    table = random_table(1, VOCAB)
    assert search(table, [], state=table.start().select(torch.tensor([], dtype=torch.long))) == []


def test_a_model_that_is_not_a_number_is_named_with_the_sentence(random_table: Any) -> None:
    table = random_table(3, VOCAB)
    table.logits[1] = math.nan
    for beam_size in (1, 2):
        with pytest.raises(ValueError, match="Sentence 1 of the batch has no target"):
            search(table, [5, 5, 5], beam_size=beam_size)


def test_a_prefix_is_wanted_for_each_sentence_or_for_none(random_table: Any) -> None:
    with pytest.raises(ValueError, match="2 prefixes for 3 sentences"):
        search(random_table(3, VOCAB), [5, 5, 5], [[A], []])


class Reread(NamedTuple):
    """The state of a model that keeps nothing: the whole target so far."""

    memory: Memory
    target: Tensor

    def select(self, rows: Tensor) -> "Reread":
        return Reread(Memory(*(value[rows] for value in self.memory)), self.target[rows])


class WithoutCache:
    """A Transformer that reads its whole target anew for each piece."""

    def __init__(self, model: Transformer) -> None:
        self.model = model

    def step(self, ids: Tensor, state: Reread) -> tuple[Tensor, Reread]:
        target = torch.cat([state.target, ids[:, None]], dim=1)
        last = self.model.decode(state.memory, target)[:, -1]
        return self.model.output(last), Reread(state.memory, target)


@pytest.fixture
def transformer() -> Transformer:
    """A tiny one, at random, with beliefs that are strong enough to tell its sentences apart."""
    config = ModelConfig(n_encoder_layers=1, n_decoder_layers=2, d_model=12, d_ff=19, n_heads=3, p_drop=0.1)
    model = Transformer(config, 17, 17)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.0)
    return model.eval()


SOURCE = torch.tensor([[4, 9, 16, 11, EOS], [7, EOS, PAD, PAD, PAD], [12, 5, 13, EOS, PAD]])
LIMITS = [13, 5, 11]


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_transformer_finds_the_same_with_its_cache_and_without(transformer: Transformer, beam_size: int) -> None:
    memory = transformer.encode(SOURCE)
    settings: dict[str, Any] = {"beam_size": beam_size, "n_best": beam_size}
    cached = search(transformer, LIMITS, state=transformer.start(memory), **settings)
    start = Reread(memory, torch.empty(3, 0, dtype=torch.long))
    for found, expected in zip(cached, search(WithoutCache(transformer), LIMITS, state=start, **settings), strict=True):
        assert_same(found, expected)
    assert len({tuple(found[0].ids) for found in cached}) == 3


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_transformer_finds_the_same_alone_and_in_a_batch(transformer: Transformer, beam_size: int) -> None:
    settings: dict[str, Any] = {"beam_size": beam_size, "n_best": beam_size}
    together = search(transformer, LIMITS, state=transformer.start(transformer.encode(SOURCE)), **settings)
    for row, limit in enumerate(LIMITS):
        source = SOURCE[row][None, SOURCE[row] != PAD]
        alone = search(transformer, [limit], state=transformer.start(transformer.encode(source)), **settings)
        assert_same(alone[0], together[row])


def test_the_log_probabilities_are_those_of_one_forward_pass(transformer: Transformer) -> None:
    found = search(transformer, LIMITS, state=transformer.start(transformer.encode(SOURCE)), beam_size=3)
    for row, (best, *_) in enumerate(found):
        target = torch.tensor([[BOS, *best.ids[:-1]]])
        forced = transformer(SOURCE[row][None, SOURCE[row] != PAD], target)[0].log_softmax(dim=-1)
        expected = forced[torch.arange(len(best.ids)), best.ids].tolist()
        assert best.log_probs == pytest.approx(expected, rel=1e-4)
