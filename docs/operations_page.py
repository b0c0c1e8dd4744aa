"""Generate docs/operations.md from the registry: ``python docs/operations_page.py``."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from fft_tool.operations import geometry, neighbourhood, spectral, tones
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import MOST_CHARACTERS, MOST_OPERATIONS

PAGE = Path(__file__).with_name("operations.md")

_CODE = re.compile("`[^`]+`")
_FIXED = "\x00"  # stands for a space that is not a place to break the line

GROUPS = {
    "Tones": tones.KINDS,
    "Neighbourhoods": neighbourhood.KINDS,
    "Geometry": geometry.KINDS,
    "The spectrum": spectral.KINDS,
}

HEAD = f"""# Operations

Functions from image to image, written as a list that is applied from left to right:
`grayscale,blur:3,crop:10,10,50,50,flip:horizontal`. The workflow, the command line and the library
take the same text. This page is generated from the registry in
[`fft_tool/operations/`](../fft_tool/operations) by `python docs/operations_page.py`.

```python
import fft_tool as ft

pixels = ft.apply_operations("input_images/colour.png", "grayscale,blur:3,rotate:12.5")
```

![Every operation on one photograph](images/operations.png)

*`notch` and `destripe` are shown on the photograph with waves and stripes added: on the left
before, on the right after. [Drawn](operations_pictures.py) from NASA's portrait of Eileen Collins,
which scikit-image ships.*

## How to write them

- An operation is its name and, after a colon, its parameters. In the forms below, parts in square
  brackets may be left out.
- Commas separate operations where a letter follows, and parameters otherwise. Spaces around them
  and capital letters do not matter. `greyscale`, `equalize` and `posterise` are understood as well.
- A list has at most {MOST_OPERATIONS} operations and {MOST_CHARACTERS:,} characters.
- Every fault is reported at once, with the place in the list, the form that is expected, and the
  name that was probably meant. Sizes, memory and limits are checked against the image's header,
  before anything is decoded: a crop outside the image, a size that rounds to nothing or that
  exceeds a limit is refused.

## What holds for all of them

- 8 bits stay 8 bits, and 16 bits stay 16. Levels of 8 bits are computed in single precision, those
  of 16 bits in double precision, unless stated otherwise. White is the largest value of the
  source's depth, 4095 for 12 bits.
- Levels are used as stored, without gamma or colour profile.
- Grey images stay grey, except by `sepia`. Operations on tones leave alpha as it is.
- The result does not depend on the number of threads.
- Files tell their source's SHA-256 and the operations in their texts, and the pixel size if the
  source does.
"""


def page() -> str:
    """Generate the text of the page."""
    return HEAD + "".join(map(_group, GROUPS))


def _group(title: str) -> str:
    return f"\n## {title}\n" + "".join(map(_entry, GROUPS[title]))


def _entry(kind: type[Operation]) -> str:
    forms = " or ".join(f"`{form}`" for form in kind.form.split(" or "))
    examples = ", ".join(f"`{text}`" for text in kind.examples if text != kind.form)
    shown = f"{forms}, for example {examples}" if examples else forms
    text = f"{kind.help[0].upper()}{kind.help[1:]}. {kind.details}"
    return f"\n### {kind.name}\n\n{shown}\n\n{_wrapped(text)}\n"


def _wrapped(text: str) -> str:
    """Break lines between words, but not within code."""
    whole = _CODE.sub(lambda code: code[0].replace(" ", _FIXED), text)
    lines = textwrap.fill(whole, 100, break_long_words=False, break_on_hyphens=False)
    return lines.replace(_FIXED, " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
