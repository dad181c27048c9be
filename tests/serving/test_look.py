"""The live page, asked through a socket as a browser would, and as nobody should."""

import base64
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from regard.decoding.directory import load
from regard.errors import InputError
from regard.looking.export import Shown, compact, look_data
from regard.looking.worth import worth
from regard.serving import look as room
from regard.serving.answering import Answerer
from regard.serving.look import listen

SENTENCE = {"what": "sentence", "text": "du"}
LINE = {"text": "ba be bi", "direction": "fr-en"}


@pytest.fixture(scope="module")
def trace(two_way):
    return load(two_way).look(LINE["text"], direction=LINE["direction"])


def weighed(ask, asked):
    """The end of a job."""
    job = ask("POST", "/api/worth", asked).body["job"]
    for _ in range(600):
        state = ask("GET", f"/api/worth/{job}").body
        if state["state"] != "running":
            return state
        time.sleep(0.05)
    raise AssertionError("it never ended")


def test_the_page_comes_with_a_policy_that_lets_it_ask_only_this_server(ask):
    answer = ask("GET", "/")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(part.split(maxsplit=1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "http" not in answer.headers["content-security-policy"]


def test_the_facts_of_the_model_are_told_and_the_sentence_to_begin_with(ask):
    facts = ask("GET", "/api/model").body
    assert (facts["name"], facts["directions"], facts["max_pieces"]) == ("two-way", ["fr-en", "en-fr"], 23)
    assert (facts["text"], facts["direction"]) == ("ba be", "fr-en")


def test_a_look_is_what_python_says_of_the_same_sentence(ask, trace):
    answer = ask("POST", "/api/look", LINE)
    assert answer.status == 200
    told, own = answer.body["looks"][0], look_data(Shown(trace))
    assert told["translation"] == own["translation"] == "nab neb nib"
    assert told["writes"] == {"pieces": own["writes"]["pieces"], "words": [list(w) for w in own["writes"]["words"]]}
    assert told["log_probs"] == pytest.approx(own["log_probs"], abs=1e-3)


def test_without_a_direction_it_is_the_models_first_and_another_can_be_named(ask):
    assert ask("POST", "/api/look", {"text": "du"}).body["looks"][0]["translation"] == "nud"
    assert ask("POST", "/api/look", {"text": "nud", "direction": "en-fr"}).body["looks"][0]["translation"] == "du"


def test_a_translation_can_be_forced(ask):
    look = ask("POST", "/api/look", LINE | {"target": "nud nod"}).body["looks"][0]
    assert (look["translation"], look["forced"]) == ("nud nod", True)
    assert sum(look["log_probs"]) < -3


@pytest.mark.parametrize(
    ("change", "translation"),
    [
        ({"what": "text", "how": "dropped", "word": 2}, "nab nib"),
        ({"what": "text", "how": "swapped", "word": 1, "with": 3}, "nib neb nab"),
        ({"what": "text", "how": "swapped", "word": 1}, "neb nab nib"),
        ({"what": "text", "how": "replaced", "word": 3, "by": "du"}, "nab neb nud"),
        ({"what": "sentence", "text": "du do"}, "nud nod"),
    ],
)
def test_a_word_is_changed_and_what_that_does_is_told(ask, change, translation):
    """Word 0 is the tag of the direction."""
    found = {"target": "nab neb nib", "forced": False}
    answer = ask("POST", "/api/change", LINE | found | {"change": change}).body
    assert answer["look"]["translation"] == answer["effect"]["translation"] == translation
    assert (answer["look"]["change"], answer["look"]["delta"]) == (
        answer["effect"]["change"],
        answer["effect"]["delta"],
    )
    assert answer["effect"]["same"] is False
    assert min(answer["effect"]["delta"]) < -1


def test_a_swap_of_equals_changes_nothing(ask):
    asked = {"text": "ba ba", "change": {"what": "text", "how": "swapped", "word": 1}}
    effect = ask("POST", "/api/change", asked).body["effect"]
    assert effect["same"] is True
    assert effect["delta"] == pytest.approx([0] * len(effect["delta"]), abs=1e-4)


def test_all_cross_attention_off_leaves_the_model_blind(ask, trace):
    off = {"what": "heads", "how": "off", "kind": "cross"}
    answer = ask("POST", "/api/change", LINE | {"change": off}).body
    assert answer["effect"]["same"] is False
    assert sum(answer["effect"]["delta"]) < -1
    again = ask("POST", "/api/change", {"text": "do du be", "change": off}).body
    assert again["look"]["translation"] == answer["look"]["translation"], "it writes the same, whatever it is given"
    assert ask("POST", "/api/look", LINE).body["looks"][0]["translation"] == trace.translation, "nothing is left behind"


def test_heads_can_be_changed_in_both_ways_at_once_and_a_word_besides(ask):
    changes = [
        {"what": "heads", "how": "uniform", "kind": "cross", "layer": 1, "head": 2},
        {"what": "heads", "how": "off", "kind": "encoder", "head": 1},
        {"what": "text", "how": "dropped", "word": 1},
    ]
    answer = ask("POST", "/api/change", LINE | {"change": changes}).body
    kinds = {block["kind"]: block for block in answer["look"]["blocks"]}
    heads, rows, columns = kinds["cross"]["shape"][:3]
    weights = np.frombuffer(base64.b64decode(kinds["cross"]["weights"]), "<f4").reshape(heads, rows, columns)
    assert answer["look"]["text"] == "be bi"
    assert weights[1] == pytest.approx(1 / columns)
    assert weights[0] != pytest.approx(1 / columns)
    assert set(kinds["encoder"]["added"][0]) == {0.0}, "what a head adds that is off"
    assert set(kinds["encoder"]["added"][1]) != {0.0}


def test_worth_is_found_in_the_background_and_is_what_python_finds(ask, trace):
    state = weighed(ask, LINE)
    assert (state["state"], state["error"]) == ("done", None)
    assert state["done"] == state["total"] > 12
    own = compact(worth(trace).record())
    assert {name: len(found) for name, found in state["worth"].items()} == {n: len(f) for n, f in own.items()}
    for name, found in own.items():
        for told, here in zip(state["worth"][name], found, strict=True):
            assert told["translation"] == here["translation"]
            assert told["delta"] == pytest.approx(here["delta"], abs=2e-3)


def test_what_was_weighed_once_is_known_when_it_is_asked_for_again(ask):
    first = weighed(ask, LINE)
    assert ask("POST", "/api/worth", LINE).body == first


def test_a_new_sentence_ends_the_weighing_of_the_one_before(ask):
    first = ask("POST", "/api/worth", {"text": "do du da de di bo bu"}).body["job"]
    second = ask("POST", "/api/worth", {"text": "bu"}).body["job"]
    assert ask("GET", f"/api/worth/{first}").body["state"] in ("cancelled", "done")
    assert ask("GET", f"/api/worth/{second}").body["state"] in ("running", "done")


def test_a_weighing_can_be_called_off(ask):
    job = ask("POST", "/api/worth", {"text": "da de di do du ba be bi bo bu"}).body["job"]
    assert ask("DELETE", f"/api/worth/{job}").body["state"] == "cancelled"
    assert ask("GET", f"/api/worth/{job}").body["state"] == "cancelled"


def test_a_weighing_that_fails_says_why(ask):
    state = weighed(ask, {"text": "  "})
    assert state["state"] == "failed"
    assert "the source is empty" in state["error"]


def test_many_who_ask_at_once_all_get_their_own_answer(ask, toy):
    lines = ["ba", "be bi", "bo bu da", "de di do du", "ba be", "bi"] * 3
    ask("POST", "/api/worth", {"text": "da de di do du"})
    with ThreadPoolExecutor(6) as pool:
        off = {"what": "heads", "how": "off", "kind": "cross"}
        changes = [off if number % 4 == 3 else None for number in range(len(lines))]
        asked = [{"text": line, "change": change} for line, change in zip(lines, changes, strict=True)]
        answers = list(pool.map(lambda body: ask("POST", "/api/change", body), asked))
    assert {answer.status for answer in answers} == {200}
    for line, change, answer in zip(lines, changes, answers, strict=True):
        assert (answer.body["look"]["translation"] == toy.translate(line)) is (change is None), line


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 50000, "no JSON"),
        (b"[]", "has to be an object"),
        (b"{}", "'text' has to be a text"),
        ({"text": 3}, "'text' has to be a text"),
        ({"text": ""}, "the source is empty"),
        ({"text": "ba", "txt": "be"}, "has no 'txt'"),
        ({"text": "ba " * 1400}, "at most 4,000"),
        ({"text": "ba " * 40}, "this model reads 23 at once"),
        ({"text": "ba", "target": "nab " * 40}, "writes 23 at most"),
        ({"text": "ba \ud800"}, "not Unicode"),
        ({"text": "ba", "direction": "fr-de"}, "no direction 'fr-de'"),
        ({"text": "ba", "change": {}}, "one of sentence, text, heads"),
        ({"text": "ba", "change": ["off"]}, "one of sentence, text, heads"),
        ({"text": "ba", "change": {"what": "heads", "how": "on", "kind": "cross"}}, "one of off, uniform"),
        ({"text": "ba", "change": {"what": "heads", "how": "off", "kind": "middle"}}, "one of encoder, decoder, cross"),
        ({"text": "ba", "change": {"what": "heads", "how": "off", "kind": "cross", "layer": 2}}, "no layer 2"),
        ({"text": "ba", "change": {"what": "heads", "how": "off", "kind": "cross", "head": 5}}, "no head 5"),
        ({"text": "ba", "change": {"what": "heads", "how": "off", "kind": "cross", "head": True}}, "whole number"),
        ({"text": "ba", "change": {"what": "heads", "how": "off", "kind": ["cross"]}}, "one of encoder"),
        ({"text": "ba", "change": {"what": "text", "how": "dropped", "word": 7}}, "no word 7"),
        ({"text": "ba", "change": {"what": "text", "how": "dropped", "word": -1}}, "no word -1"),
        ({"text": "ba", "change": {"what": "text", "how": "dropped", "word": 0}}, "no word of the source"),
        ({"text": "ba", "change": {"what": "text", "how": "dropped", "word": 1}}, "nothing would be left"),
        ({"text": "ba be", "change": {"what": "text", "how": "replaced", "word": 1, "by": " "}}, "no word to put"),
        ({"text": "ba be", "change": {"what": "text", "how": "swapped", "word": 2}}, "no word behind it"),
        ({"text": "ba be", "change": 2 * [{"what": "text", "how": "dropped", "word": 1}] + [SENTENCE]}, "changed once"),
        ({"text": "ba be", "change": {"what": "sentence", "text": " "}}, "the source is empty"),
        ({"text": "ba be", "change": 300 * [SENTENCE]}, "300 changes"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(ask, body, said):
    answer = ask("POST", "/api/change", body)
    assert answer.status == 400
    assert list(answer.body) == ["error"]
    assert said in answer.body["error"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"host": "attacker.example"}),
        (403, {"host": "attacker.example:80"}),
        (403, {"host": "127.0.0.1.attacker.example"}),
        (403, {"host": "127.0.0.1@attacker.example"}),
        (403, {"host": None}),
        (403, {"origin": "https://attacker.example"}),
        (403, {"origin": "null"}),
        (403, {"origin": "http://127.0.0.1:1"}),
        (403, {"sec_fetch_site": "cross-site"}),
        (415, {"content_type": "text/plain"}),
        (415, {"content_type": "application/x-www-form-urlencoded"}),
        (415, {"content_type": None}),
    ],
)
def test_nobody_asks_through_another_page(ask, status, headers):
    answer = ask("POST", "/api/look", LINE, **headers)
    assert (answer.status, list(answer.body) if isinstance(answer.body, dict) else []) in (
        (status, ["error"]),
        (400, []),
    )


@pytest.mark.parametrize("name", ["localhost:8000", "localhost", "127.0.0.1:1234", "[::1]:80"])
def test_the_page_may_be_asked_by_any_name_of_this_machine(ask, name):
    answer = ask("POST", "/api/look", LINE, host=name, origin=f"http://{name}", sec_fetch_site="same-origin")
    assert answer.status == 200


def test_a_large_request_is_not_read(ask, port):
    assert ask("POST", "/api/look", b"x" * 70_000).status == 413
    assert ask("POST", "/api/look", b"{}", content_length="99999999999999999999").status in (400, 413)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:  # that does not say how long it is
        line.sendall(b"POST /api/look HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        line.sendall(b"Transfer-Encoding: chunked\r\n\r\n" + 5 * (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") + b"0\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_what_is_not_there_is_said_to_be_so(ask):
    for path in ("/api", "/api/worth/nothing", "/docs", "/openapi.json", "/../etc/passwd"):
        assert ask("GET", path)[:2] == (404, {"error": "There is nothing of this name here."}), path
    assert ask("PUT", "/api/look", LINE)[:2] == (405, {"error": "That cannot be done with this."})


def test_what_goes_wrong_in_us_is_not_told_in_detail(ask, monkeypatch):
    def fail(self, asked):
        raise ZeroDivisionError("/home/somebody/secret")

    monkeypatch.setattr(Answerer, "looks", fail)
    answer = ask("POST", "/api/look", LINE)
    assert answer[:2] == (500, {"error": "Something went wrong in regard; the terminal says what."})
    assert answer.headers["x-content-type-options"] == "nosniff"
    monkeypatch.undo()
    assert ask("POST", "/api/look", LINE).status == 200


def test_nobody_waits_for_ever(ask, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(Answerer, "looks", lambda self, asked: free.wait(10))
    monkeypatch.setattr(room, "SECONDS", 0.05)
    assert ask("POST", "/api/look", LINE)[:2] == (503, {"error": "This took too long; take a shorter text."})
    free.set()


def test_every_answer_has_the_headers_of_safety(ask):
    answers = [ask("GET", "/"), ask("GET", "/api/model"), ask("GET", "/nothing"), ask("POST", "/api/look", b"{")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")


def test_a_port_that_is_taken_is_said_to_be_so():
    with listen() as own, pytest.raises(InputError, match=r"port \d+ cannot be had"):
        listen(own.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 99999])
def test_a_port_that_is_none_is_said_to_be_so(port):
    with pytest.raises(InputError, match="cannot be had"):
        listen(port)
