"""Colour profiles (ICC, version 2) made in memory: of screens, greys and printing presses."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# Primaries of sRGB in the profile connection space, adapted to D50: X, Y, Z of red, green, blue.
RED, GREEN, BLUE = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
WHITE = (0.9642, 1.0, 0.8249)


def profile_of_screen(
    primaries: Sequence[Sequence[float]] = (RED, GREEN, BLUE), gamma: float = 2.2
) -> bytes:
    """A profile of RGB with these primaries and one gamma."""
    tags = {
        name: _xyz(each) for name, each in zip(("rXYZ", "gXYZ", "bXYZ"), primaries, strict=True)
    }
    tags |= dict.fromkeys(("rTRC", "gTRC", "bTRC"), _gamma(gamma))
    return _profile("mntr", "RGB ", "XYZ ", tags | {"wtpt": _xyz(WHITE)})


def profile_of_greys(gamma: float) -> bytes:
    """A profile of grey levels."""
    return _profile("mntr", "GRAY", "XYZ ", {"kTRC": _gamma(gamma), "wtpt": _xyz(WHITE)})


def profile_of_inks(full: Sequence[int], none: Sequence[int] = (255, 128, 128)) -> bytes:
    """A profile of four inks: ``full`` cyan alone, and ``none`` without any ink, as 8-bit Lab.

    Whatever else is printed looks like no ink at all.
    """
    nodes = b"".join(bytes(full if node == 0b1000 else none) for node in range(16))
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(0x10000 * (place % 4 == 0) for place in range(9)))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + ramp * 4 + nodes + ramp * 3
    return _profile("prtr", "CMYK", "Lab ", {"A2B0": lut, "wtpt": _xyz(WHITE)})


def _profile(device: str, space: str, connection: str, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": _description("of the tests"), "cprt": b"text\0\0\0\0none\0", **tags}
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name.encode() + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s4s44s",
        start + len(body),
        b"",
        0x02400000,
        device.encode(),
        space.encode(),
        connection.encode(),
        struct.pack(">6H", 2026, 12, 1, 0, 0, 0),
        b"acsp",
        b"",
        bytes(24) + struct.pack(">I", 0) + _numbers(WHITE) + bytes(4),
    )
    return head.ljust(128, b"\0") + table + body


def _description(text: str) -> bytes:
    plain = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(plain)) + plain + bytes(78)


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * value)) + bytes(2)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(values)


def _numbers(values: Sequence[float]) -> bytes:
    return struct.pack(">3i", *(round(65536 * value) for value in values))
