"""One thread for the model: who comes first, who is left out, and what goes wrong."""

import threading
from concurrent.futures import CancelledError

import pytest

from regard.errors import InputError
from regard.serving import turns as room
from regard.serving.turns import BACKGROUND, BusyError, Turns


@pytest.fixture
def turns():
    turns = Turns()
    yield turns
    turns.close()


@pytest.fixture
def gate(turns):
    """Holds up the thread until it is opened, so that tasks wait."""
    gate, held = threading.Event(), threading.Event()
    turns.submit(lambda: held.set() or gate.wait(10))
    assert held.wait(10)
    yield gate
    gate.set()


def test_what_somebody_waits_for_comes_before_the_background_and_else_who_came_first(turns, gate):
    done = []
    asked = [("a", BACKGROUND), ("b", 0), ("c", BACKGROUND), ("d", 0)]
    futures = [turns.submit(lambda name=name: done.append(name), urgency) for name, urgency in asked]
    gate.set()
    for future in futures:
        future.result(10)
    assert done == ["b", "d", "a", "c"]


def test_work_in_pieces_lets_others_in_between(turns, gate):
    done = []

    def piece(left):
        done.append(left)
        if left:
            turns.submit(lambda: piece(left - 1), BACKGROUND)
            turns.submit(lambda: done.append("between"))
        else:
            ended.set()

    ended = threading.Event()
    turns.submit(lambda: piece(2), BACKGROUND)
    gate.set()
    assert ended.wait(10)
    assert done == [2, "between", 1, "between", 0]


def test_what_nobody_wants_any_more_is_not_done(turns, gate):
    done = []
    future = turns.submit(lambda: done.append("unwanted"))
    assert future.cancel()
    gate.set()
    turns.submit(lambda: done.append("wanted")).result(10)
    assert done == ["wanted"]


def test_an_error_belongs_to_who_asked_and_the_thread_goes_on(turns):
    with pytest.raises(ZeroDivisionError):
        turns.submit(lambda: 1 // 0).result(10)
    assert turns.submit(lambda: 7).result(10) == 7


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
def test_that_the_memory_is_not_enough_is_said(turns, error):
    def task():
        raise error

    with pytest.raises(InputError, match="The memory is not enough"):
        turns.submit(task).result(10)


def test_too_many_are_sent_away(turns, gate, monkeypatch):
    monkeypatch.setattr(room, "MOST", 2)
    for _ in range(2):
        turns.submit(lambda: None)
    with pytest.raises(BusyError):
        turns.submit(lambda: None)


def test_what_still_waits_at_the_end_is_cancelled(gate):
    turns, held, wait = Turns(), threading.Event(), threading.Event()
    turns.submit(lambda: held.set() or wait.wait(10))
    assert held.wait(10)
    future = turns.submit(lambda: None)
    closing = threading.Thread(target=turns.close)
    closing.start()
    wait.set()
    closing.join(10)
    with pytest.raises(CancelledError):
        future.result(10)
