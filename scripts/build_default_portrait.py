"""Cuts the default portrait out of NASA's picture of Eileen Collins, which scikit-image carries (public domain).

python -m scripts.build_default_portrait
"""

from __future__ import annotations

import hashlib

import cv2
from skimage import data

from avatar.portrait.setup import default_portrait_path

_LEFT, _TOP, _SIDE = 84, 0, 300


def main() -> None:
    """Writes avatar/portrait/data/default.jpg."""
    picture = data.astronaut()[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 96])
    target = default_portrait_path()
    scratch = target.with_suffix(".part")
    scratch.write_bytes(encoded.tobytes())
    scratch.replace(target)
    print(f"{target.name}: {len(encoded)} bytes, {hashlib.sha256(encoded.tobytes()).hexdigest()}")


if __name__ == "__main__":
    main()
