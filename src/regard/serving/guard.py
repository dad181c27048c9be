"""Who may ask: this machine's own page, and nobody through a browser that shows another one."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse

LARGEST = 65_536  # bytes of a request's body
NAMES = ("127.0.0.1", "localhost", "[::1]")  # by which a browser calls this machine

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"  # the policy of what is not the page


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    why: str


class Guard:
    """Looks at each request before the app does, and puts the headers of safety on each answer.

    The Host has to be this machine's: another name that leads here was made up by a foreign page (DNS rebinding). The
    Origin, where a browser sends one, has to be that same Host, and what changes anything has to come as JSON, which a
    foreign page cannot send (cross-site request forgery).
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or lets the app answer."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", []))
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = refused(scope["method"], headers)
        if refusal is None:
            return await self.app(scope, receive, send_safely)
        return await JSONResponse({"error": refusal.why}, refusal.status)(scope, receive, send_safely)


def refused(method: str, headers: Mapping[str, str]) -> Refusal | None:
    """Why a request with these headers (names in small letters) is not answered; None if it is."""
    host = headers.get("host", "")
    if name_of(host) not in NAMES:
        return Refusal(403, f"This page answers to {' and '.join(NAMES[:2])}, not to {host[:80]!r}.")
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return Refusal(403, f"A page of {origin[:80]!r} may not ask here.")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and method not in ("GET", "HEAD"):
        return Refusal(403, "Another site may not ask here.")
    if method == "POST" and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Refusal(415, "Send JSON, with Content-Type: application/json.")
    if not headers.get("content-length", "0").isdecimal() or int(headers.get("content-length", "0")[:9]) > LARGEST:
        return Refusal(413, f"The request is larger than {LARGEST:,} bytes.")
    return None


def name_of(host: str) -> str:
    """The name in a Host header, without the port; empty where it is none."""
    try:
        split = urlsplit(f"http://{host}")
        split.port  # noqa: B018  (raises where it is no number)
    except ValueError:
        return ""
    plain = split.netloc == host and "@" not in host and host == host.strip()
    name = (split.hostname or "") if plain else ""
    return f"[{name}]" if ":" in name else name


def _with_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of safety, and under them those that the app chose."""
    chosen = {name.decode("latin-1").lower() for name, _ in headers}
    added = HEADERS | {"content-security-policy": NOTHING}
    return [*headers, *((name.encode(), value.encode()) for name, value in added.items() if name not in chosen)]
