"""Pieces of zlib streams (RFC 1950, 1951), made one by one and in any order."""

from __future__ import annotations

import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

HEADER = b"\x78\x01"

_SAMPLE, _NOISE = 1 << 14, 0.99
_LONGEST_STORED = 0xFFFF
_PAST = 8
_LEVEL = 1  # ISA-L's levels 2 and 3 take longer and save nothing on pictures


def deflate(raw: Bytes, *, last: bool) -> bytes:
    """Compress a piece to whole bytes that do not depend on other pieces."""
    if _looks_like_noise(raw):
        return b"".join(stored(raw, last=last))
    return _squeeze(raw, last=last)


def stored(raw: Bytes, *, last: bool) -> list[bytes | memoryview]:
    """Blocks that hold the bytes as they are: no larger for noise, and fast to read."""
    parts: list[bytes | memoryview] = []
    for start in range(0, raw.size, _LONGEST_STORED):
        block = raw[start : start + _LONGEST_STORED]
        final = last and start + block.size == raw.size
        parts += [struct.pack("<BHH", final, block.size, block.size ^ 0xFFFF), block.data]
    return parts


def stored_stream(raw: Bytes) -> list[bytes | memoryview]:
    """Give a whole stream that holds the bytes as they are."""
    return [HEADER, *stored(raw, last=True), trailer(isal_zlib.adler32(raw))]


def trailer(checksum: int) -> bytes:
    """End of a stream."""
    return struct.pack(">I", checksum)


def combine_adler32(first: int, second: int, second_size: int) -> int:
    """Checksum of two pieces from theirs (two sums modulo 65521)."""
    prime = 65521
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + second_size * ((first & 0xFFFF) - 1)
    return (high % prime) << 16 | low % prime


def _squeeze(raw: Bytes, *, last: bool) -> bytes:
    # At the start of a stream ISA-L files its third position under a hash of an address in
    # memory, and so may find other matches in another process. It does not if there is a past:
    # the first bytes are stored, and given to it as what the reader already has.
    past, rest = raw[:_PAST], raw[_PAST:]
    deflater = isal_zlib.compressobj(
        _LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS, zdict=past.data
    )
    flush = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
    return b"".join((*stored(past, last=False), deflater.compress(rest), deflater.flush(flush)))


def _looks_like_noise(raw: Bytes) -> bool:
    """Whether a sample does not get smaller, as in most phase pictures."""
    middle = raw.size // 2
    sample = raw[middle : middle + _SAMPLE]
    return len(_squeeze(sample, last=True)) > _NOISE * sample.size
