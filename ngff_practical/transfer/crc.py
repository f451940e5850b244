"""CRC-32C and CRC-64/NVME: checksums that S3 keeps and Python lacks, for many bytes at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Words = NDArray[np.uint64]

_FEWEST = 2**10  # below it bytes are taken one after the other
_MOST = 2**24
_LONGEST_LANE = 2**10


def crc32c(pieces: Iterable[bytes | memoryview]) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes."""
    return _crc(pieces, 0x82F63B78, 32)


def crc64nvme(pieces: Iterable[bytes | memoryview]) -> int:
    """Return the CRC-64/NVME of some bytes: what S3 stores unless it is told otherwise."""
    return _crc(pieces, 0x9A6C9329AC4BC9B5, 64)


def _crc(pieces: Iterable[bytes | memoryview], polynomial: int, width: int) -> int:
    """Return a CRC of reflected bits that begins with all ones, and ends inverted."""
    ones = (1 << width) - 1
    register = ones
    for piece in pieces:
        data = np.frombuffer(piece, np.uint8)
        while len(data) >= _FEWEST:
            nbytes = min(_MOST, 1 << (len(data).bit_length() - 1))
            register = _block(data[:nbytes], register, polynomial, width)
            data = data[nbytes:]
        table = _table(polynomial)
        for byte in data.tolist():
            register = int(table[(register ^ byte) & 0xFF]) ^ (register >> 8)
    return register ^ ones


def _block(data: NDArray[np.uint8], register: int, polynomial: int, width: int) -> int:
    """Return the register after 2^n more bytes: all lanes of the block at once, then joined in pairs.

    A register after bytes A and B is that after A, moved on by as many zeros as B has, plus that of B alone.
    """
    lane = min(_LONGEST_LANE, 1 << (int(math.log2(len(data))) // 2))
    columns = np.ascontiguousarray(data.reshape(-1, lane).T).astype(np.uint64)
    table, low, byte = _table(polynomial), np.uint64(0xFF), np.uint64(8)
    state = np.zeros(columns.shape[1], np.uint64)
    state[0] = register
    for column in columns:
        state = table[(state ^ column) & low] ^ (state >> byte)
    while len(state) > 1:
        state = _moved(state[0::2], _zeros(polynomial, width, lane)) ^ state[1::2]
        lane *= 2
    return int(state[0])


@lru_cache
def _table(polynomial: int) -> Words:
    table = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        odd = (table & np.uint64(1)).astype(bool)
        table = (table >> np.uint64(1)) ^ np.where(odd, np.uint64(polynomial), np.uint64(0))
    return table


@lru_cache
def _zeros(polynomial: int, width: int, nbytes: int) -> Words:
    """Return what becomes of each bit of a register after so many zeros, a power of two."""
    if nbytes == 1:
        bits = np.uint64(1) << np.arange(width, dtype=np.uint64)
        first: Words = _table(polynomial)[bits & np.uint64(0xFF)] ^ (bits >> np.uint64(8))
        return first
    half = _zeros(polynomial, width, nbytes // 2)
    return _moved(half, half)


def _moved(registers: Words, zeros: Words) -> Words:
    moved: Words = np.zeros_like(registers)
    for bit, image in enumerate(zeros):
        moved ^= np.where((registers >> np.uint64(bit)) & np.uint64(1), image, np.uint64(0))
    return moved
