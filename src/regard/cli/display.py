"""What a person sees of a training: a live line in a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from regard.training.loop import Ended, Event, Updated, Validated

EVERY = 10.0  # seconds between plain lines


class Display:
    """Shows the events of a training as they come, on stderr."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        columns = TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[words]}")
        self.bar = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self.task = self.bar.add_task("training", total=1.0, words="")
        self.losses: list[float] = []
        self.tokens, self.began, self.told = 0, time.monotonic(), time.monotonic()
        self.first: Updated | None = None

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def show(self, event: Event) -> None:
        """Tells of one event."""
        if isinstance(event, Updated):
            self._updated(event)
        elif isinstance(event, Validated):
            scores = "  ".join(f"BLEU {name} {score:.1f}".replace("  ", " ") for name, score in event.bleu.items())
            best = "  best so far" if event.best else ""
            when = f"update {event.update:,}  epoch {event.epoch + 1}  {clock(event.seconds)}"
            self.console.print(f"[bold]valid[/]  {when}  loss {event.log_loss:.3f}  {scores}[green]{best}[/]")
        elif isinstance(event, Ended):
            self.console.print(event.why[0].upper() + event.why[1:] + ".")

    def _updated(self, event: Updated) -> None:
        self.first = self.first or event
        self.losses = [*self.losses[-49:], event.log_loss]
        self.tokens += event.tokens
        now = time.monotonic()
        loss = sum(self.losses) / len(self.losses)
        speed = self.tokens / max(now - self.began, 1e-9)
        gone, done = now - self.began, event.progress - self.first.progress
        left = f"  {clock(gone * (1 - event.progress) / done)} left" if done > 0 else ""
        words = f"update {event.update:,}  epoch {event.epoch + 1}  loss {loss:.3f}  {speed:,.0f} tokens/s{left}"
        self.bar.update(self.task, completed=event.progress, words=words)
        if not self.console.is_terminal and now - self.told >= EVERY:
            self.told = now
            self.console.print(f"train  {words}  {event.progress:.0%} done", soft_wrap=True)


def clock(seconds: float) -> str:
    """A duration as people say it: 45 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def progress_line(done: int, total: int | None, began: float) -> None:
    """One line on stderr that is written over: how many lines are done, how fast."""
    if sys.stderr.isatty():
        whole = f" of {total:,}" if total else ""
        print(
            f"\r{done:,}{whole} lines, {done / max(time.monotonic() - began, 1e-9):,.0f} a second ",
            end="",
            file=sys.stderr,
        )
