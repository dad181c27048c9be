"""The division by the root of d_k: the statistics by hand, the division left out, and the whole experiment once."""

import copy
import math

import pytest
import torch
from torch.nn.modules import module as modules

from regard.config import ModelConfig, TrainingConfig
from regard.experiments import scale
from regard.experiments.interval import Interval
from regard.experiments.lesson import SMALL
from regard.experiments.scale import Effect, Extent, Learned, effect, lost, undivided
from regard.model.attention import MultiHeadAttention, attention
from regard.model.transformer import Transformer
from regard.training.learner import Learner


def test_two_keys_with_weights_of_three_quarters_and_one_quarter_give_what_one_reckons_by_hand() -> None:
    q, k = torch.tensor([[1.0, 0.0]]), torch.tensor([[[math.log(3), 0.0], [0.0, 1.0]]])
    seen = effect(q, k, torch.tensor([[1.0, 0.0]]), 1.0)
    assert seen.deviation == pytest.approx(math.log(3) / math.sqrt(2))
    assert seen.entropy == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))
    assert seen.slope == pytest.approx(4 / 2 * 3 / 16)  # four entries of 3/16 each
    assert seen.mean == seen.median == pytest.approx(3 / 16 * math.hypot(math.log(3), 1))


def test_of_scores_from_0_to_40_the_middle_95_percent_lie_from_1_to_39() -> None:
    k = torch.arange(41.0).reshape(1, 41, 1)
    seen = effect(torch.ones(1, 1), k, torch.zeros(1, 41), 1.0)
    assert (seen.low, seen.high) == pytest.approx((1, 39))


def test_the_gradient_at_the_query_and_the_slope_are_those_that_autograd_finds() -> None:
    q, k, arriving = torch.randn(1, 7, requires_grad=True), torch.randn(1, 5, 7), torch.randn(1, 5)
    seen = effect(q.detach(), k, arriving, 0.3)
    scores = 0.3 * (k[0] @ q[0])
    (scores.softmax(dim=-1) * arriving[0]).sum().backward()
    assert q.grad is not None
    assert seen.mean == pytest.approx(q.grad.norm().item(), rel=1e-5)
    jacobian = torch.autograd.functional.jacobian(lambda s: s.softmax(dim=-1), scores.detach())
    assert seen.slope == pytest.approx(jacobian.norm().item(), rel=1e-4)


def ended(steps):
    """What the steps lead to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_the_scores_that_are_drawn_deviate_by_the_root_of_the_width_and_divided_by_one(monkeypatch) -> None:
    monkeypatch.setattr(scale, "WIDTHS", (3, 11))
    monkeypatch.setattr(scale, "ROUNDS", 3)
    effects = ended(scale._drawn(Extent(draws=211, widths=(), seeds=0, updates=0), 1))
    found = {key: seen["deviation"].mean for key, seen in effects.items()}
    wanted = {(3, True): 1, (3, False): math.sqrt(3), (11, True): 1, (11, False): math.sqrt(11)}
    assert found == pytest.approx(wanted, rel=0.04)


def test_the_first_layer_of_a_wide_model_has_scores_that_deviate_by_about_the_root_of_d_k() -> None:
    assert scale._first_layer(64, [1, 2])["deviation of q k"] == pytest.approx(8, rel=0.15)


def looked(module: MultiHeadAttention, x: torch.Tensor) -> torch.Tensor:
    return module(x, module.keys_values(x))


def test_attention_that_is_made_undivided_is_softmax_of_q_k_times_v_and_so_is_its_copy_and_nothing_is_left() -> None:
    before = dict(modules._global_module_registration_hooks)
    with undivided():
        module = MultiHeadAttention(14, n_heads=2, d_k=3, d_v=5)
    assert dict(modules._global_module_registration_hooks) == before
    divided = MultiHeadAttention(14, n_heads=2, d_k=3, d_v=5)
    divided.load_state_dict(module.state_dict())
    x = torch.randn(2, 7, 14)
    q = divided._split(divided.w_q(x))
    k, v = divided.keys_values(x)
    wanted = divided.w_o(((q @ k.transpose(-2, -1)).softmax(dim=-1) @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(looked(module, x), wanted)
    torch.testing.assert_close(looked(copy.deepcopy(module), x), wanted)
    usual = divided.w_o(attention(q, k, v).context.transpose(1, 2).flatten(2))
    torch.testing.assert_close(looked(divided, x), usual)
    assert not torch.allclose(usual, wanted)


def test_the_copies_that_compute_gradients_and_the_running_average_leave_the_division_out_too() -> None:
    config = ModelConfig(n_encoder_layers=1, n_decoder_layers=1, d_model=6, d_ff=2, n_heads=2)
    with undivided():
        learner = Learner(Transformer(config, 11, 13, joint=False), TrainingConfig(ema=0.9), torch.device("cpu"))
    for model in (learner.model, learner.result, learner.replicas[0].model):
        looking = [part for part in model.modules() if isinstance(part, MultiHeadAttention)]
        assert [len(part.q.listeners) for part in looking] == [1, 1, 1]
    assert learner.result is not learner.model


def test_what_is_lost_is_each_seeds_own_difference_and_zero_within_the_interval_is_no_loss() -> None:
    learned = [
        Learned(16, True, 1, 50.0, 1.0), Learned(16, False, 1, 49.0, 1.5),
        Learned(16, True, 2, 70.0, 2.0), Learned(16, False, 2, 67.0, 2.5),
        Learned(128, True, 1, 50.0, 1.0), Learned(128, False, 1, 41.0, 1.0),
        Learned(128, True, 2, 70.0, 1.0), Learned(128, False, 2, 61.0, 1.0),
    ]  # fmt: skip
    small, large = lost(learned)
    assert (small["d_k"], small["BLEU lost"], small["BLEU lost, 95 %"]) == (16, 2, "-10.7 to 14.7")  # 2 -+ 12.7
    assert (small["loss added, nats a piece"], small["told from none"]) == (0.5, False)
    assert (large["BLEU lost"], large["BLEU lost, 95 %"], large["told from none"]) == (9, "9 to 9", True)


def concluded(deviation, mean: float, told: bool) -> str:
    def at(d_k: int, divided: bool) -> dict[str, Interval]:
        values = Effect(deviation(d_k), -1, 1, 2.5 if divided else 0.5, 0.1, 0.02, 1 if divided else mean)
        return {name: Interval(value, value, value) for name, value in values._asdict().items()}

    effects = {(d_k, divided): at(d_k, divided) for d_k in scale.WIDTHS for divided in (True, False)}
    losses = [{"d_k": 16, "BLEU lost": 1.25, "BLEU lost, 95 %": "-1 to 3.5", "told from none": told}]
    layers = [{"sqrt(d_k)": 2.0, "deviation of q k": deviation} for deviation in (1.5, 2.5)]
    return scale._conclude(effects, layers, losses, scale.QUICK)


def test_the_conclusion_says_so_where_the_claim_holds() -> None:
    said = concluded(math.sqrt, 0.25, True)
    assert said.startswith("The variance is as claimed: q k deviates by 1.000 to 1.000 times sqrt(d_k), and in a")
    assert "first layer, untrained, by 0.75 to 1.25 times." in said
    assert "keep 0.50 (0.50 to 0.50) nats of entropy, divided 2.50" in said
    assert "and the mean gradient is 0.2 times the divided one's" in said
    assert "costs 1.2 BLEU at d_k = 16 (-1 to 3.5); 95 % over" in said


def test_the_conclusion_says_so_where_the_claim_fails() -> None:
    said = concluded(lambda d_k: 1.0, 4, False)
    assert said.startswith("The variance is not as claimed: q k deviates by 0.044 to 0.500 times sqrt(d_k), and in")
    assert "but the mean gradient is 4.0 times the divided one's" in said
    assert "1.2 BLEU at d_k = 16 (-1 to 3.5, not to be told from none); 95 % over" in said


def test_the_experiment_writes_what_it_found_and_trains_each_model_once(
    experiment, tmp_path, toy_corpus, monkeypatch
) -> None:
    monkeypatch.setattr(scale, "QUICK", Extent(draws=23, widths=(3,), seeds=2, updates=3))
    monkeypatch.setattr(scale, "WIDTHS", (2, 5))
    monkeypatch.setitem(SMALL, "decoding.max_length", 3)
    found = experiment("scale", tmp_path, "--quick", *toy_corpus)
    assert found.told["conclusion"] == found.out.strip()
    learned = found.told["tables"]["After 3 updates"]
    assert [(row["d_k"], row["seed"]) for row in learned] == [(3, 1), (3, 1), (3, 2), (3, 2)]
    assert len({row["loss, nats a piece"] for row in learned}) == 4
    assert len(list((found.folder / "models").iterdir())) == 4
    assert (found.folder / "scale.png").read_bytes().startswith(b"\x89PNG")
