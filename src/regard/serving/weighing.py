"""What heads and words are worth, found in the background, in pieces so small that nobody has to wait for one."""

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Literal

from regard.errors import InputError
from regard.looking.export import compact
from regard.looking.interventions import Change, Effect, effects
from regard.looking.trace import Trace
from regard.looking.worth import every_change, sorted_out
from regard.serving.turns import BACKGROUND, Turns

SECONDS, LONGER = 0.25, 1.0  # that one piece of the work should take; and while nobody asks for anything
QUIET = 5.0  # seconds after which that is so
FIRST, MOST = 2, 64  # changes of the first piece, and of the largest
REMEMBERED = 8  # jobs whose results can still be asked for

State = Literal["running", "done", "cancelled", "failed"]


class Job:
    """One sentence that is being weighed. Only the model's thread works on it; others read, or cancel it."""

    def __init__(self, turns: Turns, question: Hashable, make: Callable[[], Trace]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.question = question
        self.state: State = "running"
        self.error = ""
        self._turns, self._make, self._size = turns, make, FIRST
        self._trace: Trace | None = None
        self._changes: list[Change] = []
        self._found: list[Effect] = []
        turns.submit(self._step, BACKGROUND)

    def cancel(self) -> None:
        """No more of it is done, if it was not done yet."""
        if self.state == "running":
            self.state = "cancelled"

    def record(self) -> dict[str, Any]:
        """How far it is, and all that was found so far."""
        done, total = len(self._found), len(self._changes) or 1  # how many there are is known once it has begun
        worth = compact(sorted_out(self._found[:done]).record()) if done else None
        told = {"job": self.id, "state": self.state, "done": done, "total": total}
        return {**told, "worth": worth, "error": self.error or None}

    def _step(self) -> None:
        """A piece of the work; the next one then waits for its turn."""
        if self.state != "running":
            return
        try:
            self._weigh()
        except InputError as error:
            self.state, self.error = "failed", str(error)
        except Exception:
            logging.getLogger("regard").exception("while weighing a sentence")
            self.state, self.error = "failed", "This could not be computed; the terminal says why."
        if self.state == "running" and len(self._found) == len(self._changes):
            self.state = "done"
        if self.state == "running":
            self._turns.submit(self._step, BACKGROUND)

    def _weigh(self) -> None:
        if self._trace is None:
            self._trace = self._make()
            self._changes = every_change(self._trace)
        began = time.monotonic()
        self._found += effects(self._trace, self._changes[len(self._found) :][: self._size])
        aim = SECONDS if self._turns.quiet() < QUIET else LONGER  # more at once is more a second
        quicker = aim / max(time.monotonic() - began, 1e-3)
        self._size = max(1, min(MOST, 2 * self._size, int(self._size * quicker)))


class Weighings:
    """The jobs of a page: one at a time, a new one instead of the one before."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def start(self, question: Hashable, make: Callable[[], Trace]) -> Job:
        """Weighs the sentence whose trace is made, and leaves off another; what was asked before is not done again."""
        known = [job for job in self._jobs.values() if job.question == question and job.state in ("running", "done")]
        for other in self._jobs.values():
            if other not in known:
                other.cancel()
        job = known[0] if known else Job(self._turns, question, make)
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            self._jobs.popitem(last=False)
        return job

    def stop(self) -> None:
        """Leaves off."""
        for job in self._jobs.values():
            job.cancel()

    def get(self, number: str) -> Job | None:
        """The job of this id; None if there is none, or no more."""
        return self._jobs.get(number)
