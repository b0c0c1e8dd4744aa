"""Formats are told by their first bytes; those that are refused are called by their names."""

from __future__ import annotations

import pytest

from fft_tool.codec.sniffing import sniff
from fft_tool.errors import UnknownFormat
from fft_tool.limits import FORMATS


def media(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (4 + len(body)).to_bytes(4, "big") + body + bytes(40)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (media(b"heic", b"mif1", b"heic"), "this is HEIC: convert it to PNG"),
        (media(b"mif1", b"heix"), "HEIC"),
        (media(b"isom", b"mp42"), "video"),
        (media(b"crx ", b"isom"), "camera's raw"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000: convert it to PNG"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%PDF-1.7\n", "PDF: export the page"),
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"SIMPLE  =                    T", "FITS: save its image with numpy.save"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\3\4", "npz"),
        (b"P7\nWIDTH 3", "PAM"),
        (b"<!DOCTYPE HTML><html>", "HTML, not an image"),
    ],
)
def test_known_formats_that_are_not_read_are_named(data: bytes, told: str) -> None:
    with pytest.raises(UnknownFormat, match=told) as refused:
        sniff(data)
    assert ", ".join(FORMATS) in str(refused.value)


@pytest.mark.parametrize("brands", [(b"avif", b"mif1"), (b"avis",), (b"mif1", b"avif", b"heic")])
def test_avif_is_told_from_heic(brands: tuple[bytes, ...]) -> None:
    assert sniff(media(*brands)) == "avif"


@pytest.mark.parametrize("data", [b"", b"P", b"PX", b"P9 1", b"\0\0\0\x08ftyp", bytes(200)])
def test_fragments_of_signatures_are_unknown_formats(data: bytes) -> None:
    with pytest.raises(UnknownFormat):
        sniff(data)
