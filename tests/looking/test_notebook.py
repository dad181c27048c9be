"""A notebook, run from top to bottom, and what it has saved."""

import csv
import dataclasses
import html
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = [
    "import torch\ntorch.set_num_threads(1)\nfrom regard import load\nmodel = load({folder!r})",
    'trace = model.look("ba be", direction="fr-en")\ntrace',
    'trace.plot(kind="cross", layer=1, head=2)',
    'trace.csv({file!r}, "cross", layer=1, head=2)\nlen(trace.table("cross", layer=1, head=2))',
]


class Elements(HTMLParser):
    """The start tags of a document, with their attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of this name."""
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def ran(two_way, tmp_path_factory):
    """The notebook after its run, read from the file in which it was saved."""
    folder = tmp_path_factory.mktemp("notebook")
    cells = [cell.format(folder=str(two_way), file=str(folder / "head.csv")) for cell in CELLS]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    nbformat.write(book, folder / "look.ipynb")
    return folder, nbformat.read(folder / "look.ipynb", as_version=4)


def shown(book, cell):
    """What a cell shows, by its type."""
    outputs = [output for output in book.cells[cell].outputs if output.output_type == "execute_result"]
    assert len(outputs) == 1
    return outputs[0].data


def test_a_trace_shows_itself_without_scripts_and_then_the_page_in_a_frame_that_reaches_nothing(ran):
    whole = Elements(shown(ran[1], 1)["text/html"])
    assert whole.named("script") == []
    assert len(whole.named("svg")) == 1
    for word in ("ba be", "nab neb"):
        assert word in whole.text
    [frame] = whole.named("iframe")
    assert frame["sandbox"] == "allow-scripts", "its own scripts, and none of our origin"
    inner = Elements(frame["srcdoc"])
    [policy] = [meta["content"] for meta in inner.named("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "src" not in {name for _, attributes in inner.found for name in attributes}, "nothing is fetched"


def test_the_map_that_needs_no_script_has_a_cell_for_each_pair_of_words(ran):
    whole = Elements(shown(ran[1], 1)["text/html"])
    assert len(whole.named("rect")) == 3 * 4, "nab neb </s> write, <2en> ba be </s> are looked at"
    assert all("fill-opacity" in cell for cell in whole.named("rect"))


def test_a_figure_shows_itself_as_svg(ran):
    data = shown(ran[1], 2)
    assert data["image/svg+xml"].rstrip().endswith("</svg>")
    assert "Cross-attention, layer 1, head 2" in data["image/svg+xml"]


def test_the_numbers_are_beside_the_notebook_for_a_spreadsheet(ran):
    folder, book = ran
    lines = (folder / "head.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "kind,layer,head,query_place,query,key_place,key,score,scaled,mask,weight"
    assert len(lines) - 1 == int(shown(book, 3)["text/plain"]) == 3 * 4


def test_words_cannot_leave_their_place_in_a_notebook(fresh):
    odd = "<b>&</iframe><script>alert(1)</script>"
    told = fresh().look(odd, "un chien")._repr_html_()
    whole = Elements(told)
    assert whole.named("script") == []
    assert whole.named("b") == [{}], "our own alone"
    assert html.escape(odd) in told
    assert len(whole.named("iframe")) == 1


def test_a_cell_of_a_spreadsheet_is_no_formula(fresh, tmp_path):
    trace = fresh().look("the animal did not cross the street", "un chien")
    odd = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "1-1", 'a, "b"']
    assert len(trace.source_pieces) >= len(odd)
    odd = (odd * len(trace.source_pieces))[: len(trace.source_pieces)]
    strange = dataclasses.replace(trace, source_pieces=odd)
    strange.csv(tmp_path / "head.csv", "cross", layer=1, head=1)
    with (tmp_path / "head.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    safe = {"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1"}
    assert [row["key"] for row in rows[: len(odd)]] == [safe.get(piece, piece) for piece in odd]
    scores = trace.attention("cross", 1).scores[0].ravel()
    assert [float(row["score"]) for row in rows] == pytest.approx(scores), "numbers stay numbers, negative ones too"
    assert scores.min() < 0
