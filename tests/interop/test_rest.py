"""The vector that stands for what a shortlist leaves out, beside the sum that it stands for."""

import math

import numpy as np
import pytest
import torch

from regard.config import EOS
from regard.interop import rest
from regard.interop.engines import load
from regard.interop.rest import fit_rest
from regard.interop.shortlist import Shortlist, left_out
from regard.text.store import Encoded, Ragged, encode_pairs


def test_least_squares_find_the_line_that_the_points_lie_on():
    """y = 2 x_1 - 3 x_2 + 5; the third column never differs, so the ridge gives it nothing."""
    x = torch.tensor([[0.0, 1, 7], [2, 0, 7], [1, 4, 7], [3, 3, 7]], dtype=torch.float64)
    y = 2 * x[:, 0] - 3 * x[:, 1] + 5
    v, b = rest._ridge(x, y, torch.tensor([1.0, 2, 3, 4], dtype=torch.float64))
    assert v.tolist() == pytest.approx([2, -3, 0], abs=0.01)
    assert b.item() == pytest.approx(5, abs=0.05)


def test_a_point_of_no_weight_is_not_looked_at():
    x = torch.tensor([[0.0], [1], [2]], dtype=torch.float64)
    v, b = rest._ridge(x, torch.tensor([1.0, 3, 100], dtype=torch.float64), torch.tensor([1.0, 1, 0]).double())
    assert (v.item(), b.item()) == pytest.approx((2, 1), abs=0.01)


def test_with_it_the_softmax_of_the_list_is_nearly_that_of_the_whole(random_translator, monkeypatch):
    """On targets that it was not fitted on. What is left out has small rows: a model has learned never to write it."""
    translator = random_translator(model__norm="pre")
    model, size = translator.model, len(translator.tokenizer.target)
    generator = np.random.default_rng(5)
    encoded = Encoded(*(some_rows(generator, size) for _ in range(2)))
    listed = np.sort(generator.permutation(np.arange(EOS, size))[: size // 2])
    with torch.no_grad():
        model.output.weight[left_out(listed, size)] *= 0.3
    short = Shortlist(listed, fit_rest(model, encoded, listed))
    monkeypatch.setattr(rest, "PAIRS", 10**6)
    unseen = Encoded(*(some_rows(generator, size) for _ in range(2)))
    with torch.inference_mode():
        h = torch.cat(list(rest._read(model, unseen)))
        logits = h @ model.output.weight.T
        outputs = short.outputs(size)
        kept = logits[:, outputs.pieces]
        kept[:, outputs.copies] = (h @ torch.from_numpy(outputs.vector))[:, None]
        kept += torch.from_numpy(outputs.bias)
        exact = logits.logsumexp(dim=1)
        missing = exact - logits[:, np.setdiff1d(np.arange(size), left_out(listed, size))].logsumexp(dim=1)
        error = exact - kept.logsumexp(dim=1)
    assert len(outputs.copies) == len(left_out(listed, size)) > 100
    assert missing.std() > 0.05  # what is missing without it is now more, now less
    assert error.pow(2).mean().sqrt() < 0.1 * missing.std()


def some_rows(generator: np.random.Generator, size: int) -> Ragged:
    rows = [np.append(generator.integers(EOS + 1, size, generator.integers(3, 12)), EOS) for _ in range(300)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Ragged(np.concatenate(rows), starts)


def test_the_same_pairs_give_the_same_vector(two_way, pairs):
    translator = load(two_way)
    encoded = encode_pairs(translator.tokenizer, pairs)
    one, other = (fit_rest(translator.model, encoded, np.arange(EOS, 250)) for _ in range(2))
    assert np.array_equal(one.vector, other.vector)
    assert one.bias == other.bias
    assert math.isfinite(one.bias)
