"""The operations that the benchmarks count by formula, against those that PyTorch counts while it computes."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from regard.config import ModelConfig
from regard.looking.listening import listening
from regard.model.transformer import Transformer

FILE = Path(__file__).parents[2] / "benchmarks" / "growth" / "operations.py"
SIZE = ModelConfig(n_encoder_layers=3, n_decoder_layers=2, d_model=44, d_ff=97, n_heads=4)
SENTENCES, SOURCE, TARGET, VOCABULARY = 7, 13, 11, 101


@pytest.fixture(scope="module")
def operations():
    spec = importlib.util.spec_from_file_location("operations", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counted(do) -> int:
    with FlopCounterMode(display=False) as counter:
        do()
    return counter.get_total_flops()


def test_the_products_of_a_transformer_are_counted_as_pytorch_counts_them(operations):
    model = Transformer(SIZE, VOCABULARY, VOCABULARY).eval()
    source = torch.randint(4, VOCABULARY, (SENTENCES, SOURCE))
    target = torch.randint(4, VOCABULARY, (SENTENCES, TARGET))
    pieces = operations.Pieces(SENTENCES, SOURCE, TARGET)
    with listening(model):  # the plain products, which the counter knows
        assert counted(lambda: model.encode(source)) == operations.encoding(SIZE, pieces)
        whole = operations.encoding(SIZE, pieces) + operations.decoding(SIZE, pieces, VOCABULARY, stepwise=False)
        assert counted(lambda: model(source, target)) == whole


def test_step_by_step_a_piece_looks_at_half_of_its_past_on_the_mean(operations):
    """1 + 2 + ... + 11 = 66 positions and not 121; 4 d_model operations each, in both layers of seven sentences."""
    pieces = operations.Pieces(SENTENCES, SOURCE, TARGET)
    in_one_pass = operations.decoding(SIZE, pieces, VOCABULARY, stepwise=False)
    assert in_one_pass - operations.decoding(SIZE, pieces, VOCABULARY, stepwise=True) == (121 - 66) * 4 * 44 * 2 * 7
