from __future__ import annotations

import struct

import numpy as np
import pytest

from agent.gguf import in_8_bits
from avatar.errors import ModelError

RNG = np.random.default_rng(0)
F32, Q4_1, Q8_0 = 0, 3, 8


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 32)


def q4_1(n_blocks: int) -> tuple[bytes, np.ndarray]:
    """Returns random blocks and their weights, as llama.cpp reads them: the low halves of the bytes first."""
    scales = RNG.uniform(0.01, 0.1, (n_blocks, 1)).astype(np.float16)
    offsets = RNG.uniform(-0.5, 0.5, (n_blocks, 1)).astype(np.float16)
    steps = RNG.integers(0, 256, (n_blocks, 16), np.uint8)
    data = np.concatenate([scales.view(np.uint8), offsets.view(np.uint8), steps], axis=1).tobytes()
    halves = np.concatenate([steps % 16, steps // 16], axis=1)
    return data, halves * scales.astype(np.float32) + offsets.astype(np.float32)


def gguf(tensors: list[tuple[str, int, tuple[int, ...], bytes]], version: int = 3) -> bytes:
    """Returns a file with pairs of every sort and these tensors."""
    pairs = text("a.name") + struct.pack("<I", 8) + text("tiny")
    pairs += text("a.list") + struct.pack("<IIQ", 9, 8, 2) + text("one") + text("three")
    pairs += text("a.numbers") + struct.pack("<IIQ3f", 9, 6, 3, 1, 2, 3)
    pairs += text("a.flag") + struct.pack("<IB", 7, 1)
    infos, data = b"", b""
    for name, kind, shape, content in tensors:
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += aligned(content)
    return aligned(b"GGUF" + struct.pack("<IQQ", version, len(tensors), 4) + pairs + infos) + data


@pytest.fixture
def tiny(tmp_path):
    blocks, weights = q4_1(6)
    norm = np.arange(5, dtype=np.float32).tobytes()
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf([("norm", F32, (5,), norm), ("layer", Q4_1, (64, 3), blocks)]))
    return path, norm, weights


def test_the_weights_stay_and_all_else_is_as_it_was(tiny, tmp_path):
    path, norm, weights = tiny
    written = in_8_bits(path, tmp_path / "cache" / "wide.gguf").read_bytes()
    blocks = np.frombuffer(written[-6 * 34 - 20 :][: 6 * 34], np.uint8).reshape(6, 34)
    units = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    found = blocks[:, 2:].view(np.int8) * units
    assert (np.abs(found - weights).max(axis=1) < np.abs(weights).max(axis=1) / 200).all()
    assert written == gguf([("norm", F32, (5,), norm), ("layer", Q8_0, (64, 3), blocks.tobytes())])


def test_a_block_of_zeros_stays_one(tmp_path):
    path = tmp_path / "zeros.gguf"
    path.write_bytes(gguf([("layer", Q4_1, (32,), bytes(20))]))
    assert in_8_bits(path, tmp_path / "wide.gguf").read_bytes() == gguf([("layer", Q8_0, (32,), bytes(34))])


def test_it_is_written_once(tiny, tmp_path):
    path, _, _ = tiny
    target = in_8_bits(path, tmp_path / "wide.gguf")
    before = target.stat().st_mtime_ns
    path.unlink()
    assert in_8_bits(path, target).stat().st_mtime_ns == before
    assert [file.name for file in tmp_path.iterdir()] == ["wide.gguf"]


@pytest.mark.parametrize(
    "content",
    [b"nonsense", gguf([], version=2), gguf([("layer", 12, (256,), bytes(144))])[:-10], gguf([])[:60]],
    ids=["nonsense", "another version", "other weights", "cut off"],
)
def test_what_is_no_such_model_is_said_and_nothing_is_left(content, tmp_path):
    path = tmp_path / "wrong.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"reading wrong\.gguf: expected GGUF of version 3 in Q4_1"):
        in_8_bits(path, tmp_path / "wide.gguf")
    assert [file.name for file in tmp_path.iterdir()] == ["wrong.gguf"]
