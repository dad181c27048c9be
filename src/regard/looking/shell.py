"""The page made whole: modules joined into one classic script, texts and data put in, nothing left to fetch.

One document serves three shells: a file that stands alone, a frame in a notebook, and the live page. What may run in
it is named by the hashes of its scripts (Content-Security-Policy); data is JSON that cannot end its own element. Script
and texts travel deflated, half as large: a first, short script inflates them and hands them over.
"""

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from regard.errors import InputError

PAGE = files("regard.looking.page")
LANGUAGES = ("en", "fr", "ko")
ENTRY = "page.js"
LOADER = """(async () => {
  const inflated = async id => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  };
  const texts = document.createElement("script"), code = document.createElement("script");
  texts.type = "application/json";
  texts.id = "texts";
  texts.textContent = await inflated("packed-texts");
  code.textContent = await inflated("packed-code");
  document.body.append(texts, code);
})();"""

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";[ \t]*$', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\s*\*?\s*([\w$]+))", re.MULTILINE)


def joined(sources: Mapping[str, str], entry: str) -> str:
    """ES modules as one classic script: each becomes a function that returns its exports, in the order of their need.

    Imports are of the form `import { a, b as c } from "./x.js";`, exports stand before a declaration. Raises InputError
    where a module is missing, imports go round in a circle, or one of the two is written in another way.
    """
    parts = [_as_function(name, sources[name]) for name in in_order(sources, entry)]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"


def in_order(sources: Mapping[str, str], entry: str) -> list[str]:
    """The modules that `entry` needs, each behind those that it imports itself."""
    done: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise InputError(f"The modules import each other in a circle: {' -> '.join([*above, name])}.")
        if name not in sources:
            raise InputError(f"{above[-1] if above else 'The page'} imports {name}, and there is no such module.")
        for _, needed in _IMPORT.findall(sources[name]):
            visit(needed, (*above, name))
        if name not in done:
            done.append(name)

    visit(entry, ())
    return done


def _as_function(name: str, source: str) -> str:
    imports = [f"const {{ {_renamed(names)} }} = {_variable(other)};" for names, other in _IMPORT.findall(source)]
    exports = list(dict.fromkeys(_EXPORT.findall(source)))
    body = _EXPORT.sub("", _IMPORT.sub("", source)).strip("\n")
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise InputError(f'{name}: cannot join "{left[0]}". Write import {{ a }} from "./x.js", export function a ...')
    inner = "\n".join([*imports, body, f"return {{ {', '.join(exports)} }};"])
    return f"const {_variable(name)} = (() => {{\n{inner}\n}})();"


def _renamed(names: str) -> str:
    """`a, b as c` as it is written in a destructuring: `a, b: c`."""
    parts = [part.strip() for part in names.split(",") if part.strip()]
    return ", ".join(re.sub(r"\s+as\s+", ": ", part) for part in parts)


def _variable(name: str) -> str:
    return "$" + name.removesuffix(".js").replace("-", "_")


def script() -> str:
    """The page's script."""
    return joined({entry.name: _text(entry) for entry in (PAGE / "js").iterdir() if entry.name.endswith(".js")}, ENTRY)


@cache
def texts() -> str:
    """The strings of every language and the steps of the tour, as JSON."""
    languages = {name: json.loads(_text(PAGE / "texts" / f"{name}.json")) for name in LANGUAGES}
    steps = json.loads(_text(PAGE / "texts" / "tour.json"))
    return json.dumps({"languages": languages, "tour": steps}, ensure_ascii=False, separators=(",", ":"))


@cache
def _parts() -> tuple[str, str]:
    """Style and script: the same in every page."""
    return "".join(_text(PAGE / name) for name in ("palette.css", "style.css", "tables.css")), script()


def page(data: str, *, live: bool = False, title: str = "What the model looked at", language: str = "en") -> str:
    """The whole page as HTML, around data (`export.page_data`). A live page may speak with the server that sent it."""
    style, code = _parts()
    policy = policy_of(LOADER, code, live=live)
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>",
            _text(PAGE / "index.html"),
            f'<script type="application/json" id="data">{as_element(data)}</script>',
            f'<script type="text/plain" id="packed-texts">{packed(texts())}</script>',
            f'<script type="text/plain" id="packed-code">{packed(code)}</script>',
            f"<script>{LOADER}</script>\n</body>\n</html>\n",
        ]
    )


def policy_of(*scripts: str, live: bool = False) -> str:
    """What the page may do: run these scripts, use its own style; and, live, speak with its own server."""
    digests = (base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rules = ["default-src 'none'", f"script-src {allowed}", "style-src 'unsafe-inline'", "img-src data:"]
    rules += ["base-uri 'none'", "form-action 'none'"]
    return "; ".join([*rules, "connect-src 'self'"] if live else rules)


def packed(text: str) -> str:
    """Deflated, in base64: letters that mean nothing in HTML."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def as_element(text: str) -> str:
    """JSON that may stand in a script element: no `<` in it can open or close anything."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def frame(document: str, height: int = 900) -> str:
    """The page in a frame of its own, for a notebook: it may run its script, and reaches nothing around it."""
    return (
        f'<iframe srcdoc="{html.escape(document)}" sandbox="allow-scripts" title="What the model looked at" '
        f'style="width:100%;height:{height}px;border:1px solid #dfe0da;border-radius:4px"></iframe>'
    )


def _text(path: Traversable) -> str:
    return path.read_text(encoding="utf-8")
