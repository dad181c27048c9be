"""What the demo tells: from its first line to its last, with a training of a second, and of its pronouns."""

import io

import pytest
from rich.console import Console

from regard.cli import demo
from regard.demo import run
from regard.demo.corpus import demo_corpus
from regard.looking.antecedents import Antecedents
from regard.looking.pronouns import Hits
from regard.looking.swaps import Counterfactual


def test_the_table_has_a_row_for_each_kind_of_head_and_each_method_and_is_explained():
    heads = [
        Hits("weights", "cross 1.1, writing the pronoun", 0.41, None, None),
        Hits("weights", "cross 1.2, writing the pronoun", 0.62, None, None),
        Hits("norms", "cross 1.2, writing the pronoun", 0.99, None, None),
        Hits("weights", "decoder 1.1, writing the pronoun", None, 0.53, None),
    ]
    methods = [Hits("alti", "", 0.71, 0.52, 0.61), Hits("occlusion-unk", "", 0.97, None, None)]
    told = io.StringIO()
    found = Antecedents(113, heads, methods, Counterfactual(0.99, 1.0, 151, 171))
    demo._tell_antecedents(Console(file=told, width=300, highlight=False), found)
    lines = [" ".join(line.split()) for line in told.getvalue().splitlines()]
    assert "2 heads: cross, writing the pronoun 41% to 62%" in lines
    assert "1 heads: decoder, writing the pronoun 53% to 53%" in lines
    assert "alti 71% 52% 61%" in lines
    assert "occlusion-unk 97%" in lines
    assert "99%" not in told.getvalue().split("occlusion-unk")[0]  # norms are in the report, not in the table
    assert any("follows in 99.0% of 151 sentences" in line for line in lines)


@pytest.fixture
def quick(monkeypatch):
    """Makes the demo's training one of a second, and what it is examined with as short."""
    small = {"training.minutes": 0.02, "training.validate_pairs": 3, "model.d_model": 16, "model.d_ff": 16}
    whole = demo_corpus(1)
    short = whole._replace(test=type(whole.test)(*(side[:7] for side in whole.test)), contrasts=whole.contrasts[:5])
    monkeypatch.setattr(run, "SETTINGS", run.SETTINGS | small)
    monkeypatch.setattr(run, "demo_corpus", lambda seed: short)
    monkeypatch.setattr("regard.cli.demo.webbrowser.open", lambda address: pytest.fail("a browser was opened"))
    monkeypatch.setenv("COLUMNS", "300")


def test_the_demo_tells_where_all_is_and_what_to_do_next(regard, quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "mo[v2]/x[/y]"  # one folder in another; to rich these would be colours
    ran = regard("demo", name, "--no-open", "--threads", 1)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].endswith(f" sentence pairs is in {name}/corpus, such as")
    assert f"The model is in {name}/model. What to do next:" in lines
    assert f'  regard translate {name}/model "je suis médecin"' in lines
    assert f"  regard look {name}/model    the page, for any sentence that you type" in lines
    assert f"Every number of its attention is on this page: {name}/look.html" in lines
    assert lines[-1] == f"Where it looked, as figures: {name}/attention.png, {name}/antecedents.png"
    for part in ("BLEU fr-en", "il or elle", "the right noun has more than the other"):
        assert part in ran.out
    left = {"corpus", "model", "report.json", "look.html", "attention.png", "antecedents.png", ".regard-demo"}
    assert {path.name for path in (tmp_path / name).iterdir()} == left
    assert "The limit is reached." in ran.err


def test_what_the_model_wrote_is_shown_as_it_is():
    told = io.StringIO()
    examples = [run.Example("fr-en", "[un]", "a [/b] [red]c[/red]")]
    report = run.Report(
        seconds=1, bleu={}, pronoun_accuracy=0, examples=examples, antecedents=Antecedents(0, [], [], None)
    )
    demo._tell(Console(file=told, width=300, highlight=False), report)
    assert told.getvalue().splitlines()[-2:] == ["  [un]", "    a [/b] [red]c[/red]"]
