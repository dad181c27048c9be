"""Where tensors are computed."""

import pytest
import torch

from regard import device
from regard.device import half_gain, pick_device
from regard.errors import InputError


@pytest.mark.parametrize(
    ("cuda", "mps", "found"), [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_fastest_device_that_is_there_is_taken(monkeypatch, cuda, mps, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device() == torch.device(found)


def test_the_processor_can_be_asked_for():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:97", "gpu", "cpu:x", ""])
def test_a_device_that_is_not_there_is_refused_by_its_name(name):
    with pytest.raises(InputError, match=f"The device '{name}' is not to be had here; try --device cpu"):
        pick_device(name)


def test_what_half_the_bits_gain_is_measured_on_a_processor_and_nothing_where_they_do_not_help(monkeypatch):
    assert 1e-3 < half_gain(torch.device("cpu")) < 1e3
    monkeypatch.setattr(device, "_seconds", lambda x, w: 3.0 if x.dtype == w.dtype == torch.float32 else 2.0)
    assert half_gain(torch.device("cpu")) == 1.5
    assert half_gain(torch.device("mps")) == 0
