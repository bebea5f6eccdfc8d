"""Reads motion off a video of a talking person: landmarks over time, one fitted head, 58 coefficients a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.errors import InputError
from avatar.motion.layout import N_BLENDSHAPES, N_MOTION
from avatar.portrait.blink import blinks_of, bridge, eye_openness
from avatar.portrait.fit import HeadFitter
from avatar.portrait.fitted import fit_landmarks
from avatar.portrait.follow import HeadFollower
from avatar.portrait.gaze import GazeMeter, look_coefficients
from avatar.portrait.head import load_head
from avatar.portrait.landmarks import LEAST_SCORE, LandmarkModel, Landmarks
from avatar.portrait.pose import PoseMeter
from avatar.portrait.smooth import noise_of, smooth
from avatar.portrait.video import read_frames
from avatar.types import MotionChunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


_IDENTITY_FRAMES = 24
"""So many frames, spread over the video, say what the head is like."""

_ROUNDS = 2
"""How often the head is corrected by what they show."""

_HIDDEN = 0.35
"""From this blink coefficient on, the iris can't be trusted."""

_JUMP = 0.5
"""A face that moves by more of its width between two frames is another one: a cut."""


@dataclass(frozen=True, slots=True)
class TrackedMotion:
    """What a video shows.

    Attributes:
        motion: The frames' coefficients at 25 fps; at rest where there is no face. Expressions are absolute; the pose
            is relative to the first frame with a face.
        face: bool (n_frames,), whether the frame shows a face.
        residual: float32 (n_frames,), root mean square landmark error, face widths; 0 where there is no face.
    """

    motion: MotionChunk
    face: NDArray[np.bool_]
    residual: NDArray[np.float32]


def track_video(path: Path, *, progress: Callable[[int], None] | None = None) -> TrackedMotion:
    """Returns the motion of the person in a video; the widest face at its start, and again after every cut.

    Args:
        path: Any video that FFmpeg reads.
        progress: Is told how many frames were looked at.

    Raises:
        InputError: The file is no video, or shows no face at all.
    """
    seen = follow_face(read_frames(path), LandmarkModel(), progress=progress)
    if not any(seen):
        got = "no frame with one" if seen else "no pictures"
        raise InputError(f"tracking {path.name}", expected="a video that shows a face", got=got)
    return solve_motion(HeadFitter(load_head()), seen)


def follow_face(
    frames: Iterable[NDArray[np.uint8]], model: LandmarkModel, *, progress: Callable[[int], None] | None = None
) -> list[Landmarks | None]:
    """Returns each frame's landmarks, or None where no face is seen.

    Args:
        frames: Pictures, uint8 (height, width, 3).
        model: The landmark model.
        progress: Is told how many frames were looked at.
    """
    seen: list[Landmarks | None] = []
    last: Landmarks | None = None
    for number, rgb in enumerate(frames):
        last = (last and _next(model, rgb, last)) or model.landmarks(rgb)
        seen.append(last)
        if progress is not None:
            progress(number + 1)
    return seen


def _next(model: LandmarkModel, rgb: NDArray[np.uint8], last: Landmarks) -> Landmarks | None:
    """Returns where the face of the last frame is now, or None if it is lost."""
    points, score = model.track(rgb, last.points)
    width = float(np.ptp(last.points[:, 0]))
    moved = float(np.linalg.norm(points[:, :2].mean(0) - last.points[:, :2].mean(0)))
    if score < LEAST_SCORE or moved > _JUMP * width:
        return None
    return Landmarks(points, score, model.irises(rgb, points))


def solve_motion(fitter: HeadFitter, seen: Sequence[Landmarks | None]) -> TrackedMotion:
    """Returns the motion that landmarks over time show; at least one frame must have some."""
    found = [(number, landmarks) for number, landmarks in enumerate(seen) if landmarks is not None]
    follower = _acquainted(fitter, [landmarks for _, landmarks in found])
    rows, residual = np.zeros((len(seen), N_MOTION)), np.zeros(len(seen), np.float32)
    present = np.array([landmarks is not None for landmarks in seen])
    eyes = _eyes(fitter, follower, [landmarks for _, landmarks in found])
    last, meter = None, None
    for (number, landmarks), known in zip(found, eyes, strict=True):
        last = follower.follow(landmarks.points, last, known=known)
        meter = meter or PoseMeter(last.placed, follower.pivot, follower.interpupillary)
        residual[number] = last.residual
        rows[number, :N_BLENDSHAPES] = last.expression
        rows[number, N_BLENDSHAPES:] = meter.measure(last.placed)
    rows = smooth(rows, present, noise_of(rows[present]))
    rows[:, :N_BLENDSHAPES] = np.clip(rows[:, :N_BLENDSHAPES], 0, 1)
    return TrackedMotion(MotionChunk(rows.astype(np.float32), 0), present, residual)


def _acquainted(fitter: HeadFitter, seen: Sequence[Landmarks]) -> HeadFollower:
    """Returns a follower that knows the person's head from frames spread over the video."""
    chosen = np.unique(np.linspace(0, len(seen) - 1, _IDENTITY_FRAMES).astype(int))
    fits = [fit_landmarks(fitter, seen[k]) for k in chosen]
    follower = HeadFollower(fitter, np.mean([fit.identity for fit in fits], axis=0), fits[0])
    for _ in range(_ROUNDS):
        last, views = None, []
        for k in chosen:
            last = follower.follow(seen[k].points, last)
            views.append((seen[k].points, last))
        follower.correct(views)
    return follower


def _eyes(fitter: HeadFitter, follower: HeadFollower, seen: Sequence[Landmarks]) -> list[dict[str, float]]:
    """Returns each frame's blink and gaze coefficients.

    In a blink the irises are hidden and the iris model guesses, so the gaze is carried over from before to after.
    """
    meter, last = GazeMeter(fitter), None
    gaze = np.zeros((len(seen), 2))
    for number, landmarks in enumerate(seen):
        last = follower.follow(landmarks.points, last)
        gaze[number] = meter.angles(follower.fit_of(last), landmarks.points, landmarks.irises)
    blinks = blinks_of(np.array([[eye_openness(iris.contour) for iris in landmarks.irises] for landmarks in seen]))
    gaze = bridge(gaze, blinks.max(1) > _HIDDEN)
    return [
        look_coefficients(*angles) | _lids("Right", right) | _lids("Left", left)
        for angles, (right, left) in zip(gaze.tolist(), blinks.tolist(), strict=True)
    ]


def _lids(side: str, blink: float) -> dict[str, float]:
    """Returns what is known of an eye's lids; a blinking eye is neither wide nor narrowed."""
    still = {f"eyeWide{side}": 0.0, f"eyeSquint{side}": 0.0} if blink > 0 else {}
    return {f"eyeBlink{side}": blink, **still}
