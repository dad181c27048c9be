"""Weights as a file: what goes in comes out, and a file of another model is refused."""

import pytest
import torch
from torch import nn

from regard import weights
from regard.errors import InputError
from regard.weights import load_tensors, save_tensors, set_weights, weights_of


class Tied(nn.Module):
    """Two names for one matrix."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 5, bias=False), nn.Linear(3, 5, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("table", torch.zeros(7))


def test_tensors_and_header_come_back_bit_by_bit(tmp_path):
    tensors = {
        "a": torch.randn(3, 5),
        "not contiguous": torch.randn(7, 2).T,
        "half": torch.randn(11).bfloat16(),
        "count": torch.tensor(13, dtype=torch.int64),
        "weight": nn.Parameter(torch.randn(2)),
    }
    header = {"update": 17, "best": [[0.1, 3]], "word": "é", "none": None}
    save_tensors(tmp_path / "x.safetensors", tensors, header)
    loaded, told = load_tensors(tmp_path / "x.safetensors")
    assert told == header
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)


def test_other_peoples_files_have_no_header(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(3)}, tmp_path / "x.safetensors")
    assert load_tensors(tmp_path / "x.safetensors")[1] == {}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.safetensors: there is no such file"):
        load_tensors(tmp_path / "none.safetensors")


def test_a_file_that_may_not_be_read_is_not_one_that_is_missing(tmp_path, monkeypatch):
    def forbidden(*_, **__):
        raise FileNotFoundError("No such file or directory")  # as safetensors says it

    (tmp_path / "x.safetensors").touch()
    monkeypatch.setattr(weights, "safe_open", forbidden)
    with pytest.raises(InputError, match=r"x\.safetensors: cannot be read"):
        load_tensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_file_that_was_cut_short_is_refused(tmp_path, left):
    path = tmp_path / "x.safetensors"
    save_tensors(path, {"a": torch.randn(31)})
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_tensors(path)


def test_a_tied_matrix_is_saved_once_and_set_for_both_names(tmp_path):
    one, other = Tied(), Tied()
    assert list(weights_of(one)) == ["first.weight"]
    set_weights(other, weights_of(one), tmp_path)
    assert torch.equal(other.second.weight, one.first.weight)
    assert other.second.weight is other.first.weight


def test_weights_keep_their_type_and_place_when_they_are_set(tmp_path):
    model = nn.Linear(3, 5).double()
    before = model.weight
    set_weights(model, weights_of(nn.Linear(3, 5)), tmp_path)
    assert model.weight is before
    assert model.weight.dtype == torch.float64


def test_a_missing_a_foreign_and_an_unlike_weight_are_named(tmp_path):
    model, weights = nn.Linear(3, 5), weights_of(nn.Linear(3, 5))
    wrong = {
        r"lacks weight 'bias'": {"weight": weights["weight"]},
        r"has the foreign weight 'gate'": weights | {"gate": torch.ones(1)},
        r"'weight' has the shape \(3, 5\), but config\.json wants \(5, 3\)": weights | {"weight": torch.ones(3, 5)},
    }
    for message, tensors in wrong.items():
        with pytest.raises(InputError, match=f"x.safetensors: {message}"):
            set_weights(model, tensors, tmp_path / "x.safetensors")


def test_a_header_that_is_no_json_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(3)}, tmp_path / "x.safetensors", metadata={"regard": '{"update": '})
    with pytest.raises(InputError, match=r"x\.safetensors: not a whole safetensors file"):
        load_tensors(tmp_path / "x.safetensors")
