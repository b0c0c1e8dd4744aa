"""Names of products: safe everywhere, and different for different products."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.products.names import LONGEST_ID, name_of, path_of

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST_ID)
CLOSE = st.text("aAbB-_ 1.äÄﬁfi", min_size=1, max_size=6)  # ids that look alike
SAFE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(_[0-9a-f]{32})?", re.ASCII)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@given(IDS)
def test_a_name_is_safe_on_every_file_system(product_id: str) -> None:
    path = path_of(product_id, 2**63 - 1)
    assert SAFE.fullmatch(name_of(product_id))
    assert len(path) <= 120
    assert not RESERVED.fullmatch(path)


@given(st.one_of(IDS, CLOSE), st.one_of(IDS, CLOSE))
def test_different_ids_have_different_names_also_where_capitals_do_not_count(
    one: str, other: str
) -> None:
    def seen(product_id: str) -> str:
        return unicodedata.normalize("NFKC", name_of(product_id)).casefold()

    assert (seen(one) == seen(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ABC-123", "abc-123"),
        ("caf\u00e9", "cafe\u0301"),
        ("\ufb01", "fi"),
        ("a b", "a-b"),
        ("a/b", "a-b"),
        ("a--b", "a-b"),
        ("-a", "a"),
        ("x" * 41, "x" * 40),
        ("abc-123_4d156d7bc9c38c000aa1e5b06e46e1f4", "ABC-123"),
        ("\u7532", "\u4e59"),
    ],
)
def test_ids_that_look_alike_have_different_names(one: str, other: str) -> None:
    assert name_of(one) != name_of(other)
    assert path_of(one, 1) != path_of(other, 1)


@given(IDS, st.integers(1, 10**6), st.integers(1, 10**6))
def test_each_image_has_its_own_path(product_id: str, one: int, other: int) -> None:
    assert (path_of(product_id, one) == path_of(product_id, other)) == (one == other)


@pytest.mark.parametrize(
    ("product_id", "name"),
    [
        ("abc-123", "abc-123"),
        ("ABC-123", "abc-123_4d156d7bc9c38c000aa1e5b06e46e1f4"),
        ("../../etc/passwd", "etc-passwd_3754d6cb3a38e1185e5b382d5f3ef3f1"),
        ("Caf\u00e9 No. 5", "cafe-no-5_b3ff5f1a9ae548bf596aee35526b3df8"),
        ("\u7532", "product_33e3580c093111e1c4cac922872c4037"),
    ],
)
def test_names_stay_what_they_are(product_id: str, name: str) -> None:
    """Earlier results are found under them."""
    assert name_of(product_id) == name
