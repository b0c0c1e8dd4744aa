"""What a browser says of the first view of a page: bytes, times, and whether anything moved."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.support.browser import wait_for_images

_MOVED = """
window.moved = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.moved += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""

# Modules have run when the browser says that the content is loaded.
_FIGURES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  const isImage = (each) => each.initiatorType === "img" || /\\.svg|\\/retrieve\\//.test(each.name);
  const bytes = (some) => some.reduce((sum, each) => sum + each.transferSize, 0);
  return {
    bytes: page.transferSize + bytes(files.filter((each) => !isImage(each))),
    image_bytes: bytes(files.filter(isImage)),
    painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    interactive: page.domContentLoadedEventEnd,
    moved: window.moved,
  };
}"""


@dataclass(frozen=True, slots=True)
class FirstView:
    """Figures of one visit with an empty cache.

    ``bytes`` without and ``image_bytes`` of images; milliseconds until something was painted and
    until all scripts had run; ``moved`` is the cumulative layout shift.
    """

    bytes: int
    image_bytes: int
    painted: float
    interactive: float
    moved: float


def first_view(page: Page, path: str) -> FirstView:
    """Visit a page whose context has not visited anything yet, until nothing is loading."""
    page.add_init_script(_MOVED)
    page.goto(path, wait_until="load")
    wait_for_images(page)
    return FirstView(**page.evaluate(_FIGURES))
