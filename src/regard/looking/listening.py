"""Hearing what passes through a model's taps, for as long as one listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from regard.model.attention import Tap


@contextmanager
def listening(model: nn.Module, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[dict[str, Tensor]]:
    """The last value that passed each tap whose name is `wanted`, by that name; nothing is left behind on the model.

    Names are those of `named_modules()`, such as decoder.layers.2.cross_attention.weights (batch head query key).
    """
    heard: dict[str, Tensor] = {}
    taps = {name: module for name, module in model.named_modules() if isinstance(module, Tap) and wanted(name)}

    def listener(name: str) -> Callable[[Tensor], Tensor]:
        def listen(value: Tensor) -> Tensor:
            heard[name] = value.detach()
            return value

        return listen

    listeners = {name: listener(name) for name in taps}
    try:
        for name, tap in taps.items():
            tap.listeners.append(listeners[name])
        yield heard
    finally:
        for name, tap in taps.items():
            tap.listeners.remove(listeners[name])


@contextmanager
def changing(tap: Tap, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """What passes the tap is changed on its way, for as long as this lasts."""
    tap.listeners.append(change)
    try:
        yield
    finally:
        tap.listeners.remove(change)
