"""A training's curves for TensorBoard."""

from typing import Any

from regard.errors import InputError
from regard.training.loop import Event, Run, Updated, Validated

EVERY = 10  # updates between points


def summary_writer() -> Any:
    """TensorBoard's writer. Raises InputError where it is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("training.tensorboard needs TensorBoard: pip install 'regard[scale]'") from None
    return SummaryWriter


class Board:
    """Writes the events of a training to DIR/training/tensorboard; what came after the update that is gone on from,
    and is done once more, is forgotten."""

    def __init__(self, run: Run, update: int) -> None:
        self.writer = summary_writer()(run.own / "tensorboard", purge_step=update + 1)

    def close(self) -> None:
        """Nothing more will come."""
        self.writer.close()

    def show(self, event: Event) -> None:
        """Adds the event's points to their curves."""
        if isinstance(event, Updated) and event.update % EVERY == 0:
            self.writer.add_scalar("training/log_loss", event.log_loss, event.update)
            self.writer.add_scalar("training/learning_rate", event.rate, event.update)
            self.writer.add_scalar("training/tokens_per_second", event.tokens / event.seconds, event.update)
        elif isinstance(event, Validated):
            self.writer.add_scalar("validation/log_loss", event.log_loss, event.update)
            for direction, score in event.bleu.items():
                self.writer.add_scalar(f"validation/bleu/{direction}", score, event.update)
            self.writer.flush()
