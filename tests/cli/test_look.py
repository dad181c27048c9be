import math
import re

import pytest

from regard import load
from regard.looking.interventions import effects
from regard.looking.steering import off


@pytest.fixture(scope="module")
def trace(two_way):
    return load(two_way).look("ba du be")


def rows(out: str, section: str) -> list[list[str]]:
    """The rows of one numbered table, as they are printed, each cut where two spaces or more stand."""
    part = re.search(rf"^{section}  .*?(?=^\d  |^Computed)", out, re.MULTILINE | re.DOTALL)
    assert part is not None
    lines = [re.split(r"\s{2,}", line.strip()) for line in part[0].splitlines()[1:]]
    return [line for line in lines if line != [""] and not set(line[0]) <= {"─"}]


def test_the_students_table_has_the_numbers_of_the_trace(regard, two_way, trace):
    ran = regard("look", two_way, "ba du be", "--word", "nud", "--layer", 1, "--head", 2)
    assert (ran.code, ran.err) == (0, "")
    (steps,) = trace.word("nud").table(layer=1, head=2)
    head, *keys, total = rows(ran.out, "2")
    assert head[:5] == ["key", "q · k", f"/ √{len(steps.q)}", "mask", "exp"]
    assert [line[0] for line in keys] == ["<2en>", "ba", "du", "be", "</s>"]
    for line, score, scaled, weight in zip(keys, steps.scores, steps.scaled, steps.weights, strict=True):
        assert [float(line[1]), float(line[2])] == pytest.approx([score, scaled], rel=1e-3, abs=1e-4)
        assert line[3] == "0"
        assert float(line[5]) == pytest.approx(weight, rel=1e-1, abs=1e-4)
    assert total[0] == "sum"
    assert float(total[2]) == pytest.approx(1)


def test_q_times_k_adds_up_to_the_score_and_a_v_to_z_as_printed(regard, two_way):
    out = regard("look", two_way, "ba du be", "--word", "nud", "--layer", 1, "--head", 2).out
    products = rows(out, "1")
    *parts, score = [float(line[-1]) for line in products[1:]]
    assert products[-1][0] == "q · k"
    assert sum(parts) == pytest.approx(score, rel=1e-2, abs=1e-2)
    table = rows(out, "3")
    columns = list(zip(*[map(float, line[1:]) for line in table[1:]], strict=True))
    assert len(columns) == 6
    for *parts, z in columns:
        assert sum(parts) == pytest.approx(z, rel=1e-2, abs=1e-3)
    added = rows(out, "4")
    assert [line[0] for line in added[1:]] == [
        "the stream before", "this head: z W_O", "all heads and b_O", "the stream after"
    ]  # fmt: skip


def test_the_check_says_how_far_the_model_is_from_what_is_printed(regard, two_way):
    out = regard("look", two_way, "ba", "--word", "nab", "--layer", 1, "--head", 1).out
    assert float(re.search(r"the model's own are within (\S+) of it", out)[1]) < 1e-4


def test_a_word_of_the_source_is_shown_in_the_encoder(regard, two_way):
    out = regard("look", two_way, "ba du be", "--word", "du", "--layer", 1, "--head", 3).out
    assert out.startswith("du: encoder attention, layer 1, head 3, position 3 of 5\n")
    assert [line[0] for line in rows(out, "2")[1:-1]] == ["<2en>", "ba", "du", "be", "</s>"]


def test_the_decoder_hides_what_is_not_written_yet(regard, two_way):
    asked = ("look", two_way, "ba du be", "--word", "nud", "--kind", "decoder", "--layer", 1, "--head", 1)
    for options, visible in (((), 2), (("--reads",), 3)):
        out = regard(*asked, *options).out
        masks = [line[3] for line in rows(out, "2")[1:-1]]
        assert masks == ["0"] * visible + ["-∞"] * (4 - visible)
    assert out.startswith("nud: decoder attention, layer 1, head 1, where the decoder reads nud and writes neb\n")


def test_without_a_head_each_head_is_told_in_brief(regard, two_way, trace):
    ran = regard("look", two_way, "ba du be", "--word", "nud")
    assert ran.code == 0
    assert re.match(r"Cross-attention of nud, log p -\d\.\d+ \(instead: \S+ 0\.\d+, ", ran.out)
    lines = [line.split() for line in ran.out.splitlines() if re.match(r" 1 +\d ", line)]
    gazes = trace.word("nud").gazes()
    assert [(line[1], line[2]) for line in lines] == [(str(g.head + 1), g.words[0]) for g in gazes]
    assert [float(line[3]) for line in lines] == pytest.approx([g.weights[0] for g in gazes], abs=6e-4)
    changes = [off(trace.living().model, "cross", head=head) for head in range(1, 5)]
    worth = [effect.word_delta[1] for effect in effects(trace, changes)]
    assert [float(line[-1]) for line in lines] == pytest.approx(worth, abs=6e-3)
    one = regard("look", two_way, "ba du be", "--word", "nud", "--head", 2).out
    assert len([line for line in one.splitlines() if re.match(r" 1 +\d ", line)]) == 1


def test_beside_the_weights_of_a_head_stands_what_it_is_worth(regard, two_way, trace):
    effects_of = list(effects(trace, [off(trace.living().model, "cross", layer=1, head=h) for h in range(1, 5)]))
    out = regard("look", two_way, "ba du be", "--word", "nud", "--layer", 1, "--head", 3).out
    assert f"without this head: log p(nud) changes by {effects_of[2].word_delta[1]:+.3f}" in out
    assert ("It writes the same." in out) == effects_of[2].same
    brief = regard("look", two_way, "ba du be", "--word", "nud").out
    for head, effect in enumerate(effects_of, start=1):
        assert (f"With layer 1, head {head} off, it writes: {effect.translation}\n" in brief) == (not effect.same)
    source = regard("look", two_way, "ba du be", "--word", "du", "--layer", 1, "--head", 1).out
    (alone,) = effects(trace, [off(trace.living().model, "encoder", layer=1, head=1)])
    assert f"log p of the translation changes by {sum(alone.delta):+.3f}" in source


def test_a_target_can_be_forced_and_an_occurrence_named(regard, two_way):
    asked = ("look", two_way, "ba ba", "--target", "nab nud nab", "--word", "nab", "--layer", 1, "--head", 1)
    first, second = regard(*asked).out, regard(*asked, "--occurrence", 2).out
    assert "where the decoder reads <s> and writes nab" in first
    assert "where the decoder reads nud and writes nab" in second


def test_words_without_quotes_are_one_sentence_and_a_direction_can_be_named(regard, two_way):
    ran = regard("look", two_way, "nab", "nud", "--direction", "en-fr", "--word", "du", "--layer", 1, "--head", 1)
    assert "where the decoder reads ba and writes du" in ran.out
    assert [line[0] for line in rows(ran.out, "2")[1:-1]] == ["<2fr>", "nab", "nud", "</s>"]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--word", "zut"], "There is no word 'zut': the target has nab nud </s>; the source has <2en> ba du </s>."),
        (["--word", "du", "--kind", "cross"], "There is no word 'du': the target has nab nud </s>."),
        (["--word", "nab", "--occurrence", "2"], "'nab' stands once in the target; there is no occurrence 2."),
        (["--word", "nab", "--layer", "2", "--head", "1"], "no layer 2: cross attention has layers 1 to 1."),
        (["--word", "nab", "--layer", "2"], "no layer 2: cross attention has layers 1 to 1."),
        (["--word", "nab", "--head", "5"], "no head 5: each layer has heads 1 to 4."),
        (["--word", "</s>", "--layer", "1", "--head", "1", "--reads"], "the model writes it, and reads it no more."),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(regard, two_way, options, wrong):
    ran = regard("look", two_way, "ba du", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("regard look: ")
    assert ran.err.endswith(f"{wrong}\n")


def test_a_word_without_a_sentence_is_refused(regard, two_way):
    ran = regard("look", two_way, "--word", "ba")
    assert ran.code == 2
    assert "Which sentence is 'ba' in?" in ran.err


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0.000"), (1, "1.000"), (0.999996, "1.000"), (-0.03456, "-0.0346"), (123.456, "123.5"), (0.0001, "1.0e-04"),
     (9876.54, "9877"), (98765.4, "9.9e+04"), (-math.pi, "-3.142")],
)  # fmt: skip
def test_numbers_have_four_digits(number, written):
    from regard.cli.arithmetic import _number

    assert _number(number) == written
