"""The experiment of words out of order: what it concludes, and what no positions mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regard.config import EOS, ModelConfig
from regard.experiments.finding import Trial
from regard.experiments.order import IN_ORDER, NO_ORDER, ONE_SWAP, conclude, question
from regard.experiments.resilience import (
    BLIND,
    DROPOUT,
    RECURRENT,
    SHUFFLED,
    TRANSFORMER,
    Answer,
    Student,
)
from regard.model.encoder_decoder import EncoderDecoder
from regard.model.recurrent import Recurrent
from regard.model.transformer import Transformer

QUICK, WHOLE = (question(Trial(folder=Path(), quick=quick)) for quick in (True, False))
SHAPE: dict[str, Any] = dict(n_encoder_layers=2, n_decoder_layers=1, d_model=14, d_ff=11, n_heads=2, p_drop=0.0)


def _moved(model: EncoderDecoder) -> float:
    """How far the output moves when the source's pieces change places."""
    torch.manual_seed(3)
    source, target = torch.randint(EOS + 1, 23, (1, 7)), torch.randint(EOS + 1, 23, (1, 5))
    order = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    with torch.inference_mode():
        model.eval()
        return float((model(source, target) - model(source[:, order], target)).abs().max())


def test_a_transformer_without_positions_gives_the_same_output_for_any_order() -> None:
    assert _moved(Transformer(ModelConfig(**SHAPE, positions="none"), 23, 23)) < 1e-5


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_a_transformer_with_positions_does_not(positions: Any) -> None:
    assert _moved(Transformer(ModelConfig(**SHAPE, positions=positions), 23, 23)) > 1e-2


def test_an_rnn_does_not_either() -> None:
    assert _moved(Recurrent(ModelConfig(**SHAPE, architecture="rnn"), 23, 23)) > 1e-2


def test_a_model_without_positions_is_given_no_shuffled_copy_which_to_it_were_the_pairs_themselves() -> None:
    assert Student(BLIND, SHUFFLED) not in WHOLE.students
    assert Student(BLIND, DROPOUT) in WHOLE.students
    assert set(WHOLE.students) - set(QUICK.students) == {
        Student(model, DROPOUT) for model in (TRANSFORMER, BLIND, RECURRENT)
    }


def test_the_conclusion_tells_of_one_swap_of_none_in_order_and_of_positions(answer: Callable[..., Answer]) -> None:
    def bleu(student: Student, spoiling: str) -> list[float]:
        if student.model == BLIND:
            return [70.0, 70.0]
        lost = {IN_ORDER: 0.0, ONE_SWAP: 20.0, NO_ORDER: 60.0}.get(spoiling, 40.0)
        kept = 80.0 - lost * (0.5 if student.model == RECURRENT else 1)
        return [kept + 7 * (student.training == SHUFFLED and spoiling == NO_ORDER)] * 2

    assert conclude(answer(QUICK, bleu, changed=1.5)) == (
        "With two neighbours swapped, the Transformer keeps 75 % (75 to 75) of its BLEU and the RNN 88 % (88 to 88); "
        "against the claim, it is the Transformer that suffers more: it keeps 12.5 (12.5 to 12.5) points less. "
        "Shuffled, the Transformer keeps 25 % (25 to 25) of its BLEU and the RNN 62 % (62 to 62); against the claim, "
        "it is the Transformer that suffers more: it keeps 37.5 (37.5 to 37.5) points less. A shuffled copy of the "
        "training pairs makes +7.0 (+7.0 to +7.0) BLEU for the Transformer and +7.0 (+7.0 to +7.0) for the RNN. "
        "Without positions, shuffling changes 1.5 (1.5 to 1.5) % of the Transformer's translations, and in order it "
        "has -10.0 (-10.0 to -10.0) BLEU beside the one with positions. (Intervals: 95 %, over 2 seeds. The "
        "references are of the unspoiled sentences.)"
    )
