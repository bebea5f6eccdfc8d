from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from avatar.errors import OutputError
from avatar.motion.gltf import HeadModel, HeadPart, gltf_document, quaternions, write_gltf
from avatar.motion.layout import BLENDSHAPES, INDEX, neutral
from avatar.render.pose import rotation

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
COMPONENTS = {5126: np.float32, 5123: np.uint16}


def square(name: str) -> HeadPart:
    """Four vertices, of which the jaw moves one; nothing else moves any."""
    vertices = np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    targets = np.zeros((52, 4, 3), np.float32)
    targets[INDEX["jawOpen"], 2] = (0, -0.5, 0.1)
    triangles = np.int32([[0, 1, 2], [0, 2, 3]])
    return HeadPart(name, vertices, triangles, targets, np.full((4, 3), 0.5, np.float32))


HEAD = HeadModel((square("skin"), square("left_eye")), np.float32([0, -0.1, 0]), 0.06)


def talking(n_frames: int = 30) -> np.ndarray:
    motion = neutral(n_frames)
    motion[:, INDEX["jawOpen"]] = np.linspace(0, 1, n_frames)
    motion[:, INDEX["yaw"]] = 0.3
    motion[:, INDEX["x"]] = 0.5
    return motion


class Document:
    """A glTF document as a reader sees it."""

    def __init__(self, document: dict[str, Any], binary: bytes) -> None:
        self.json, self.binary = document, binary

    def view(self, index: int, component: int) -> np.ndarray:
        view = self.json["bufferViews"][index]
        assert view["byteOffset"] % 4 == 0
        assert view["byteLength"] > 0
        assert view["byteOffset"] + view["byteLength"] <= self.json["buffers"][0]["byteLength"] <= len(self.binary)
        return np.frombuffer(self.binary[view["byteOffset"] :][: view["byteLength"]], COMPONENTS[component])

    def read(self, index: int) -> np.ndarray:
        accessor = self.json["accessors"][index]
        n = TYPES[accessor["type"]]
        values = np.zeros((accessor["count"], n), COMPONENTS[accessor["componentType"]])
        if "bufferView" in accessor:
            values = self.view(accessor["bufferView"], accessor["componentType"]).reshape(accessor["count"], n).copy()
        if sparse := accessor.get("sparse"):
            places = self.view(sparse["indices"]["bufferView"], sparse["indices"]["componentType"])
            assert np.all(np.diff(places.astype(int)) > 0)
            values[places] = self.view(sparse["values"]["bufferView"], accessor["componentType"]).reshape(-1, n)
            assert len(places) == sparse["count"]
        if "min" in accessor:
            np.testing.assert_array_equal(np.float32(accessor["min"]), values.min(axis=0))
            np.testing.assert_array_equal(np.float32(accessor["max"]), values.max(axis=0))
        return values


@pytest.fixture
def document() -> Document:
    return Document(*gltf_document(HEAD, talking()))


def test_every_accessor_can_be_read(document: Document) -> None:
    for index in range(len(document.json["accessors"])):
        document.read(index)


def test_the_head_has_the_52_targets_by_name(document: Document) -> None:
    (mesh,) = document.json["meshes"]
    assert mesh["extras"]["targetNames"] == list(BLENDSHAPES)
    for primitive in mesh["primitives"]:
        assert len(primitive["targets"]) == len(mesh["weights"]) == 52
        moved = document.read(primitive["targets"][INDEX["jawOpen"]]["POSITION"])
        np.testing.assert_allclose(moved, [[0, 0, 0], [0, 0, 0], [0, -0.5, 0.1], [0, 0, 0]])
        assert not document.read(primitive["targets"][0]["POSITION"]).any()
        normals = document.read(primitive["attributes"]["NORMAL"])
        np.testing.assert_allclose(normals, np.tile([0, 0, 1], (4, 1)), atol=1e-6)
        np.testing.assert_array_equal(document.read(primitive["indices"]).ravel(), [0, 1, 2, 0, 2, 3])


def test_the_animation_is_the_motion_at_25_frames_a_second(document: Document) -> None:
    (animation,) = document.json["animations"]
    paths = {channel["target"]["path"]: animation["samplers"][channel["sampler"]] for channel in animation["channels"]}
    motion = talking()
    for sampler in paths.values():
        np.testing.assert_allclose(document.read(sampler["input"])[:, 0], np.arange(30) / 25, rtol=1e-6)
    weights = document.read(paths["weights"]["output"]).reshape(30, 52)
    np.testing.assert_allclose(weights, motion[:, :52])
    place = document.read(paths["translation"]["output"])
    np.testing.assert_allclose(place, np.tile(np.float32([0.03, -0.1, 0]), (30, 1)), atol=1e-6)
    turn = document.read(paths["rotation"]["output"])
    np.testing.assert_allclose(turn, np.tile([0, np.sin(0.15), 0, np.cos(0.15)], (30, 1)), atol=1e-6)


def test_at_rest_the_mesh_stays_where_its_vertices_are(document: Document) -> None:
    neck, head = document.json["nodes"]
    np.testing.assert_allclose(np.add(neck["translation"], head["translation"]), 0, atol=1e-7)
    assert neck["children"] == [1]


def test_the_head_turns_as_the_renderers_does() -> None:
    motion = neutral(1)
    motion[0, [INDEX["yaw"], INDEX["pitch"], INDEX["roll"]]] = (0.4, -0.3, 0.2)
    x, y, z, w = quaternions(motion)[0].astype(float)
    turned = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    np.testing.assert_allclose(turned, rotation(0.4, -0.3, 0.2), atol=1e-6)


def test_the_binary_file_and_the_text_file_hold_the_same(tmp_path: Path) -> None:
    write_gltf(tmp_path / "head.glb", HEAD, talking())
    write_gltf(tmp_path / "head.gltf", HEAD, talking())
    raw = (tmp_path / "head.glb").read_bytes()
    magic, version, length, n_json, kind = struct.unpack("<4sIII4s", raw[:20])
    assert (magic, version, length, kind) == (b"glTF", 2, len(raw), b"JSON")
    n_binary, kind = struct.unpack("<I4s", raw[20 + n_json : 28 + n_json])
    assert (n_binary, kind) == (len(raw) - 28 - n_json, b"BIN\0")
    text = json.loads((tmp_path / "head.gltf").read_text())
    prefix, _, content = text["buffers"][0].pop("uri").partition(",")
    assert prefix == "data:application/octet-stream;base64"
    assert json.loads(raw[20 : 20 + n_json]) == text
    assert raw[28 + n_json :][: text["buffers"][0]["byteLength"]] == base64.b64decode(content)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.glb", "head.gltf"]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"writing head\.glb"):
        write_gltf(tmp_path / "none" / "head.glb", HEAD, talking())
