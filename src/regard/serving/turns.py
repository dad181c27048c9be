"""One thread on which a model works, so that nobody finds it half changed by somebody else."""

import itertools
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from regard.errors import InputError

T = TypeVar("T")

AWAITED, BACKGROUND = 0, 1  # somebody waits for it; it is done when nobody waits
MOST = 64  # tasks that may wait


class BusyError(Exception):
    """More is asked for than can be done; ask later."""


class Turns:
    """Tasks are done one at a time: in the order in which they came, those of the background after all others."""

    def __init__(self) -> None:
        self._tasks: queue.PriorityQueue[tuple[int, int, Future[Any] | None, Callable[[], Any]]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._awaited = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], T], urgency: int = AWAITED) -> "Future[T]":
        """The task's result, some time. Raises BusyError where too many tasks wait already."""
        if self._tasks.qsize() >= MOST:
            raise BusyError
        if urgency == AWAITED:
            self._awaited = time.monotonic()
        future: Future[T] = Future()
        self._tasks.put((urgency, next(self._numbers), future, task))
        return future

    def quiet(self) -> float:
        """The seconds since anything was asked for that somebody waits for."""
        return time.monotonic() - self._awaited

    def close(self, seconds: float = 5.0) -> None:
        """Ends after the task that is being done; those that wait are cancelled. Waits for that, but not for ever."""
        self._tasks.put((-1, next(self._numbers), None, lambda: None))
        self._thread.join(seconds)

    def _work(self) -> None:
        while (task := self._tasks.get())[2] is not None:
            _do(task[2], task[3])
        while not self._tasks.empty():
            if (future := self._tasks.get()[2]) is not None:
                future.cancel()


def _do(future: "Future[Any]", task: Callable[[], Any]) -> None:
    """Does it, unless nobody wants it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = task()
    except (MemoryError, RuntimeError) as error:
        scarce = isinstance(error, MemoryError) or "memory" in str(error)
        future.set_exception(InputError("The memory is not enough for this. Take a shorter text.") if scarce else error)
    except BaseException as error:  # whatever it is, it belongs to who asked; the thread goes on
        future.set_exception(error)
    else:
        future.set_result(result)
