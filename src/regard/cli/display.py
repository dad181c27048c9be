"""What a person sees of a training: a live line in a terminal, plain lines elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from regard.cli.options import EVERY, clock
from regard.training.loop import Ended, Event, Updated, Validated

RECENT = 50  # updates whose mean loss is shown


class Display:
    """Shows the events of a training as they come, on stderr."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.live = self.console.is_terminal and not quiet
        columns = BarColumn(bar_width=12), TextColumn("{task.fields[words]}")
        self.bar = Progress(*columns, console=self.console, transient=True, disable=not self.live)
        self.task = self.bar.add_task("training", total=1.0, words="")
        self.losses: list[float] = []
        self.tokens = self.seconds = 0.0
        self.validated = -1  # the update of the last validation
        self.first: Updated | None = None
        self.began = self.told = time.monotonic()

    def __enter__(self) -> "Display":
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
            self._validated(event)
        elif isinstance(event, Ended):
            self.bar.stop()
            self.console.print(event.why[0].upper() + event.why[1:] + ".", soft_wrap=True, markup=False)

    def _validated(self, event: Validated) -> None:
        final = event.update == self.validated  # after the last validation comes that of the model that is kept
        self.validated = event.update
        scores = "".join(f"  BLEU {name} {score:.1f}".replace("U  ", "U ") for name, score in event.bleu.items())
        when = f"update {event.update:,}  epoch {event.epoch + 1}  {clock(event.seconds)}  "
        best = "  [green]best so far[/]" if event.best and not final else ""
        label = "[bold]kept[/]   " if final else f"[bold]valid[/]  {when}"
        self.console.print(f"{label}loss {event.log_loss:.3f}{scores}{best}", soft_wrap=True)

    def _updated(self, event: Updated) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first, self.began, self.told = event, now, now
            self.bar.start()
        self.losses = [*self.losses[1 - RECENT :], event.log_loss]
        self.tokens, self.seconds = self.tokens + event.tokens, self.seconds + event.seconds
        done = event.progress - self.first.progress
        left = f"  {clock((now - self.began) * (1 - event.progress) / done)} left" if done > 0 else ""
        words = (
            f"{event.progress:4.0%}{left}  update {event.update:,}  epoch {event.epoch + 1}  "
            f"loss {sum(self.losses) / len(self.losses):.3f}  {self.tokens / self.seconds:,.0f} tokens/s"
        )
        if self.live:
            self.bar.update(self.task, completed=event.progress, words=words)
        elif now - self.told >= EVERY:
            self.told = now
            self.console.print(f"train {words}", soft_wrap=True)
