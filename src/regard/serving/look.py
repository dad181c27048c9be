"""The live page: type a sentence, see it translated anew, change words and heads; for one person, on this machine."""

import asyncio
import contextlib
import logging
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.serving.answering import Answerer
from regard.serving.asking import LONGEST, Asked, read_asked
from regard.serving.guard import LARGEST, Guard
from regard.serving.page import live_page
from regard.serving.turns import BusyError, Turns
from regard.serving.weighing import Job, Weighings

SECONDS = 60.0  # that somebody waits for a look
SECONDS_TO_SEND = 10.0  # that a request may take to come in
HOST = "127.0.0.1"

T = TypeVar("T")


def look_app(translator: Translator, text: str = "", direction: str | None = None, target: str | None = None) -> Guard:
    """The page and its answers; it begins with `text`, in this direction, and with `target`, if it is given.

    Raises InputError where the text cannot be looked at.
    """
    turns = Turns()
    room = _Room(translator, Asked(text=text, direction=direction, target=target), turns)
    if text:
        room.answerer.trace(room.begin)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        room.weighings.stop()
        turns.close()

    app = FastAPI(title="regard look", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_api_route("/", room.page, methods=["GET"])
    app.add_api_route("/api/model", room.model, methods=["GET"])
    app.add_api_route("/api/look", room.look, methods=["POST"])
    app.add_api_route("/api/change", room.change, methods=["POST"])
    app.add_api_route("/api/worth", room.weigh, methods=["POST"])
    app.add_api_route("/api/worth/{number}", room.weighed, methods=["GET", "DELETE"])
    app.add_exception_handler(InputError, _told(400))
    app.add_exception_handler(BusyError, _told(503, "Too much is asked for at once; ask again in a moment."))
    app.add_exception_handler(TimeoutError, _told(503, "This took too long; take a shorter text."))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(404, _told(404, "There is nothing of this name here."))
    app.add_exception_handler(405, _told(405, "That cannot be done with this."))
    app.add_exception_handler(Exception, _told(500, "Something went wrong in regard; the terminal says what."))
    return Guard(app)  # around all of it: what FastAPI says of its own failures is guarded too


class _Room:
    """What is behind each address."""

    def __init__(self, translator: Translator, begin: Asked, turns: Turns) -> None:
        self.answerer, self.weighings = Answerer(translator), Weighings(turns)
        self.begin, self.turns = begin, turns

    async def page(self) -> Response:
        return await self._answer(lambda: _html(self.answerer.page_data(self.begin, self.facts())))

    async def model(self) -> Response:
        return JSONResponse(self.facts())

    async def look(self, request: Request) -> Response:
        asked = read_asked(await _body(request))
        return await self._answer(partial(_json, partial(self.answerer.looks, asked)))

    async def change(self, request: Request) -> Response:
        asked = read_asked(await _body(request))
        return await self._answer(partial(_json, partial(self.answerer.change, asked)))

    async def weigh(self, request: Request) -> Response:
        asked = read_asked(await _body(request)).unchanged
        job = self.weighings.start(asked, partial(self.answerer.trace, asked))
        return JSONResponse(job.record(), 202)

    async def weighed(self, number: str, request: Request) -> Response:
        job = self._job(number)
        if request.method == "DELETE":
            job.cancel()
        return JSONResponse(job.record())

    def facts(self) -> dict[str, Any]:
        """What the page wants to know before anything is asked."""
        translator = self.answerer.translator
        return {
            "name": translator.name,
            "directions": list(translator.tokenizer.directions),
            "max_pieces": translator.config.text.max_length,
            "max_characters": LONGEST,
            "text": self.begin.text,
            "direction": self.begin.direction,
        }

    def _job(self, number: str) -> Job:
        if (job := self.weighings.get(number)) is None:
            raise HTTPException(404)
        return job

    async def _answer(self, task: Callable[[], Response]) -> Response:
        future: Future[Response] = self.turns.submit(task)
        return await asyncio.wait_for(asyncio.wrap_future(future), SECONDS)


def _json(make: Callable[[], Any]) -> Response:
    """The answer, written as JSON where it was made, so that the loop is not held up."""
    return JSONResponse(make())


def _html(data: str) -> Response:
    shown = live_page(data)
    return HTMLResponse(shown.html, headers={"content-security-policy": shown.policy})


async def _body(request: Request) -> bytes:
    """The body of a request, if it is small and comes in time."""
    body = bytearray()
    async with asyncio.timeout(SECONDS_TO_SEND):
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise HTTPException(413, f"The request is larger than {LARGEST:,} bytes.")
    return bytes(body)


def _told(status: int, why: str = "") -> Callable[[Request, Exception], Response]:
    """What is said of an exception: its own words, or these."""
    return lambda request, error: JSONResponse({"error": why or str(error)}, status)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": str(getattr(error, "detail", ""))}, status)


def listen(port: int = 0) -> socket.socket:
    """A socket on this machine's own address; port 0: any that is free. Raises InputError where it is taken."""
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((HOST, port))
    except (OSError, OverflowError):
        own.close()
        raise InputError(
            f"The port {port} cannot be had. Name another, or leave --port out: any that is free."
        ) from None
    own.listen(128)
    return own


def serve(app: Guard, own: socket.socket, *, show: bool, ready: Callable[[str], None]) -> None:
    """Answers until Ctrl-C. `ready` is called with the address; `show` opens it in the browser."""
    address = f"http://{HOST}:{own.getsockname()[1]}/"
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, limit_concurrency=128, timeout_keep_alive=30,
        timeout_graceful_shutdown=2, h11_max_incomplete_event_size=LARGEST, ws="none",
    )  # fmt: skip
    ready(address)
    if show:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt), own:
        uvicorn.Server(config).run(sockets=[own])
