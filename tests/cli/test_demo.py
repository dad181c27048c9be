"""What the demo tells of its pronouns."""

import io

from rich.console import Console

from regard.cli import demo
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
