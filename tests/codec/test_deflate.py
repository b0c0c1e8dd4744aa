"""Segments of zlib streams: lossless, with bytes that do not depend on memory addresses."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from isal import isal_zlib

from fft_tool.codec.deflate import Bytes, deflate

SIZES = (*range(1, 40), 16_384, 32_768, 32_769, 70_000)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_data_survive_the_round_trip(size: int, last: bool) -> None:
    ramp = (np.arange(size) // 7).astype(np.uint8)
    for raw in (ramp, np.zeros_like(ramp), np.random.default_rng(size).bytes(size)):
        reader = zlib.decompressobj(-zlib.MAX_WBITS)
        piece = np.frombuffer(raw, np.uint8)
        assert reader.decompress(deflate(piece, last=last)) == bytes(piece)
        assert reader.eof == last


def test_bytes_do_not_depend_on_memory_addresses() -> None:
    # Without the preset dictionary, ISA-L fails this for about 16 of all pairs.
    pieces = [striped(*divmod(pair, 256)) for pair in range(1 << 16)]
    before = [deflate(piece, last=False) for piece in pieces]
    elsewhere = [isal_zlib.compressobj() for _ in range(3)]  # what follows cannot lie there
    assert [deflate(piece, last=False) for piece in pieces] == before
    del elsewhere


def striped(one: int, other: int) -> Bytes:
    return np.array([1] + [one, other] * 300, np.uint8)
