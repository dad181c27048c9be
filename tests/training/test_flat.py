"""All weights in one vector."""

import torch
from torch import nn

from regard.training.flat import Flat


def test_the_model_and_the_vector_are_the_same_numbers():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 5))
    before = [weight.detach().clone() for weight in model.parameters()]
    flat = Flat(model)
    assert flat.vector.shape == (3 * 2 + 2 + 2 * 5 + 5,)
    assert all(torch.equal(now, was) for now, was in zip(model.parameters(), before, strict=True))
    with torch.no_grad():
        flat.vector[6] = 7
        model[1].weight[0, 1] = 11
    assert model[0].bias[0] == 7
    assert flat.vector[9] == 11


def test_a_vector_is_split_into_the_shapes_of_the_weights_in_their_order():
    parts = Flat(nn.Linear(3, 2)).split(torch.arange(8.0))
    assert [part.tolist() for part in parts] == [[[0, 1, 2], [3, 4, 5]], [6, 7]]


def test_a_tied_matrix_comes_once():
    model = nn.ModuleList([nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)])
    model[1].weight = model[0].weight
    assert Flat(model).vector.shape == (6,)
    assert model[1].weight.data_ptr() == model[0].weight.data_ptr()
