"""The page as this server sends it: the same document as the file that stands by itself, but that it may ask here."""

import html
import re
from typing import NamedTuple

from regard.looking.shell import page

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


class Page(NamedTuple):
    """A document, and what it may do (its Content-Security-Policy)."""

    html: str
    policy: str


def live_page(data: str) -> Page:
    """The live page around this data (`export.page_data`)."""
    document = page(data, live=True)
    own = _POLICY.search(document)
    assert own, "the document says what it may do"
    return Page(document, f"{html.unescape(own[1])}; frame-ancestors 'none'")
