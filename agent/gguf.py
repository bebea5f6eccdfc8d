"""Language models' weights from 4 bits to 8, in which llama.cpp reads a prompt nearly twice as fast.

GGUF (version 3) holds key-value pairs, then what the tensors are called, how large they are and where they begin, and
then their data. A block of Q4_1 is 32 weights: a scale, an offset (half floats), and 4 bits each; of Q8_0 a scale and 8
bits each (ggml-common.h). llama.cpp has fast products of several tokens at once (`llamafile_sgemm`) for the one and not
for the other.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod
from mmap import ACCESS_READ, mmap
from os import fdopen
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAGIC: Final = b"GGUF"
_VERSION: Final = 3
_TEXT, _LIST, _ALIGNMENT = 8, 9, 32
_WIDTHS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each kind of value."""

_F32, _Q4_1, _Q8_0 = 0, 3, 8
_BLOCK: Final = 32
"""Weights of a block."""

_BLOCK_BYTES: Final = {_Q4_1: 20, _Q8_0: 34}


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the file.

    Attributes:
        name: What it is called.
        shape: Its lengths.
        kind: How its weights are written.
        start: First byte, counted from the end of the header.
    """

    name: bytes
    shape: tuple[int, ...]
    kind: int
    start: int

    @property
    def n_bytes(self) -> int:
        """Its length."""
        n_weights = prod(self.shape)
        return 4 * n_weights if self.kind == _F32 else n_weights // _BLOCK * _BLOCK_BYTES[self.kind]


class _Header:
    """Reads what stands before the data, which begins at byte `data`."""

    def __init__(self, content: mmap) -> None:
        self._content = content
        self._at = 4
        if content[:4] != _MAGIC or self._number("<I") != _VERSION:
            raise ValueError("no GGUF of version 3")
        n_tensors, n_pairs = self._number("<Q"), self._number("<Q")
        for _ in range(n_pairs):
            self._text()
            self._skip(self._number("<I"))
        self.pairs = content[: self._at]
        self.tensors = [self._tensor() for _ in range(n_tensors)]
        self.data = _aligned(self._at)

    def _number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return value

    def _text(self) -> bytes:
        length = self._number("<Q")
        self._at += length
        return self._content[self._at - length : self._at]

    def _skip(self, kind: int) -> None:
        if kind == _TEXT:
            self._text()
        elif kind == _LIST:
            element, n_elements = self._number("<I"), self._number("<Q")
            for _ in range(n_elements):
                self._skip(element)
        else:
            self._at += _WIDTHS[kind]

    def _tensor(self) -> _Tensor:
        name = self._text()
        shape = tuple(self._number("<Q") for _ in range(self._number("<I")))
        tensor = _Tensor(name, shape, self._number("<I"), self._number("<Q"))
        if tensor.kind not in {_F32, *_BLOCK_BYTES}:
            raise ValueError(f"weights of kind {tensor.kind}")
        return tensor


def in_8_bits(source: Path, target: Path) -> Path:
    """Writes a model's Q4_1 weights as Q8_0, to a two hundred and fiftieth of each block's largest, unless it is there.

    Args:
        source: A GGUF file of version 3 with weights in F32, Q4_1 and Q8_0.
        target: Where to write it; whole or not at all.

    Returns:
        The target.

    Raises:
        ModelError: The source is something else.
        OSError: The target can't be written.
    """
    if target.is_file():
        return target
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        _convert(source.name, content, target)
    return target


def _convert(name: str, content: mmap, target: Path) -> None:
    try:
        header = _Header(content)
    except (ValueError, KeyError, struct.error) as error:
        raise ModelError(f"reading {name}", expected="GGUF of version 3 in Q4_1", got=str(error)) from error
    kinds = [_Q8_0 if tensor.kind == _Q4_1 else tensor.kind for tensor in header.tensors]
    lengths = [_aligned(replace(tensor, kind=kind).n_bytes) for tensor, kind in zip(header.tensors, kinds, strict=True)]
    starts = list(accumulate(lengths, initial=0))
    head = _padded(header.pairs + b"".join(map(_described, header.tensors, kinds, starts)))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        with fdopen(handle, "wb") as file:
            file.write(head)
            for tensor in header.tensors:
                start = header.data + tensor.start
                weights = content[start : start + tensor.n_bytes]
                file.write(_padded(_widened(weights) if tensor.kind == _Q4_1 else weights))
        Path(scratch).replace(target)
    finally:
        Path(scratch).unlink(missing_ok=True)


def _described(tensor: _Tensor, kind: int, start: int) -> bytes:
    shape: Sequence[int] = tensor.shape
    name = struct.pack("<Q", len(tensor.name)) + tensor.name
    return name + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", kind, start)


def _widened(weights: bytes) -> bytes:
    """Returns blocks of Q4_1 as blocks of Q8_0."""
    blocks = np.frombuffer(weights, np.uint8).reshape(-1, _BLOCK_BYTES[_Q4_1])
    scale, offset = blocks[:, :4].copy().view(np.float16).astype(np.float32).T[..., None]
    steps = blocks[:, 4:]
    values = np.concatenate([steps & 15, steps >> 4], axis=1) * scale + offset
    units = np.abs(values).max(axis=1, keepdims=True) / 127
    whole = np.rint(values / np.where(units > 0, units, 1)).astype(np.int8)
    return np.concatenate([units.astype(np.float16).view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // _ALIGNMENT) * _ALIGNMENT


def _padded(data: bytes) -> bytes:
    return data + bytes(_aligned(len(data)) - len(data))
