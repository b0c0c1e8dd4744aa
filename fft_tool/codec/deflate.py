"""Segments of zlib streams (RFC 1950, 1951), compressed independently and in any order."""

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
_LEVEL = 1  # ISA-L's levels 2 and 3 are slower and do not compress pictures any further


def deflate(raw: Bytes, *, last: bool) -> bytes:
    """Compress a segment to whole bytes that do not depend on other segments."""
    if _looks_like_noise(raw):
        return b"".join(stored(raw, last=last))
    return _squeeze(raw, last=last)


def stored(raw: Bytes, *, last: bool) -> list[bytes | memoryview]:
    """Stored (uncompressed) blocks: no larger than compressed noise, and fast to read."""
    parts: list[bytes | memoryview] = []
    for start in range(0, raw.size, _LONGEST_STORED):
        block = raw[start : start + _LONGEST_STORED]
        final = last and start + block.size == raw.size
        parts += [struct.pack("<BHH", final, block.size, block.size ^ 0xFFFF), block.data]
    return parts


def stored_stream(raw: Bytes) -> list[bytes | memoryview]:
    """Return a complete stream of stored blocks."""
    return [HEADER, *stored(raw, last=True), trailer(isal_zlib.adler32(raw))]


def trailer(checksum: int) -> bytes:
    """Return the end of a stream."""
    return struct.pack(">I", checksum)


def combine_adler32(first: int, second: int, second_size: int) -> int:
    """Adler-32 of two adjoining segments, from their own (two sums modulo 65521)."""
    prime = 65521
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + second_size * ((first & 0xFFFF) - 1)
    return (high % prime) << 16 | low % prime


def _squeeze(raw: Bytes, *, last: bool) -> bytes:
    # At the start of a stream, ISA-L hashes the third position by its memory address, so another
    # process may find different matches. It does not do so after a preset dictionary: the first
    # bytes are stored, and passed as the dictionary of the rest.
    past, rest = raw[:_PAST], raw[_PAST:]
    deflater = isal_zlib.compressobj(
        _LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS, zdict=past.data
    )
    flush = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
    return b"".join((*stored(past, last=False), deflater.compress(rest), deflater.flush(flush)))


def _looks_like_noise(raw: Bytes) -> bool:
    """Whether a sample does not compress, as in most phase pictures."""
    middle = raw.size // 2
    sample = raw[middle : middle + _SAMPLE]
    return len(_squeeze(sample, last=True)) > _NOISE * sample.size
