"""The live page of the toy language's model, behind a real socket."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn

from regard.decoding.directory import load
from regard.serving.look import listen, look_app


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


@pytest.fixture(scope="session")
def port(two_way: Path) -> Iterator[int]:
    """Where the page is served."""
    own = listen()
    app = look_app(load(two_way), "ba be", "fr-en")
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
    thread.start()
    yield own.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    own.close()
    assert not thread.is_alive()


@pytest.fixture
def ask(port: int) -> Callable[..., Answer]:
    """Asks: `ask("POST", "/api/look", {"text": "ba"}, host="elsewhere")`; a header None is left out."""

    def ask(method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        given = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent: dict[str, str | None] = {"host": f"127.0.0.1:{port}"}
        if given is not None:
            sent |= {"content-type": "application/json", "content-length": str(len(given))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        line.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                line.putheader(name, value)
        line.endheaders(given)
        answer = line.getresponse()
        text, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        line.close()
        json_text = found.get("content-type", "") == "application/json" and method != "HEAD"
        return Answer(answer.status, json.loads(text) if json_text else text.decode(), found)

    return ask
