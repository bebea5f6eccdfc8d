"""Measures how far rendered faces stay the person's: ``python -m scripts.evaluate_identity [PHOTO ...]``.

Every photo (the portrait that comes with Visavis if none is given) is drawn at rest, turned and with expressions. A
face-recognition network (dlib's ResNet, King 2017) tells how far each picture is from the photo; it takes what is less
than 0.6 apart for the same person. The last lines say how far different people are apart. The network comes with the
dependency group ``assets``; the product has none.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from avatar.motion.layout import motion_from
from avatar.portrait.landmarks import LandmarkModel
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE: Final = 512
_POINTS: Final = (263, 362, 33, 133, 2)
"""Outer and inner corners of the person's left and right eye, and the nose's base: dlib's five landmarks."""

_CHIP: Final = 150
_PADDING: Final = 0.25

MOTIONS: Final[dict[str, dict[str, float]]] = {
    "rest": {},
    **{f"yaw {angle:+}": {"yaw": float(np.deg2rad(angle))} for angle in (-20, -10, 10, 20)},
    **{f"pitch {angle:+}": {"pitch": float(np.deg2rad(angle))} for angle in (-15, -8, 8, 15)},
    "roll +12": {"roll": float(np.deg2rad(12))},
    "jaw 0.5": {"jawOpen": 0.5},
    "jaw 1.0": {"jawOpen": 1.0},
    "smile": {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4},
    "frown": {"mouthFrownLeft": 0.7, "mouthFrownRight": 0.7, "browDownLeft": 0.6, "browDownRight": 0.6},
    "pucker": {"mouthPucker": 0.8},
    "brows up": {"browInnerUp": 0.8, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
}


class Recogniser:
    """Tells faces apart by 128 numbers each.

    Raises:
        ModuleNotFoundError: The dependency group ``assets`` is not installed.
    """

    def __init__(self) -> None:
        self._dlib: Any = import_module("dlib")
        spec = find_spec("face_recognition_models")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("face_recognition_models")
        weights = Path(spec.origin).with_name("models") / "dlib_face_recognition_resnet_model_v1.dat"
        self._network: Any = self._dlib.face_recognition_model_v1(str(weights))
        self._landmarks = LandmarkModel()

    def embed(self, rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Returns the embedding (128,) of the widest face in a picture, or None if it shows none."""
        seen = self._landmarks.landmarks(rgb)
        if seen is None:
            return None
        corner, end = seen.points[:, :2].min(0).astype(int), seen.points[:, :2].max(0).astype(int)
        around = self._dlib.rectangle(*corner.tolist(), *end.tolist())
        points = [self._dlib.point(*point) for point in seen.points[list(_POINTS), :2].astype(int).tolist()]
        shape = self._dlib.full_object_detection(around, points)
        chip = self._dlib.get_face_chip(np.ascontiguousarray(rgb), shape, _CHIP, _PADDING)
        return np.array(self._network.compute_face_descriptor(chip))


def similarity(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Returns the distance of two embeddings and their cosine."""
    cosine = float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.linalg.norm(one - other)), cosine


def main() -> None:
    """Runs the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    photos: list[Path] = parser.parse_args().photos or [default_portrait_path()]
    recogniser = Recogniser()
    own: dict[str, NDArray[np.float64]] = {}
    print(f"{'photo':<20} {'motion':<10} {'distance':>8} {'cosine':>7}")
    for path in photos:
        name, portrait = path.stem, load_portrait(path, note=print)
        photo = np.asarray(cv2.resize(portrait.rgb, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
        whole = recogniser.embed(photo)
        if whole is None:
            print(f"{name:<20} no face is seen in the photo itself")
            continue
        own[name] = whole
        renderer = PortraitRenderer(portrait, SIZE)
        for motion, values in MOTIONS.items():
            drawn = recogniser.embed(renderer.render(motion_from(values)))
            figures = "no face is seen" if drawn is None else "{:>8.3f} {:>7.3f}".format(*similarity(drawn, whole))
            print(f"{name:<20} {motion:<10} {figures}", flush=True)
        mirrored = recogniser.embed(np.ascontiguousarray(photo[:, ::-1]))
        if mirrored is not None:
            print("{:<20} {:<10} {:>8.3f} {:>7.3f}".format(name, "mirrored", *similarity(mirrored, whole)))
    for one, other in combinations(own, 2):
        print("{:<31} {:>8.3f} {:>7.3f}".format(f"{one} / {other}", *similarity(own[one], own[other])))


if __name__ == "__main__":
    main()
