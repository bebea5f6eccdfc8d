"""A drawn face on the real mesh, so that the renderer is tested without any network's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data

from avatar.motion.layout import N_BLENDSHAPES
from avatar.portrait.head import load_head
from avatar.portrait.setup import load_portrait
from avatar.portrait.topology import LIP_OUTER_LOWER, LIP_OUTER_UPPER, OVAL
from avatar.portrait.types import HeadFit, Iris, Portrait
from avatar.render.renderer import PortraitRenderer
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 384
_FACE_SHARE = 0.40
SKIN, LIP, DARK, WHITE, IRIS, ROOM = (
    *((214, 168, 146), (178, 92, 92), (60, 24, 26)),
    *((236, 232, 228), (70, 48, 36), (96, 120, 140)),
)


def _filled(picture: NDArray[np.uint8], outline: NDArray[np.floating], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [(outline * 16).round().astype(np.int32)], colour, cv2.LINE_AA, 4)


def _drawn(points: NDArray[np.float32], centres: list[NDArray[np.float32]], radius: float) -> NDArray[np.uint8]:
    picture = np.full((SIDE, SIDE, 3), ROOM, np.uint8)
    grain = np.random.default_rng(3).integers(-6, 7, picture.shape)
    flat = points[:, :2]
    hull = flat[list(OVAL)]
    middle = hull.mean(0)
    _filled(picture, middle + (hull - middle) * [1.15, 1.25] - [0, 12], (70, 50, 36))
    _filled(
        picture,
        np.array([[middle[0] - 70, SIDE], [middle[0] - 40, 250], [middle[0] + 40, 250], [middle[0] + 70, SIDE]]),
        SKIN,
    )
    _filled(picture, hull, SKIN)
    for eye, centre in zip(EYES, centres, strict=True):
        outline = flat[[*eye.upper, *eye.lower[::-1]]]
        ball = picture.copy()
        _filled(ball, outline, WHITE)
        seen = np.abs(ball.astype(int) - picture).sum(-1) > 0
        cv2.circle(ball, tuple(int(v * 16) for v in centre), int(radius * 16), IRIS, -1, cv2.LINE_AA, 4)
        picture[seen] = ball[seen]
    _filled(picture, flat[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER[::-1]]], LIP)
    seam = (flat[[78, 13, 308]] + flat[[78, 14, 308]]) / 2
    cv2.polylines(
        picture,
        [(seam * 16).round().astype(np.int32)],
        isClosed=False,
        color=DARK,
        thickness=2,
        lineType=cv2.LINE_AA,
        shift=4,
    )
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    """The head's average face, seen from the front, painted in flat colours with a little grain."""
    head = load_head()
    base = head.at_landmarks(head.base)
    scale = _FACE_SHARE * SIDE / float(np.ptp(base[:, 0]))
    middle = np.array([SIDE / 2, SIDE * 0.47])
    points = np.empty_like(base)
    centred = base - base[list(OVAL)].mean(0)
    points[:, :2] = middle + centred[:, :2] * [scale, -scale]
    points[:, 2] = -centred[:, 2] * scale
    eyes = [points[[*eye.upper, *eye.lower], :2] for eye in EYES]
    centres = [eye.mean(0).astype(np.float32) for eye in eyes]
    radius = 0.20 * float(np.ptp(eyes[0][:, 0]))
    contours = [eye[:16].astype(np.float32) for eye in eyes]
    person = np.zeros((SIDE, SIDE), np.uint8)
    hull = points[list(OVAL), :2]
    _filled_matte = middle + (hull - middle) * [1.2, 1.3] - [0, 10]
    cv2.fillPoly(person, [_filled_matte.astype(np.int32)], 1)
    person[250:, SIDE // 2 - 70 : SIDE // 2 + 70] = 1
    return Portrait(
        rgb=_drawn(points, centres, radius),
        landmarks=points.astype(np.float32),
        landmark_deltas=head.at_landmarks(head.units) * np.float32(scale),
        irises=(Iris(centres[0], radius, contours[0]), Iris(centres[1], radius, contours[1])),
        person=person.astype(np.float32),
        head=HeadFit(
            identity=np.zeros(60, np.float32),
            expression=np.zeros(N_BLENDSHAPES, np.float32),
            rotation=np.eye(3, dtype=np.float32),
            scale=scale,
            translation=np.zeros(3, np.float32),
            residual=0.0,
            vertices=head.base * np.float32(scale),
            deltas=head.units * np.float32(scale),
        ),
        face_width=_FACE_SHARE * SIDE,
        interpupillary=float(np.linalg.norm(centres[1] - centres[0])),
        digest="drawn",
    )


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    """A real photo: NASA's picture of Eileen Collins, who smiles with her teeth."""
    folder = tmp_path_factory.mktemp("photo")
    path = folder / "astronaut.png"
    cv2.imwrite(str(path), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    return load_portrait(path, note=lambda _: None, store=folder / "portrait.npz")


@pytest.fixture(scope="session")
def drawn_photo(photo: Portrait) -> PortraitRenderer:
    return PortraitRenderer(photo, 512)
