from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import pytest

from agent import steady

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows the niceness of single threads")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@LINUX
def test_a_worker_gives_way_and_nobody_else_does():
    before = niceness()
    with steady.yielding_thread("worker", before + 3) as worker:
        assert worker.submit(niceness).result() == before + 3
    assert niceness() == before


@LINUX
def test_threads_that_are_started_while_something_is_made_give_way_too():
    before = niceness()
    found: list[int] = []

    def make() -> str:
        helper = threading.Thread(target=lambda: found.append(niceness()))
        helper.start()
        helper.join()
        return "made"

    assert steady.made_to_give_way(before + 3, make) == "made"
    assert found == [before + 3]
    assert niceness() == before


def test_what_fails_to_be_made_says_so():
    def make() -> None:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        steady.made_to_give_way(1, make)


def test_a_machine_that_forbids_it_leaves_all_threads_equal(monkeypatch: pytest.MonkeyPatch):
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    steady.give_way(3)


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("2", "2")])
def test_blas_computes_in_the_thread_that_calls_it_unless_the_user_wants_more(given: str | None, expected: str):
    program = "import os; from agent.steady import keep_pools_from_spinning as keep; keep()\n"
    program += "print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OPENCV_FOR_THREADS_NUM'])"
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS", "OPENCV"))}
    if given:
        rest |= {"OPENBLAS_NUM_THREADS": given, "OPENCV_FOR_THREADS_NUM": given}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], env=rest, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == [expected, expected]


def test_what_is_loaded_is_left_out_of_later_collections():
    steady.settle()
    try:
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_the_terminal_hears_nothing_of_what_was_left_out_when_python_ends():
    program = "import soxr, types; from agent.steady import settle\n"
    program += "held = types.SimpleNamespace(resampler=soxr.ResampleStream(8000, 16000, 1)); held.itself = held\n"
    program += "settle(); settle()"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""


def test_python_passes_the_interpreter_on_soon():
    before = sys.getswitchinterval()
    try:
        steady.switch_threads_soon()
        assert sys.getswitchinterval() == pytest.approx(0.001)
    finally:
        sys.setswitchinterval(before)
