"""Writes motion as glTF 2.0: a head whose 52 morph targets have ARKit's names, moved at 25 frames a second.

``.glb`` is one binary file, ``.gltf`` the same as text. The weights of all targets are one animation channel; the
head's rotation and translation are two more, about a point like a neck. Targets are sparse: most move a small part of
the face.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from avatar.errors import OutputError
from avatar.motion.layout import BLENDSHAPES, INDEX, N_BLENDSHAPES
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC: Final = 0x46546C67
_JSON: Final = 0x4E4F534A
_BIN: Final = 0x004E4942
_TYPES: Final = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_COMPONENTS: Final = {"f": 5126, "I": 5125, "H": 5123, "B": 5121}
_VERTICES: Final = 34_962
_INDICES: Final = 34_963

_STILL: Final = 2e-5
"""Metres below which a vertex does not belong to a target."""


@dataclass(frozen=True, slots=True)
class HeadPart:
    """One piece of a head, all of one material.

    Attributes:
        name: What it is.
        vertices: float32 (n, 3), metres; x to the person's left, y up, z to the viewer.
        triangles: int32 (m, 3), counter-clockwise seen from outside.
        targets: float32 (52, n, 3), displacements of the ARKit units at coefficient 1, metres.
        colours: float32 (n, 3), linear RGB in [0, 1].
    """

    name: str
    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    targets: NDArray[np.float32]
    colours: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeadModel:
    """A head to be moved.

    Attributes:
        parts: What it is made of.
        pivot: float32 (3,), the point about which it turns, metres.
        interpupillary: Metres.
    """

    parts: tuple[HeadPart, ...]
    pivot: NDArray[np.float32]
    interpupillary: float


def write_gltf(path: Path, head: HeadModel, motion: NDArray[np.float32]) -> None:
    """Writes a head and its motion as ``.glb`` or ``.gltf``, by the path's ending, whole or not at all.

    Args:
        path: The file to write.
        head: What moves.
        motion: float32 (n_frames, 58) at 25 frames a second.

    Raises:
        OutputError: The file can't be written.
    """
    document, binary = gltf_document(head, motion)
    if path.suffix.lower() == ".gltf":
        document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
        content = json.dumps(document, separators=(",", ":")).encode()
    else:
        content = _glb(document, binary)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError as error:
        raise OutputError(
            f"writing {path.name}", expected="a folder that can be written to", got=error.strerror or str(error)
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def gltf_document(head: HeadModel, motion: NDArray[np.float32]) -> tuple[dict[str, Any], bytes]:
    """Returns glTF's JSON document and the binary buffer that it refers to."""
    data = _Buffer()
    primitives = [_primitive(data, part, index) for index, part in enumerate(head.parts)]
    times = data.add((np.arange(len(motion)) / FRAME_RATE).astype(np.float32), bounds=True)
    weights = data.add(motion[:, :N_BLENDSHAPES].clip(0, 1).ravel())
    turns = data.add(quaternions(motion))
    places = [INDEX[axis] for axis in "xyz"]
    moves = data.add((head.pivot + motion[:, places] * head.interpupillary).astype(np.float32))
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Visavis"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "Neck", "translation": head.pivot.tolist(), "children": [1]},
            {"name": "Head", "translation": (-head.pivot).tolist(), "mesh": 0},
        ],
        "meshes": [
            {
                "name": "Head",
                "primitives": primitives,
                "weights": [0.0] * N_BLENDSHAPES,
                "extras": {"targetNames": list(BLENDSHAPES)},
            }
        ],
        "materials": [_material(part.name) for part in head.parts],
        "animations": [
            {
                "name": "Speech",
                "samplers": [
                    {"input": times, "output": output, "interpolation": "LINEAR"} for output in (weights, turns, moves)
                ],
                "channels": [
                    {"sampler": 0, "target": {"node": 1, "path": "weights"}},
                    {"sampler": 1, "target": {"node": 0, "path": "rotation"}},
                    {"sampler": 2, "target": {"node": 0, "path": "translation"}},
                ],
            }
        ],
        "accessors": data.accessors,
        "bufferViews": data.views,
        "buffers": [{"byteLength": len(data.content)}],
    }
    return document, bytes(data.content)


def quaternions(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the head's rotation as unit quaternions, float32 (n_frames, 4): x, y, z, w.

    The rotation is about z by roll, times about y by yaw, times about x by minus pitch.
    """
    half = motion[:, [INDEX["pitch"], INDEX["yaw"], INDEX["roll"]]].astype(np.float64) / 2 * (-1, 1, 1)
    (cx, cy, cz), (sx, sy, sz) = np.cos(half).T, np.sin(half).T
    turned = np.stack(
        [
            sx * cy * cz - cx * sy * sz,
            cx * sy * cz + sx * cy * sz,
            cx * cy * sz - sx * sy * cz,
            cx * cy * cz + sx * sy * sz,
        ],
        axis=1,
    )
    return turned.astype(np.float32)


def _primitive(data: _Buffer, part: HeadPart, material: int) -> dict[str, Any]:
    return {
        "attributes": {
            "POSITION": data.add(part.vertices, target=_VERTICES, bounds=True),
            "NORMAL": data.add(_normals(part), target=_VERTICES),
            "COLOR_0": data.add(part.colours, target=_VERTICES),
        },
        "indices": data.add(part.triangles.astype(np.uint16).ravel(), target=_INDICES),
        "material": material,
        "targets": [{"POSITION": data.add_sparse(target)} for target in part.targets],
    }


def _material(name: str) -> dict[str, Any]:
    wet = name.endswith(("eye", "teeth", "tongue"))
    return {
        "name": name,
        "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.3 if wet else 0.7},
    }


def _normals(part: HeadPart) -> NDArray[np.float32]:
    """Returns a unit normal for each vertex, the mean of its triangles' by their areas, float32 (n, 3)."""
    a, b, c = (part.vertices[part.triangles[:, corner]].astype(np.float64) for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros(part.vertices.shape)
    for corner in range(3):
        np.add.at(normals, part.triangles[:, corner], faces)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0, normals / np.maximum(lengths, 1e-12), (0.0, 0.0, 1.0)).astype(np.float32)


class _Buffer:
    """Arrays one after the other, and the accessors that find them."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray[Any], *, target: int | None = None, bounds: bool = False) -> int:
        """Adds numbers (n,) or vectors (n, 3 or 4); returns their accessor."""
        return self._add_accessor(values, {"bufferView": self._add_view(values, target)}, bounds=bounds)

    def add_sparse(self, values: NDArray[np.float32]) -> int:
        """Adds vectors (n, 3) of which most are zero; returns their accessor."""
        moved = np.flatnonzero(np.abs(values).max(axis=1) > _STILL)
        kept = np.zeros_like(values)
        kept[moved] = values[moved]
        if not len(moved):
            return self._add_accessor(kept, {}, bounds=True)  # all zero without a view
        sparse = {
            "count": len(moved),
            "indices": {"bufferView": self._add_view(moved.astype(np.uint16)), "componentType": _COMPONENTS["H"]},
            "values": {"bufferView": self._add_view(values[moved])},
        }
        return self._add_accessor(kept, {"sparse": sparse}, bounds=True)

    def _add_accessor(self, values: NDArray[Any], where: dict[str, Any], *, bounds: bool) -> int:
        rows = values.reshape(len(values), -1)
        accessor: dict[str, Any] = {
            **where,
            "componentType": _COMPONENTS[values.dtype.char],
            "count": len(rows),
            "type": _TYPES[rows.shape[1]],
        }
        if bounds:
            accessor["min"], accessor["max"] = rows.min(axis=0).tolist(), rows.max(axis=0).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def _add_view(self, values: NDArray[Any], target: int | None = None) -> int:
        raw = np.ascontiguousarray(values).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(raw)}
        if target is not None:
            view["target"] = target
        self.views.append(view)
        self.content += raw + bytes(-len(raw) % 4)
        return len(self.views) - 1


def _glb(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    header = np.array([_MAGIC, 2, length, len(text), _JSON], "<u4").tobytes()
    return header + text + np.array([len(binary), _BIN], "<u4").tobytes() + binary
