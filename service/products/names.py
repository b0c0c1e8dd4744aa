"""Names of product images: readable, safe on every file system, and never those of another product.

A product id is any text. Its name has only lower-case ASCII letters, digits and single hyphens, so
that neither capitals, nor Unicode's several ways to write a letter, nor names that a system
reserves can make two names the same. An id that is not such a name already gets a digest of its
exact characters, after an underscore, which no other name has.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_ID = 200  # characters of a product id
_READABLE = 40  # characters of its readable part
_DIGITS = 32  # hexadecimal digits: 128 bits, of which nobody finds two that are the same

_PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


def name_of(product_id: str) -> str:
    """Name of a product; different ids have different names.

    >>> name_of("abc-123"), name_of("ABC-123")
    ('abc-123', 'abc-123_4d156d7bc9c38c000aa1e5b06e46e1f4')
    """
    if len(product_id) <= _READABLE and _PLAIN.fullmatch(product_id):
        return product_id
    digest = hashlib.sha256(product_id.encode()).hexdigest()[:_DIGITS]
    return f"{_readable(product_id)}_{digest}"


def path_of(product_id: str, image_id: int) -> str:
    """Path of an image of a product, relative to the folder of results.

    >>> path_of("abc-123", 17)
    'abc-123-17.jpg'
    """
    return f"{name_of(product_id)}-{image_id}.jpg"


def _readable(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters)[:_READABLE].strip("-") or "product"
