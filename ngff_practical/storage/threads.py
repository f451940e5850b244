"""An executor whose threads nobody has to wait for: a process that is to end does not wait for a network."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future


class Threads(Executor):
    """Threads as of ThreadPoolExecutor, but daemons: the end of the process is the end of them.

    Leaving a `with` block waits for them all the same.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._most, self._name = workers, name
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = self._cancelled = False

    def submit[**P, R](self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Return what will hold the result of a call."""
        future: Future[R] = Future()

        def task() -> None:
            if self._cancelled:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
                future.set_exception(error)

        with self._lock:
            if self._closed:
                raise RuntimeError("work was given to threads that have been told to end")
            self._tasks.put(task)
            if len(self._threads) < self._most:
                name = f"{self._name}_{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
                self._threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; with `wait` return when that which was given is done, or cancelled."""
        with self._lock:
            self._closed = True
            self._cancelled = self._cancelled or cancel_futures
            for _ in self._threads:
                self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
