"""Compiles the renderer's kernels ahead: ``python -m avatar.render.compiled PART PARTS`` compiles every PARTS-th.

Numba compiles one function at a time in a process, so `avatar.kernels.begin` has several processes do it while the
command loads its models. What they compile is told by examples of the arguments, of which only the types matter.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import typeof

from avatar.kernels import mark_compiled
from avatar.render.coverage import Window, cover
from avatar.render.creases import Relief, crease_skin
from avatar.render.deform import Pose, Screen, Vertices, Weights, deform, hang_strip, uncross
from avatar.render.eyelid import Closed, cover_eye
from avatar.render.eyes import Look, fill_eye
from avatar.render.folds import find_folds, put_pixels
from avatar.render.interior import Drawing, Gap, MouthPlanes, Parts, fill_mouth
from avatar.render.raster import blank_canvas, rasterise, watch
from avatar.render.relight import normals
from avatar.render.texture import scratch_rows, show
from avatar.render.tongue import Tip

if TYPE_CHECKING:
    from numpy.typing import NDArray


def examples() -> list[tuple[Any, tuple[Any, ...]]]:
    """Returns every kernel that the renderer calls with arguments of the types that it is called with.

    The slow ones to compile come first, so that every n-th of them take about the same time for any small n.
    """
    picture, window, plane = np.zeros((4, 4, 3), np.uint8), Window(0, 0, 4, 4), _floats(8)
    screen = Screen(_floats(4, 3), _floats(4, 2), _floats(4), np.zeros(4, np.uint8))
    canvas, packed = blank_canvas(4), np.zeros((4, 4), np.uint32)
    relief = Relief(_whole(1, 4), _floats(4), _whole(1, 3), _floats(4))
    drawing = Drawing(_floats(2, 2, 4), _floats(4))
    gap = Gap(_floats(4), _floats(4), _floats(4), 0.0, 0.0, 0.0, 0.0, 1.0)
    tip = Tip(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    planes = MouthPlanes(plane, plane, plane, plane)
    parts = Parts(drawing, drawing, drawing, drawing, _floats(2, 2, 2), _floats(2, 3))
    weights = Weights(_whole(2), _whole(2), _floats(2))
    vertices = Vertices(_floats(4, 3), _floats(4, 2), _floats(4))
    pose = Pose(_floats(6), _floats(3, 3), _floats(3))
    closed = Closed(_floats(4, 4, 5), _floats(3, 4), _floats(3), 1.0)
    look = Look(0.0, 0.0, 0.0, 0.0)
    return [
        (fill_mouth, (picture, _floats(4, 4), window, gap, tip, 1.0, planes, parts)),
        (show, (packed, canvas, packed, picture, scratch_rows(4), 0, 4)),
        (find_folds, (canvas, picture, 1.0, _whole(5, 5))),
        (rasterise, (screen, _whole(2, 3), canvas, 1.0, 0, 4)),
        (cover, (_floats(5, 2), window, _floats(4, 6), _floats(4, 4))),
        (fill_eye, (picture, _floats(4, 4), window, _floats(4), plane, _floats(4, 4, 14), look, 1.0)),
        (deform, (weights, vertices, _floats(468, 4), pose, screen)),
        (cover_eye, (picture, window, _floats(4), plane, closed, 0.5)),
        (crease_skin, (packed, relief, _floats(1), packed)),
        (hang_strip, (screen, vertices, _floats(4, 2), _whole(2), _whole(2), 0, 1.0)),
        (watch, (canvas, _floats(4, 3), _whole(2))),
        (uncross, (_floats(4, 3), _whole(2), _whole(2))),
        (normals, (_floats(4, 3), _whole(2, 3), _floats(4, 3))),
        (put_pixels, (picture, _whole(4, 5), 2)),
    ]


def compile_part(part: int = 0, n_parts: int = 1) -> None:
    """Compiles every `n_parts`-th kernel from `part` on, or finds that it was."""
    for kernel, arguments in examples()[part::n_parts]:
        kernel.compile(tuple(typeof(argument) for argument in arguments))
    mark_compiled(part, n_parts)


def _floats(*shape: int) -> NDArray[np.float32]:
    return np.zeros(shape, np.float32)


def _whole(*shape: int) -> NDArray[np.int32]:
    return np.zeros(shape, np.int32)


if __name__ == "__main__":
    compile_part(int(sys.argv[1]), int(sys.argv[2]))
