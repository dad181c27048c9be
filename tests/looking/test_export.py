"""Traces as the page reads them: what travels, in which numbers, and how the page's own arithmetic agrees."""

import base64
import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from regard.errors import InputError
from regard.looking import export
from regard.looking.export import Shown, compact, look_data, page_data, to_csv
from regard.looking.worth import worth

NODE = shutil.which("node")
JS = Path(export.__file__).parent / "page" / "js"
CHECK = """
import {{ openLook }} from "{js}/look.js";
import {{ checkAll }} from "{js}/oneword.js";
let text = "";
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).looks.map(raw => checkAll(openLook(raw)))));
"""


@pytest.fixture(scope="module")
def trace(fresh):
    return fresh().look("it was too tired", "il était fatigué")


def tensor(block, name, number="<f4"):
    return np.frombuffer(base64.b64decode(block[name]), dtype=number)


def test_a_block_travels_with_its_own_numbers(trace):
    told, own = look_data(trace)["blocks"][-1], trace.attentions[-1]
    assert (told["kind"], told["layer"], told["type"]) == ("cross", 2, "f4")
    assert told["shape"] == [2, len(trace.writes), len(trace.source_pieces), 7, 5]
    for name in ("q", "k", "v", "weights", "context", "w_o", "b_o"):
        np.testing.assert_array_equal(tensor(told, name), getattr(own, name).ravel())
    np.testing.assert_array_equal(tensor(told, "sum"), own.added.ravel())
    np.testing.assert_allclose(told["lane"], np.linalg.norm(own.x_in, axis=1), rtol=1e-4)
    np.testing.assert_allclose(told["carried"], np.linalg.norm(own.v @ own.w_o, axis=2), rtol=1e-4)


def test_the_feed_forward_layer_is_told_of_behind_the_last_attention_of_its_layer(trace):
    told = {(block["kind"], block["layer"]): block["fed"] for block in look_data(trace)["blocks"]}
    own = {(block.stack, block.layer): block.added for block in trace.feed_forwards}
    np.testing.assert_allclose(told["cross", 1], np.linalg.norm(own["decoder", 1], axis=1), rtol=1e-4)
    np.testing.assert_allclose(told["encoder", 1], np.linalg.norm(own["encoder", 1], axis=1), rtol=1e-4)
    assert told["decoder", 1] is None


def test_a_long_sentence_in_a_large_model_travels_in_half_precision_and_says_so(trace, monkeypatch):
    monkeypatch.setattr(export, "SHORT", 3)
    monkeypatch.setattr(export, "PRECISE", 10)
    told, own = look_data(trace)["blocks"][0], trace.attentions[0]
    assert told["type"] == "f2"
    assert "context" not in told
    np.testing.assert_array_equal(tensor(told, "q", "<f2"), own.q.astype(np.float16).ravel())


def test_where_weights_are_too_many_the_largest_of_each_row_travels(trace, monkeypatch):
    monkeypatch.setattr(export, "WEIGHTS", 10)
    monkeypatch.setattr(export, "OUTPUTS", 10)
    told, own = look_data(trace)["blocks"][0], trace.attentions[0]
    assert not {"weights", "w_o", "sum"} & set(told)
    np.testing.assert_array_equal(tensor(told, "peaks"), own.weights.max(axis=2).ravel())


def test_what_would_be_too_large_is_refused_with_the_layers_that_fit(trace):
    whole = len(page_data([trace]))
    with pytest.raises(InputError, match=r"--layers 2 3\)"):
        page_data([trace], largest=int(whole * 0.8))
    kept = json.loads(page_data([trace], layers=[3]))["looks"][0]["blocks"]
    assert [(block["kind"], block["layer"]) for block in kept] == [("decoder", 2), ("cross", 2)]
    with pytest.raises(InputError, match="no layers 9"):
        page_data([trace], layers=[9])


def test_worth_travels_by_words_and_without_what_is_not_drawn(trace):
    record = worth(trace, count=1, beam_size=1).record()
    told = json.loads(page_data([Shown(trace, record)]))["looks"][0]["worth"]
    assert told == compact(record)
    assert len(told["heads"]) == len(record["heads"]) == 2 * (2 + 3 + 3)
    assert set(told["heads"][0]) == {"change", "translation", "same", "delta"}
    np.testing.assert_allclose(told["heads"][0]["delta"], record["heads"][0]["word_delta"], atol=5e-5)


def test_records_become_lines_that_a_spreadsheet_reads_and_none_is_a_formula():
    text = to_csv([{"key": '=SUM(A1), "x"', "weight": -0.5}, {"key": "a\nb", "weight": 1}])
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"key": '\'=SUM(A1), "x"', "weight": "-0.5"},
        {"key": "a\nb", "weight": "1"},
    ]
    assert to_csv([]) == ""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_page_recomputes_every_row_of_every_head_to_the_models_own_numbers(fresh, norm):
    trace = fresh({"model.norm": norm}).look("the animal did not cross the street", "il dort très bien")
    code = CHECK.format(js=JS.as_uri())
    run = [NODE or "", "--input-type=module", "-e", code]
    done = subprocess.run(run, input=page_data([trace]), capture_output=True, text=True, check=True)
    assert re.match(r"\[\{", done.stdout)
    for gaps in json.loads(done.stdout):
        assert 0 < gaps["weights"] <= 1e-5
        assert 0 < gaps["sum"] <= 1e-5
