"""What keeps picture and sound steady on few cores: who gives way to whom, and nothing that stops everybody."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LLM_NICENESS: Final = 10
"""The LLM writes faster than anybody speaks: it gives way to all others."""

VOICE_NICENESS: Final = 3
"""Recognition and synthesis give way to whatever has its moment: motion, pictures, their encoder, the microphone."""


def give_way(niceness: int) -> None:
    """Lets this thread, and those that it starts, give way to others by so many steps of `nice`.

    Linux knows the niceness of single threads (sched(7)); elsewhere nothing happens. No thread gets its place back.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it; then all threads stay equal
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def made_to_give_way(niceness: int, make: Callable[[], T]) -> T:
    """Returns what `make` makes in a thread of its own: a library's threads give way as the one that starts them."""
    with ThreadPoolExecutor(1, "make", give_way, (niceness,)) as thread:
        return thread.submit(make).result()


def yielding_thread(name: str, niceness: int) -> ThreadPoolExecutor:
    """Returns one worker thread that gives way."""
    return ThreadPoolExecutor(1, name, give_way, (niceness,))


def keep_pools_from_spinning() -> None:
    """Has OpenBLAS and OpenCV compute in the thread that calls them; to be called before either is imported.

    OpenBLAS' other threads wait for work by turning round for some 30 ms after every call, and we call it more often
    than that: they would take half of two cores for sums that one thread does as fast. OpenCV's are milder (1 ms).
    """
    for name in ("OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(name, "1")


def switch_threads_soon() -> None:
    """Has Python pass on the interpreter after 1 ms instead of 5.

    A thread that comes back from a network or a codec waits that long for one that computes in Python, several times a
    picture: beside a busy event loop a chunk of motion took 74 ms instead of 54 and a picture 26 instead of 19.
    """
    sys.setswitchinterval(0.001)


def settle() -> None:
    """Collects garbage and takes what is left out of later collections: all that is loaded stays loaded.

    A full collection over the loaded models' 350 000 objects would hold up frames and sound for 180 ms. At the end of
    Python they are collected as all others: nanobind's libraries (soxr) tell the terminal of those that are not.
    """
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)
    gc.collect()
    gc.freeze()
