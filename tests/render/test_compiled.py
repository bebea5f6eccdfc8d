"""All kernels are compiled before the first frame, and none in the stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_DRAWS_EVERYTHING = """
import sys

import numpy as np
from numba.core.dispatcher import Dispatcher

from avatar.motion.layout import COLUMNS, N_MOTION, motion_from
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.render.compiled import compile_part
from avatar.render.renderer import PortraitRenderer


def known():
    modules = [module for name, module in sys.modules.items() if name.startswith("avatar.render")]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)}
    return {f"{one.__module__}.{one.__name__} {one.signatures}" for one in found}


portrait = load_portrait(default_portrait_path(), note=print)
compile_part()
ahead = known()
random = np.random.default_rng(0)
motions = [motion_from({}), *(motion_from({name: value}) for name in COLUMNS for value in (1.0, -0.3))]
motions += [random.uniform(-0.2, 0.9, N_MOTION).astype(np.float32) for _ in range(20)]
for size, threads in ((256, 1), (512, 2), (1024, 1)):
    renderer = PortraitRenderer(portrait, size, threads=threads)
    for motion in motions if size == 256 else motions[:: 4]:
        renderer.render(motion)
print(len(ahead) > 20, "compiled later:", known() - ahead)
"""


@pytest.mark.model
def test_no_size_thread_or_motion_needs_anything_that_is_not_compiled_ahead() -> None:
    said = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _DRAWS_EVERYTHING],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1] == "True compiled later: set()"
