"""From a photo to a portrait: read, find the face, crop, measure, fit. Done once; the result is cached by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import cv2
import numpy as np

from avatar.assets import cache_dir
from avatar.errors import InputError
from avatar.portrait import topology
from avatar.portrait.background import background_behind
from avatar.portrait.fit import Fit, HeadFitter, Pose
from avatar.portrait.fitted import ears_of, exact_vertices, fit_landmarks, head_fit, landmark_deltas
from avatar.portrait.head import load_head
from avatar.portrait.landmarks import LandmarkModel, Landmarks
from avatar.portrait.matte import person_matte
from avatar.portrait.network import Network
from avatar.portrait.photo import DEFAULT_PHOTO, read_bytes, read_photo
from avatar.portrait.types import Floats, Iris, Portrait

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FACE_SHARE: Final = 0.38
"""Width of the face as a part of the picture, where the photo leaves room."""

MIN_FACE: Final = 64
"""Pixels across the face in the photo."""

MAX_YAW, MAX_PITCH = np.deg2rad(35), np.deg2rad(30)

_DOWN: Final = 0.05
"""How far the picture's middle lies below the face's, as a part of its side: shoulders need more room than hair."""


def default_portrait_path() -> Path:
    """Returns the photo that is used when none is given."""
    return DEFAULT_PHOTO


def load_portrait(path: Path, *, size: int = 1024, note: Callable[[str], None], store: Path | None = None) -> Portrait:
    """Returns the portrait made of a photo; the second time it comes from where it was stored.

    What was stored for another photo or size, or by other code, is made afresh.

    Args:
        path: The photo.
        size: Side of the portrait's picture, pixels.
        store: The file (.npz) that keeps the result; one in the cache, named by the photo's content, if not given.
        note: Is told in a sentence what the user should know, e.g. that the largest of several faces was taken.

    Raises:
        InputError: The photo can't be read, or shows no face that an avatar can be made of.
    """
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    key = f"{digest[:32]}-{size}-{_version()[:12]}"
    stored = store or cache_dir() / "portraits" / f"{key}.npz"
    measured = _load(stored, key)
    if measured is None:
        measured = _measure(path, read_photo(path, data), size) | {"key": np.array(key)}
        _save(stored, measured)
    n_faces = int(measured["n_faces"])
    if n_faces > 1:
        note(f"{path.name} shows {n_faces} faces; the largest is used")
    return _portrait(measured, digest)


def _measure(path: Path, photo: NDArray[np.uint8], size: int) -> dict[str, NDArray[Any]]:
    """Returns all that is measured on a photo, as arrays to be stored."""
    model = LandmarkModel()
    photo, seen, n_faces = _find(path, photo, model)
    width = float(np.ptp(seen.points[list(topology.OVAL), 0]))
    if width < MIN_FACE:
        raise InputError(
            f"making a portrait of {path.name}",
            expected=f"a face at least {MIN_FACE} pixels wide",
            got=f"one of {width:.0f} pixels",
            hint="use a larger photo, or one taken from nearer",
        )
    left, top, side = _square(seen.points, width, photo)
    rgb = _resized(photo[top : top + side, left : left + side], size)
    seen = _moved(seen, left, top, size / side)
    fitter = HeadFitter(load_head())
    fit = fit_landmarks(fitter, seen)
    _check_turn(path, fit.pose)
    matte = person_matte(Network("selfie_segmentation"), rgb)
    vertices = exact_vertices(fitter.head, fit, seen.points).astype(np.float32)
    behind = background_behind(rgb, matte, seen.points, ears_of(fitter.head, vertices))
    return {
        "n_faces": np.array(n_faces),
        "rgb": rgb,
        "landmarks": seen.points,
        "iris_centres": np.stack([iris.centre for iris in seen.irises]),
        "iris_radii": np.array([iris.radius for iris in seen.irises]),
        "eye_contours": np.stack([iris.contour for iris in seen.irises]),
        "person": np.round(matte * 255).astype(np.uint8),
        "behind": np.zeros((0, 0, 3), np.uint8) if behind is None else behind,
        "identity": fit.identity,
        "expression": fit.expression,
        "rotation": fit.pose.rotation,
        "scale": np.array(fit.pose.scale),
        "translation": fit.pose.translation,
        "residual": np.array(fit.residual),
        "vertices": vertices,
    }


def _find(path: Path, photo: NDArray[np.uint8], model: LandmarkModel) -> tuple[NDArray[np.uint8], Landmarks, int]:
    """Returns the photo, turned if it lies on its side, the landmarks of its widest face, and how many faces it has."""
    for turns in (0, 1, 3, 2):
        turned = np.ascontiguousarray(np.rot90(photo, turns))
        faces = [found for face in model.detect(turned) if (found := model.landmarks(turned, face)) is not None]
        if faces and _upright(faces[0]):
            return turned, faces[0], len(faces)
    raise InputError(
        f"making a portrait of {path.name}",
        expected="a face",
        got="none",
        hint="use a photo of one person who looks into the camera",
    )


def _upright(seen: Landmarks) -> bool:
    """Returns whether a face is tilted by less than 45 degrees."""
    across = seen.points[topology.LEFT_EYE_CORNERS[0]] - seen.points[topology.RIGHT_EYE_CORNERS[0]]
    return bool(across[0] > abs(across[1]))


def _square(points: Floats, width: float, photo: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Returns left, top and side of the picture around a face; it never reaches beyond the photo."""
    across, down = photo.shape[1], photo.shape[0]
    side = min(round(width / FACE_SHARE), across, down)
    oval = points[list(topology.OVAL), :2]
    middle = (oval.min(0) + oval.max(0)) / 2 + [0, _DOWN * side]
    left, top = (int(np.clip(round(v - side / 2), 0, n - side)) for v, n in zip(middle, (across, down), strict=True))
    return left, top, side


def _resized(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if rgb.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=way), np.uint8)


def _moved(seen: Landmarks, left: int, top: int, zoom: float) -> Landmarks:
    """Returns landmarks of the photo in pixels of the cut and resized picture."""

    def place(points: Floats) -> NDArray[np.float32]:
        return ((points - [left, top] + 0.5) * zoom - 0.5).astype(np.float32)

    first, second = (Iris(place(i.centre), i.radius * zoom, place(i.contour)) for i in seen.irises)
    points = np.column_stack([place(seen.points[:, :2]), seen.points[:, 2] * zoom]).astype(np.float32)
    return Landmarks(points, seen.score, (first, second))


def _check_turn(path: Path, pose: Pose) -> None:
    ahead = pose.rotation[:, 2]
    yaw, pitch = float(np.arctan2(ahead[0], ahead[2])), float(np.arcsin(np.clip(ahead[1], -1, 1)))
    if abs(yaw) > MAX_YAW or abs(pitch) > MAX_PITCH:
        raise InputError(
            f"making a portrait of {path.name}",
            expected="a face turned to the camera",
            got=f"one turned {abs(np.rad2deg(yaw)):.0f} degrees aside and {abs(np.rad2deg(pitch)):.0f} up or down",
            hint="use a photo of the person looking into the camera",
        )


def _portrait(measured: dict[str, NDArray[Any]], digest: str) -> Portrait:
    head = load_head()
    pose = Pose(measured["rotation"], float(measured["scale"]), measured["translation"])
    fit = Fit(pose, measured["identity"], measured["expression"], float(measured["residual"]))
    fitted = head_fit(head, fit, measured["vertices"])
    first, second = (
        Iris(centre, float(radius), contour)
        for centre, radius, contour in zip(
            measured["iris_centres"], measured["iris_radii"], measured["eye_contours"], strict=True
        )
    )
    oval, mirror = list(topology.OVAL), head.mirror
    flat = measured["landmarks"][:, :2]
    return Portrait(
        rgb=measured["rgb"],
        landmarks=measured["landmarks"],
        landmark_deltas=landmark_deltas(head, fitted).astype(np.float32),
        irises=(first, second),
        person=(measured["person"] / np.float32(255)).astype(np.float32),
        head=fitted,
        face_width=float(np.linalg.norm(flat[oval] - flat[mirror[oval]], axis=1).max()),
        interpupillary=float(np.linalg.norm(first.centre - second.centre)),
        digest=digest,
        behind=measured["behind"] if measured["behind"].size else None,
    )


@cache
def _version() -> str:
    """Returns a digest of the code and data that portraits are made with: what they change, they make afresh."""
    total = hashlib.sha256()
    folder = Path(str(files("avatar.portrait")))
    for path in sorted([*folder.glob("*.py"), *folder.glob("data/*.onnx"), *folder.glob("data/*.npz")]):
        total.update(path.name.encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _load(path: Path, key: str) -> dict[str, NDArray[Any]] | None:
    """Returns what is stored under this key, or None if nothing is or it is damaged."""
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            return {name: file[name] for name in file.files} if str(file["key"]) == key else None
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None


def _save(path: Path, measured: dict[str, NDArray[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **measured)
        Path(scratch).replace(path)
    finally:
        Path(scratch).unlink(missing_ok=True)
