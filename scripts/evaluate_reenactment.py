"""Measures re-enactment: ``python -m scripts.evaluate_reenactment CLIP [CLIP ...] [--frames 100] [--sheet SHEET.png]``.

Each clip's motion is tracked, as `track` does, and drawn on the clip's own first picture, as `render` does: once as it
was tracked and once ``--relative``. Prints, against the clip's own pictures, the mean of PSNR and of SSIM (Wang et al.
2004), both for the face's box, which also holds hair and background, and for what is inside the face's outline; and the
mean distance of the 468 landmarks in per cent of the face's width.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from avatar.motion.relative import relative_to
from avatar.portrait.fit import HeadFitter
from avatar.portrait.head import load_head
from avatar.portrait.landmarks import LandmarkModel
from avatar.portrait.setup import load_portrait
from avatar.portrait.track import follow_face, solve_motion
from avatar.portrait.video import read_frames
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.landmarks import Landmarks
    from avatar.portrait.types import Portrait

LARGEST = 512
"""Pixels: height and width of the pictures that are compared, or the portrait's own if it is smaller."""


@dataclass(frozen=True, slots=True)
class Square:
    """The part of a clip's pictures that its portrait shows.

    Attributes:
        left: Pixels of the clip.
        top: Pixels of the clip.
        side: Pixels of the clip.
        size: Pixels of the compared picture.
    """

    left: float
    top: float
    side: float
    size: int

    def picture(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns this part of a picture at the compared size."""
        left, top, side = round(self.left), round(self.top), round(self.side)
        part = rgb[top : top + side, left : left + side]
        way = cv2.INTER_AREA if side > self.size else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (self.size, self.size), interpolation=way), np.uint8)

    def points(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns landmarks of the clip (468, 2) in the compared picture."""
        zoom = self.size / self.side
        return ((points[:, :2] - [self.left, self.top] + 0.5) * zoom - 0.5).astype(np.float32)


def square_of(portrait: Portrait, first: Landmarks) -> Square:
    """Returns which part of the first picture became the portrait, from the landmarks of both."""
    own, clip = portrait.landmarks[:, :2], first.points[:, :2]
    zoom = float(np.linalg.norm(np.ptp(own, axis=0)) / np.linalg.norm(np.ptp(clip, axis=0)))
    left, top = (clip + 0.5 - (own + 0.5) / zoom).mean(0)
    side = len(portrait.rgb) / zoom
    return Square(float(left), float(top), side, min(LARGEST, round(side / 2) * 2))


class Comparison:
    """Compares drawn pictures with a clip's own."""

    def __init__(self, model: LandmarkModel, square: Square) -> None:
        self._model = model
        self._square = square
        self._last: NDArray[np.float32] | None = None

    def measure(self, drawn: NDArray[np.uint8], real: NDArray[np.uint8], seen: Landmarks) -> tuple[float, ...]:
        """Returns PSNR in dB and SSIM of the face's box, both within its outline, and the landmarks' mean distance.

        The distance is in per cent of the face's width.
        """
        points = self._square.points(seen.points)
        places = np.clip(points, 0, self._square.size).astype(int)
        (left, top), (right, bottom) = places.min(0), places.max(0)
        ours, theirs = drawn[top:bottom, left:right], self._square.picture(real)[top:bottom, left:right]
        if self._last is None:
            self._last = np.column_stack([points, np.zeros(len(points), np.float32)]).astype(np.float32)
        self._last, _ = self._model.track(drawn, self._last)
        apart = np.linalg.norm(self._last[:, :2] - points, axis=1).mean() / np.ptp(points[:, 0])
        outline = cv2.convexHull(places - [left, top])
        within = cv2.fillConvexPoly(np.zeros(ours.shape[:2], np.uint8), outline, 1) > 0
        result: Any = structural_similarity(theirs, ours, channel_axis=2, data_range=255, full=True)
        similar = np.asarray(result[1], np.float64).mean(2)
        figures = [_psnr(theirs, ours), float(similar.mean()), _psnr(theirs[within], ours[within])]
        return (*figures, float(similar[within].mean()), 100 * float(apart))


def _psnr(theirs: NDArray[np.uint8], ours: NDArray[np.uint8]) -> float:
    return float(peak_signal_noise_ratio(theirs, ours, data_range=255))


def evaluate(clip: Path, n_frames: int, sheet: Path | None) -> dict[str, NDArray[np.float64]]:
    """Returns each way's figures, (n_frames, 5) as in `Comparison.measure`."""
    model = LandmarkModel()
    frames = list(itertools.islice(read_frames(clip), n_frames))
    seen = follow_face(frames, model)
    start = next(number for number, landmarks in enumerate(seen) if landmarks)
    motion = solve_motion(HeadFitter(load_head()), seen).motion.coefficients
    portrait = portrait_of(frames[start])
    first = seen[start]
    assert first is not None  # noqa: S101 - for the type checker
    square = square_of(portrait, first)
    renderer = PortraitRenderer(portrait, square.size)
    figures: dict[str, NDArray[np.float64]] = {}
    shown: list[list[NDArray[np.uint8]]] = []
    for way, given in (("as tracked", motion), ("relative", relative_to(motion, motion[start]))):
        comparison, rows = Comparison(model, square), []
        for rgb, landmarks, coefficients in zip(frames, seen, given, strict=True):
            if landmarks is None:
                continue
            drawn = renderer.render(coefficients)
            rows.append(comparison.measure(drawn, rgb, landmarks))
            shown.append([square.picture(rgb), drawn])
        figures[way] = np.array(rows)
    if sheet:
        write_sheet(sheet, shown)
    return figures


def portrait_of(picture: NDArray[np.uint8]) -> Portrait:
    """Returns the portrait made of a picture."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "first.png"
        cv2.imwrite(str(photo), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return load_portrait(photo, note=print, store=Path(folder) / "portrait.npz")


def write_sheet(path: Path, shown: list[list[NDArray[np.uint8]]]) -> None:
    """Writes eight moments side by side: the clip, drawn as tracked, drawn relative."""
    half = len(shown) // 2
    chosen = np.linspace(0, half - 1, 8).astype(int)
    rows = [[shown[k][0] for k in chosen], [shown[k][1] for k in chosen], [shown[half + k][1] for k in chosen]]
    cells = [[cv2.resize(cell, (256, 256), interpolation=cv2.INTER_AREA) for cell in row] for row in rows]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack([np.hstack(row) for row in cells]), cv2.COLOR_RGB2BGR))


def main() -> None:
    """Runs the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--frames", type=int, default=100, help="of each clip (default: 100)")
    parser.add_argument("--sheet", type=Path, help="picture of eight moments of the last clip")
    options = parser.parse_args()
    print(f"{'':<44} {'box':>15} {'outline':>15}")
    heads = f"{'PSNR dB':>8} {'SSIM':>6} {'PSNR dB':>8} {'SSIM':>6}"
    print(f"{'clip':<24} {'motion':<12} {'frames':>6} {heads} {'landmarks %':>12}")
    for clip in options.clips:
        for way, figures in evaluate(clip, options.frames, options.sheet).items():
            psnr, ssim, inner_psnr, inner_ssim, apart = figures.mean(0)
            pair = f"{psnr:>8.2f} {ssim:>6.3f} {inner_psnr:>8.2f} {inner_ssim:>6.3f}"
            print(f"{clip.name:<24} {way:<12} {len(figures):>6} {pair} {apart:>12.2f}", flush=True)


if __name__ == "__main__":
    main()
