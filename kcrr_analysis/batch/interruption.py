"""Ctrl-C as a message, not as an exception.

A KeyboardInterrupt may be raised anywhere, also while a lock of the standard library is held, which then stays locked
and the batch hangs. While reports are built, the signal only leaves a message in the queue that the batch waits on.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")

_TICK = 0.5  # seconds; on Windows a wait without a limit does not see Ctrl-C


@contextlib.contextmanager
def noticed(tell: Callable[[], object]) -> Iterator[None]:
    """Inside, Ctrl-C and a request to end call `tell` instead of raising; repeated ones are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told = threading.Event()

    def handle(_number: int, _frame: object) -> None:
        if not told.is_set():
            told.set()
            tell()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def next_of(queue: SimpleQueue[Item]) -> Item:
    """The next item of the queue, waited for in short steps."""
    while True:
        with contextlib.suppress(Empty):
            return queue.get(timeout=_TICK)
