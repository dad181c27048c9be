"""The page as this server sends it: the same modules as in the file that stands by itself, and a policy for them."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_SCRIPT = re.compile(r"<script(?:\s+type=\"module\")?>(.*?)</script>", re.DOTALL)


class Page(NamedTuple):
    """A document, and what it may do (its Content-Security-Policy)."""

    html: str
    policy: str


def page(facts: Mapping[str, Any]) -> Page:
    """The live page of a model with these facts."""
    document = _document(facts)
    return Page(document, policy_of(document))


def policy_of(document: str) -> str:
    """A policy under which the document's own scripts run, and no others, and which asks this server alone."""
    scripts = " ".join(f"'sha256-{_sha256(script)}'" for script in _SCRIPT.findall(document))
    return (
        f"default-src 'none'; script-src {scripts or chr(39) + 'none' + chr(39)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _document(facts: Mapping[str, Any]) -> str:
    told = html.escape(json.dumps(facts, ensure_ascii=False))
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>regard</title><pre>{told}</pre></html>'
