"""The vector that stands for what a shortlist leaves out, beside the sum that it stands for."""

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
    """y = 2 x_1 - 3 x_2 + 5; the third column never differs, so the ridge gives it nothing. They come in two parts."""
    x = torch.tensor([[0.0, 1, 7], [2, 0, 7], [1, 4, 7], [3, 3, 7]])
    y, log_weight, line = 2 * x[:, 0] - 3 * x[:, 1] + 5, torch.tensor([1.0, 2, 3, 4]).log(), rest._Line(3)
    for part in (slice(3), slice(3, 4)):
        line.add(x[part], y[part], log_weight[part])
    v, b = line.fit()
    assert v.tolist() == pytest.approx([2, -3, 0], abs=0.01)
    assert b.item() == pytest.approx(5, abs=0.05)


def test_a_point_of_no_weight_is_not_looked_at():
    line = rest._Line(1)
    line.add(torch.tensor([[0.0], [1], [2]]), torch.tensor([1.0, 3, 100]), torch.tensor([0.0, 0, -torch.inf]))
    v, b = line.fit()
    assert (v.item(), b.item()) == pytest.approx((2, 1), abs=0.01)


def test_what_is_read_is_what_stands_before_each_piece_of_some_pairs(two_way, pairs, monkeypatch):
    """23 pairs of them, and the numbers of 7 places at a time; the sums do not depend on that."""
    translator = load(two_way)
    encoded, listed = encode_pairs(translator.tokenizer, pairs), np.arange(EOS, 250)
    monkeypatch.setattr(rest, "PAIRS", 23)
    whole = fit_rest(translator.model, encoded, listed)
    monkeypatch.setattr(rest, "PLACES", 7)
    parts = [len(h) for h in rest._read(translator.model, encoded)]
    assert max(parts) == 7
    rows = np.random.default_rng(1).permutation(len(encoded.target))[:23].tolist()
    assert sum(parts) == sum(len(encoded.target[row]) for row in rows)
    found = fit_rest(translator.model, encoded, listed)
    assert found.vector.tolist() == pytest.approx(whole.vector.tolist(), abs=1e-4)
    monkeypatch.setattr(rest, "PAIRS", 24)
    assert fit_rest(translator.model, encoded, listed).vector.tolist() != pytest.approx(whole.vector.tolist(), abs=1e-4)


def test_the_squares_are_those_of_the_probabilities_of_all_places(two_way, pairs, monkeypatch):
    translator = load(two_way)
    encoded = encode_pairs(translator.tokenizer, pairs)
    monkeypatch.setattr(rest, "PAIRS", 23)
    h = torch.cat(list(rest._read(translator.model, encoded)))
    monkeypatch.setattr(rest, "PLACES", 7)
    found = rest.squares(translator.model, encoded)
    p = (h @ translator.model.output.weight.T).softmax(dim=1)
    assert found.tolist() == pytest.approx((p**2).sum(dim=0).tolist(), rel=1e-4, abs=1e-9)
    assert found.shape == (len(translator.tokenizer.target),)


def test_where_what_is_left_out_weighs_more_the_vector_is_nearer():
    """Three places read (0), (1) and (2); only the logits of what is left out are no line: 0, 0 and -6. There, at the
    last, it has hardly a share in the softmax, so the line is that of the first two."""

    weighed, even = rest._Line(1), rest._Line(1)
    x, y = torch.tensor([[0.0], [1], [2]]), torch.tensor([0.0, 0, -6])
    weighed.add(x, y, 2 * (y - torch.logaddexp(y, torch.zeros(3))))
    even.add(x, y, torch.zeros(3))
    assert [round(number.item(), 1) for number in weighed.fit()] == [0, 0]
    assert [round(number.item(), 1) for number in even.fit()] == [-3, 1]


def test_with_it_the_softmax_of_the_list_is_nearly_that_of_the_whole(random_translator):
    """On targets that it was not fitted on. What is left out has small rows: a model has learned never to write it."""
    translator = random_translator(model__norm="pre")
    model, size = translator.model, len(translator.tokenizer.target)
    generator = np.random.default_rng(5)
    encoded = Encoded(*(some_rows(generator, size) for _ in range(2)))
    listed = np.sort(generator.permutation(np.arange(EOS, size))[: size // 2])
    with torch.no_grad():
        model.output.weight[left_out(listed, size)] *= 0.3
    short = Shortlist(listed, fit_rest(model, encoded, listed))
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
    assert len(outputs.copies) == len(left_out(listed, size)) // 2 > 50
    assert missing.std() > 0.05  # what is missing without it is now more, now less
    assert error.pow(2).mean().sqrt() < 0.1 * missing.std()


def some_rows(generator: np.random.Generator, size: int) -> Ragged:
    rows = [np.append(generator.integers(EOS + 1, size, generator.integers(3, 12)), EOS) for _ in range(300)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Ragged(np.concatenate(rows), starts)
