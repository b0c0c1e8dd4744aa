"""Detection of formats from the first bytes of a file; names of files are not reliable."""

from __future__ import annotations

from fft_tool.codec import npy_decode, png_file, pnm_decode
from fft_tool.errors import UnknownFormat
from fft_tool.limits import FORMATS

_MAGIC = (
    (png_file.SIGNATURE, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (npy_decode.SIGNATURE, "npy"),
)

# Formats that are known but not read: offset, bytes, name, and what to do.
_PNG = "convert it to PNG"
_REFUSED = (
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000", _PNG),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000", _PNG),
    (0, b"\xff\x0a", "JPEG XL", _PNG),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL", _PNG),
    (0, b"8BPS", "Photoshop (PSD)", "export it as PNG"),
    (0, b"%PDF", "PDF", "export the page as PNG"),
    (0, b"\0\0\1\0", "ICO", _PNG),
    (0, b"\x76\x2f\x31\x01", "OpenEXR", "convert it to TIFF with 32-bit floats"),
    (0, b"#?RADIANCE", "Radiance HDR", "convert it to TIFF with 32-bit floats"),
    (0, b"SIMPLE  =", "FITS", "save its image with numpy.save or as TIFF"),
    (128, b"DICM", "DICOM", "save its image with numpy.save or as TIFF"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5", "save one image with numpy.save"),
    (0, b"CDF\1", "NetCDF", "save one image with numpy.save"),
    (0, b"MATLAB 5.0", "MATLAB", "save one image with numpy.save or imwrite"),
    (0, b"PK\3\4", "ZIP (perhaps .npz)", "unpack it, or save one array with numpy.save"),
    (0, b"\x1f\x8b", "gzip", "unpack it"),
    (0, b"P7\n", "PAM", _PNG),
    (0, b"PF\n", "PFM", "save it as TIFF with 32-bit floats"),
    (0, b"DDS ", "DDS", _PNG),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw format", "develop it to TIFF or PNG"),
    (0, b"IIRO", "a camera's raw format", "develop it to TIFF or PNG"),
    (0, b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)", "save one frame as PNG"),
    (0, b"<svg", "SVG", "export it as PNG"),
    (0, b"<!doctype html", "HTML, not an image", "download the image itself"),
    (0, b"<html", "HTML, not an image", "download the image itself"),
)
# Brands of files that begin with a box "ftyp" (ISO base media).
_HEIC = ("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")


def sniff(data: bytes) -> str:
    """Detect the format; raise :class:`UnknownFormat`, with its name if it has one."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if pnm_decode.SIGNATURE.match(data):
        return "pnm"
    if data[4:8] == b"ftyp":
        return _media(data)
    if b"IHDR" in data[:32]:
        raise UnknownFormat("a PNG whose first bytes were changed: was it transferred as text?")
    start = data[:256].lower()
    for place, magic, name, remedy in _REFUSED:
        if start[place : place + len(magic)] == magic.lower():
            raise _refusal(name, remedy)
    raise UnknownFormat(f"not an image in a known format ({', '.join(FORMATS)})")


def _media(data: bytes) -> str:
    """Tell AVIF from HEIC and from videos by the brands of a file."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    text = data[8:size].decode("latin-1")
    brands = [text[:4], *(text[at : at + 4] for at in range(8, len(text), 4))]
    if "avif" in brands or "avis" in brands:
        return "avif"
    if any(brand in _HEIC for brand in brands):
        raise _refusal("HEIC", _PNG)
    if brands[0] == "crx ":
        raise _refusal("a camera's raw format", "develop it to TIFF or PNG")
    raise _refusal("a video (MP4 or QuickTime)", "save one frame as PNG")


def _refusal(name: str, remedy: str) -> UnknownFormat:
    return UnknownFormat(f"this is {name}: {remedy} (formats read here: {', '.join(FORMATS)})")
