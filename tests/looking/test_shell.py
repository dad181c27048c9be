"""The page made whole: modules joined into one script, a policy for it, data that cannot get out of its element."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from regard.errors import InputError
from regard.looking import shell

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")
TESTS = Path(__file__).parent / "page"
MODULES = {
    "a.js": 'import { twice, ROOT as root } from "./b.js";\nimport { $ } from "./c.js";\nconst hidden = 1;\n'
    "export function answer() {\n  return twice(root) + hidden + $();\n}\nsaid(answer());\n",
    "b.js": 'import { $ } from "./c.js";\nexport const ROOT = 5;\nconst hidden = 100;\n'
    "export function twice(x) {\n  return 2 * x + 0 * hidden * $();\n}\n",
    "c.js": "export const $ = () => 1000;\n",
}


def run(code: str) -> str:
    """What node prints."""
    return subprocess.run([NODE or "", "-e", code], capture_output=True, text=True, check=True).stdout.strip()


@needs_node
def test_joined_modules_do_what_they_did_apart_and_each_keeps_its_own_names():
    assert run(f"globalThis.said = console.log;\n{shell.joined(MODULES, 'a.js')}") == "1011"  # 2 * 5 + 1 + 1000


def test_a_module_stands_behind_those_that_it_needs_and_is_there_once():
    assert shell.in_order(MODULES, "a.js") == ["c.js", "b.js", "a.js"]
    assert shell.joined(MODULES, "a.js").count("const $c = ") == 1


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"a.js": 'import { x } from "./gone.js";\n'}, "a.js imports gone.js"),
        ({"a.js": 'import { x } from "./b.js";\n', "b.js": 'import { y } from "./a.js";\n'}, "circle"),
        ({"a.js": 'import x from "./b.js";\n', "b.js": ""}, 'a.js: cannot join "import x from'),
        ({"a.js": "export default 1;\n"}, 'cannot join "export default 1;"'),
    ],
)
def test_what_cannot_be_joined_is_named(sources, said):
    with pytest.raises(InputError, match=re.escape(said)):
        shell.joined(sources, "a.js")


def test_the_policy_names_every_script_that_runs_and_the_page_may_reach_nothing():
    document = shell.page("{}")
    policy = html.unescape(re.search(r'Security-Policy" content="([^"]*)"', document)[1])
    running = re.findall(r"<script>(.*?)</script>", document, re.DOTALL)
    packed = re.search(r'id="packed-code">([^<]*)<', document)[1]
    running.append(zlib.decompress(base64.b64decode(packed)).decode())
    assert len(running) == 2
    for code in running:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert not re.search(r"(?:src|href)=[\"']?https?:", document)
    assert "connect-src 'self'" in html.unescape(shell.page("{}", live=True))


def test_no_word_can_close_the_element_that_its_data_stands_in():
    evil = "</script><script>alert(1)</script><!-- \u2028"
    data = json.dumps({"text": evil}, ensure_ascii=False)
    document = shell.page(data)
    inside = re.search(r'id="data">(.*?)</script>', document, re.DOTALL)[1]
    assert json.loads(inside) == {"text": evil}
    assert "alert(1)</script>" not in document


def test_a_frame_holds_the_page_as_text_and_lets_it_reach_nothing_around_it():
    framed = shell.frame('<p class="x">a & b</p>', height=7)
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', framed)[1]) == '<p class="x">a & b</p>'
    assert 'sandbox="allow-scripts"' in framed
    assert "height:7px" in framed


def test_the_page_without_data_has_at_most_150_kilobytes():
    assert len(shell.page("{}").encode()) <= 150_000


def test_every_language_says_the_same_things_with_the_same_slots():
    languages = json.loads(shell.texts())["languages"]
    slots = {
        name: {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in strings.items()}
        for name, strings in languages.items()
    }
    assert set(slots) == {"en", "fr", "ko"}
    assert slots["fr"] == slots["en"]
    assert slots["ko"] == slots["en"]
    assert all(text.strip() for strings in languages.values() for text in strings.values())


def test_every_string_that_the_page_names_is_there_and_every_step_of_the_tour_has_its_words():
    told = json.loads(shell.texts())
    strings, page = told["languages"]["en"], shell.PAGE
    modules = [path.read_text("utf-8") for path in (page / "js").iterdir()]
    named = {key for code in modules for key in re.findall(r'\bt\("([a-z]\w*(?:\.\w+)*)"', code)}
    named |= set(re.findall(r'data-t="([\w.]+)"', (page / "index.html").read_text("utf-8")))
    named |= {f"tour.{step['name']}.{part}" for step in told["tour"] for part in ("title", "text")}
    assert len(named) > 100
    assert sorted(named - set(strings)) == []


@needs_node
def test_the_pure_modules_pass_their_own_tests():
    done = subprocess.run([NODE or "", "--test", str(TESTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)[1]) >= 40
