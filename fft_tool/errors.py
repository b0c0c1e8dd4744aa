"""All errors that are not bugs of this project.

::

    FftToolError
    ├── RecipeError               bad-recipe        every faulty key at once
    ├── ImageError
    │   ├── EmptyImage            empty-image
    │   ├── UnknownFormat         unknown-format
    │   ├── CorruptImage          corrupt-image
    │   └── UnsupportedImage      unsupported-image
    ├── LimitExceeded
    │   ├── TooManyBytes          too-many-bytes
    │   ├── TooManyPixels         too-many-pixels
    │   ├── TooMuchMemory         too-much-memory
    │   ├── TooCostly             too-costly
    │   └── TooMuchOutput         too-much-output
    ├── CropOutside               crop-outside
    ├── BrokenOff
    │   ├── Killed                killed
    │   ├── OutOfMemory           out-of-memory
    │   └── TookTooLong           took-too-long
    ├── UsageError                usage
    ├── AmbiguousSources          ambiguous-sources
    ├── ArtifactError
    │   ├── BadArtifact           bad-artifact
    │   ├── ChangedArtifact       changed-artifact
    │   └── NotInvertible         not-invertible
    ├── MissingExtra              missing-extra
    └── StoreError
        ├── NotFound              not-found
        ├── NoSuchBucket          no-such-bucket
        ├── NotAllowed            not-allowed
        ├── StoreFull             store-full
        └── StoreUnavailable      store-unavailable  (the only one worth trying again)

Each leaf has a stable ``code`` for machines. Its class says what to do about it:
``permanent``, that the source or its recipe is at fault and no other attempt can succeed;
``transient``, that trying again later may help. ``str(error)`` is a sentence for the operator, who
may read of folders, buckets and settings; ``error.public`` is one for everybody. Doors map these,
not leaves, to exit codes, HTTP statuses and retry decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class FftToolError(Exception):
    """Base of every error that a caller is expected to handle."""

    code: ClassVar[str] = "error"
    permanent: ClassVar[bool] = False
    transient: ClassVar[bool] = False

    # What everybody may read in place of the message; None where that names nothing private.
    _public: ClassVar[str | None] = None

    @property
    def public(self) -> str:
        """A sentence that names no folder, no bucket and no setting."""
        return str(self) if self._public is None else self._public


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty entry of a recipe: its key, the value given, and what is allowed."""

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key}={self.value!r}: {self.allowed}"


class RecipeError(FftToolError):
    """The recipe has one or more faults; all of them are in ``faults``."""

    code = "bad-recipe"
    permanent = True

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[RecipeError], tuple[tuple[Fault, ...]]]:
        # Exceptions are rebuilt from ``args``, which here is the sentence and not the faults.
        return type(self), (self.faults,)


class ImageError(FftToolError):
    """The source is not an image that can be analysed."""

    permanent = True


class EmptyImage(ImageError):
    """The source has no bytes."""

    code = "empty-image"


class UnknownFormat(ImageError):
    """The source's content is in none of the accepted formats."""

    code = "unknown-format"


class CorruptImage(ImageError):
    """The source is truncated, has a wrong checksum or cannot be decoded."""

    code = "corrupt-image"


class UnsupportedImage(ImageError):
    """The source is sound, but decoding it would lose information."""

    code = "unsupported-image"


class LimitExceeded(FftToolError):
    """The source is larger than this door accepts."""

    permanent = True


class TooManyBytes(LimitExceeded):
    """The source has more bytes than allowed."""

    code = "too-many-bytes"


class TooManyPixels(LimitExceeded):
    """The source's header announces more pixels than allowed."""

    code = "too-many-pixels"


class TooMuchMemory(LimitExceeded):
    """Analysing the source would take more memory than allowed."""

    code = "too-much-memory"


class TooCostly(LimitExceeded):
    """Decoding the source would cost far more than its pixels do."""

    code = "too-costly"


class TooMuchOutput(LimitExceeded):
    """The artifacts of the source would have more bytes than allowed."""

    code = "too-much-output"


class CropOutside(FftToolError):
    """The crop asks for pixels that the source does not have."""

    code = "crop-outside"
    permanent = True


class BrokenOff(FftToolError):
    """The work on a source was broken off, for a reason that could not be foreseen."""

    _public = "the work on this image was broken off"


class Killed(BrokenOff):
    """The process that worked on the source crashed, or was killed for the memory that it took."""

    code = "killed"


class TookTooLong(BrokenOff):
    """The process that worked on the source was killed at its deadline."""

    code = "took-too-long"


class UsageError(FftToolError):
    """Options that do not go together."""

    code = "usage"
    _public = "the options do not go together"


class OutOfMemory(BrokenOff):
    """There was not enough memory for the source."""

    code = "out-of-memory"


class AmbiguousSources(FftToolError):
    """Two sources of one run would have outputs of the same name."""

    _public = "two of the images would have results of the same name"

    code = "ambiguous-sources"


class ArtifactError(FftToolError):
    """Artifacts cannot be turned back into an image."""

    permanent = True


class BadArtifact(ArtifactError):
    """An artifact is missing, is not what the record says, or does not fit the others."""

    code = "bad-artifact"
    _public = "one of the results is missing, damaged, or does not belong to the others"


class ChangedArtifact(ArtifactError):
    """An artifact is not the file that the record was written for."""

    code = "changed-artifact"
    _public = "one of the results does not belong to the others"


class NotInvertible(ArtifactError):
    """The artifacts are sound, but do not hold enough to give the source back."""

    code = "not-invertible"


class MissingExtra(FftToolError):
    """A package is needed that is not installed by default."""

    code = "missing-extra"
    _public = "this cannot be done here"


class StoreError(FftToolError):
    """A store did not give or take an object."""

    _public = "the storage cannot be used"


class NotFound(StoreError):
    """The object does not exist."""

    code = "not-found"
    _public = "there is no such object"


class NoSuchBucket(StoreError):
    """The bucket does not exist, so that none of its objects can."""

    code = "no-such-bucket"


class NotAllowed(StoreError):
    """The store refuses access."""

    code = "not-allowed"


class StoreFull(StoreError):
    """There is no room left where the artifact should go."""

    code = "store-full"


class StoreUnavailable(StoreError):
    """The store is slow, throttled or gone: worth trying again later."""

    code = "store-unavailable"
    transient = True
    _public = "the storage does not answer: try again in a moment"
