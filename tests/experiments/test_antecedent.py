"""What "it" is: its arithmetic by hand, its sentences, and one small run from end to end."""

import json

import pytest

from regard.cli import main
from regard.demo.corpus import demo_corpus
from regard.demo.family import Contrast
from regard.experiments import antecedent, pronouns_told
from regard.experiments.antecedent import MOVES, exchanged, later, reason_first
from regard.experiments.interval import wilson
from regard.experiments.pronouns_told import Chosen, Seen, chosen
from regard.looking.antecedents import Antecedents
from regard.looking.hiding import Pronouns
from regard.looking.pronouns import Hits
from regard.looking.swaps import Counterfactual
from regard.text.formats import Pairs

TIRED = Contrast(
    source="The cow did not cross the bridge because it was too tired.",
    right="La vache n'a pas traversé le pont parce qu'elle était trop fatiguée.",
    wrong="La vache n'a pas traversé le pont parce qu'il était trop fatigué.",
    wrong_pronoun="La vache n'a pas traversé le pont parce qu'il était trop fatiguée.",
    antecedent="cow",
    other="bridge",
    antecedent_fr="vache",
    other_fr="pont",
    pronoun="elle",
)


def test_wilsons_interval_is_that_of_the_books() -> None:
    assert wilson(0.8, 10) == pytest.approx((80, 49.02, 94.33), abs=0.01)
    assert wilson(1.0, 1) == pytest.approx((100, 100 / (1 + 1.959964**2), 100))
    assert wilson(0.0, 1) == pytest.approx((0, 0, 100 - 100 / (1 + 1.959964**2)))


def test_words_are_moved_and_none_is_lost() -> None:
    assert exchanged(TIRED) == "The bridge did not cross the cow because it was too tired."
    assert later(TIRED) == "Yesterday, the cow did not cross the bridge because it was too tired."
    assert reason_first(TIRED) == "because it was too tired the cow did not cross the bridge"
    assert MOVES["nothing"](TIRED) == TIRED.source


def test_what_is_moved_behind_a_time_has_the_time_of_its_tense() -> None:
    will = TIRED._replace(
        source="The cow will not cross the bridge because it is too tired.",
        right="La vache ne traversera pas le pont parce qu'elle est trop fatiguée.",
    )
    assert later(will) == "Tomorrow, the cow will not cross the bridge because it is too tired."


def half(*heads: tuple[str, float], other: float = 0.5, follows: float = 1.0) -> Antecedents:
    rows = [Hits(method, f"cross 1.{n + 1}, writing", share, None, None) for n, (method, share) in enumerate(heads)]
    methods = [Hits("gradient", "", 0.25, other, None), Hits("replaced, anew", "", 1.0, None, None)]
    return Antecedents(4, rows, methods, Counterfactual(follows, 1.0, 4, 4))


def test_the_head_that_was_lucky_is_counted_where_it_was_not_chosen() -> None:
    halves = (half(("weights", 0.9), ("weights", 0.6)), half(("weights", 0.4), ("weights", 0.7)))
    assert chosen(halves, lambda found: found.heads) == Chosen("weights, cross 1.1, writing", 0.4)


def test_the_side_of_a_method_is_chosen_on_the_same_half() -> None:
    halves = (half(other=0.75), half(other=0.5))
    gradient = chosen(halves, lambda found: found.methods[:1])
    assert gradient == Chosen("gradient, in what was written", 0.5)


def seen(right: float, head: float, hidden: float = 0.5) -> Seen:
    halves = tuple(
        half(("weights", head), ("weights", 0.5), ("norms", 0.5), other=1.0, follows=right) for _ in range(2)
    )
    whole = Pronouns(right, right, 1 - right)
    words = {("nothing", "unknown"): whole, ("its noun", "unknown"): Pronouns(0.75, hidden, 0.5)}
    return Seen(90.0, (halves[0], halves[1]), words, dict.fromkeys(MOVES, Pronouns(None, 0.25, 0.625)))


def concluded(right: float, head: float) -> str:
    tables = pronouns_told.tables_of([seen(right, head), seen(right, head)], 400, 200)
    return pronouns_told.conclude(tables, 2)


def test_the_conclusion_says_so_where_the_pronoun_is_known_and_a_head_tells_it() -> None:
    said = concluded(1.0, 0.75)
    assert said.startswith('The models know what "it" is: the right pronoun is the more probable one in 100.0 (99.0 ')
    assert "and is written in 50.0 (45.1 to 54.9) % where it is hidden. A head tells something of it: the" in said
    assert "to it than to the other noun in 75.0 (65.7 to 82.5) %, the best method in 100.0 (96.3 to 100.0) %" in said
    assert "goes by what is meant in 25.0 (21.0 to 29.5) % and by the noun's place in 62.5 (57.7 to 67.1) %" in said
    assert "A head tells the noun: " in concluded(1.0, 0.95)


def test_the_conclusion_says_so_where_nothing_was_learned_and_no_head_tells() -> None:
    said = concluded(0.5, 0.55)
    assert said.startswith('The models have not learned well what "it" is: the right pronoun is the more probable one ')
    assert "No head tells the noun: the best of each model" in said


def test_a_share_is_the_mean_of_the_models_and_its_interval_that_of_one_models_sentences() -> None:
    columns = pronouns_told._shares([0.75, 0.85], 10, "written")
    assert columns == {"written, %": 80.0, "written, 95 %": "49.0 to 94.3", "written, by model": "75, 85"}


def test_the_experiment_writes_what_it_found(tmp_path, monkeypatch, capsys) -> None:
    made = demo_corpus(1, 3000)
    short = made._replace(
        valid=Pairs(*(side[:5] for side in made.valid)),
        test=Pairs(*(side[:5] for side in made.test)),
        contrasts=made.contrasts[:4],
    )
    tiny = {"model.n_encoder_layers": 1, "model.n_decoder_layers": 1, "model.d_model": 12, "decoding.max_ratio": 0.1}
    values = {"SETTINGS": antecedent.SETTINGS | tiny, "UPDATES": 2, "MODELS": 2, "demo_corpus": lambda seed: short}
    for name, value in values.items():
        monkeypatch.setattr(antecedent, name, value)
    assert main(["experiment", "antecedent", str(tmp_path), "--quick", "--quiet"]) == 0
    told = json.loads((tmp_path / "antecedent.json").read_text("utf-8"))
    assert told["conclusion"] == capsys.readouterr().out.strip()
    assert told["conclusion"].startswith("The models have not learned well")
    pronoun, hidden, moved, weight, models = told["tables"].values()
    assert len(hidden) == 7
    assert [row["moved"] for row in moved] == list(MOVES)
    assert {row["what"] for row in weight} >= {"best head, by weights", "rollout", "occlusion-drop"}
    assert pronoun[0]["by model"].count(",") == 1
    assert len(models) == len(list((tmp_path / "models").iterdir())) == 2
    assert (tmp_path / "antecedent.png").read_bytes().startswith(b"\x89PNG")
