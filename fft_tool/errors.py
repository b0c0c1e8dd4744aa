"""All errors that are not bugs in this project.

::

    FftToolError
    ├── RecipeError               bad-recipe        reports every invalid key at once
    ├── OperationsError           bad-operations    the same for a list of operations
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
    ├── DifferentSizes            different-sizes
    ├── Aborted
    │   ├── Killed                killed
    │   ├── OutOfMemory           out-of-memory
    │   └── TookTooLong           took-too-long
    ├── UsageError                usage
    ├── SettingsError             bad-settings      reports every fault at once
    ├── AmbiguousSources          ambiguous-sources
    ├── ArtifactError
    │   ├── BadArtifact           bad-artifact
    │   ├── ChangedArtifact       changed-artifact
    │   └── NotInvertible         not-invertible
    ├── BadJob                    bad-job           reports every fault at once
    ├── JobChanged                job-changed
    ├── Superseded                later-version       (worth retrying)
    ├── MissingExtra              missing-extra
    ├── DatabaseError
    │   ├── BadDatabase           bad-database
    │   ├── RevisionTaken         revision-taken
    │   └── DatabaseUnavailable   database-unavailable  (worth retrying)
    ├── EngineError
    │   ├── EngineRefused         engine-refused
    │   └── EngineUnavailable     engine-unavailable    (worth retrying)
    └── StoreError
        ├── NotFound              not-found
        ├── NoSuchBucket          no-such-bucket
        ├── NotAllowed            not-allowed
        ├── StoreFull             store-full
        └── StoreUnavailable      store-unavailable  (worth retrying)

Each leaf class has a stable, machine-readable ``code``. Two flags say how to handle it:
``permanent`` means that the source or its recipe is at fault and a retry cannot succeed;
``transient`` means that a retry may succeed. ``str(error)`` is for the operator and may name
folders, buckets and settings; ``error.public`` is safe to show to anyone. The command line, the
Lambda and the HTTP service map these attributes, not individual classes, to exit codes, HTTP
statuses and retry decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class FftToolError(Exception):
    """Base class of every error that a caller is expected to handle.

    >>> import fft_tool as ft
    >>> try:
    ...     ft.decode(b"")
    ... except ft.FftToolError as error:
    ...     print(error.code, error.permanent)
    empty-image True
    """

    code: ClassVar[str] = "error"
    permanent: ClassVar[bool] = False
    transient: ClassVar[bool] = False

    # The public message; None if the message itself reveals nothing private.
    _public: ClassVar[str | None] = None

    @property
    def public(self) -> str:
        """A message that names no folder, bucket or setting."""
        return str(self) if self._public is None else self._public


@dataclass(frozen=True, slots=True)
class RecipeFault:
    """One invalid entry of a recipe: its key, the value given, and what is allowed."""

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key}={self.value!r}: {self.allowed}"


class RecipeError(FftToolError):
    """The recipe is invalid; ``faults`` lists every invalid entry."""

    code = "bad-recipe"
    permanent = True

    def __init__(self, faults: Sequence[RecipeFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[RecipeError], tuple[tuple[RecipeFault, ...]]]:
        # By default, exceptions are unpickled from ``args``, which holds the message only.
        return type(self), (self.faults,)


@dataclass(frozen=True, slots=True)
class OperationFault:
    """One invalid entry of a list of operations: its place, counted from 1, and its text.

    Faults of the whole list have place 0 and no text.
    """

    place: int
    text: str
    problem: str

    def __str__(self) -> str:
        return (
            f"operation {self.place}, {self.text!r}: {self.problem}" if self.place else self.problem
        )


class OperationsError(FftToolError):
    """A list of operations is invalid, or does not suit the source; ``faults`` lists why."""

    code = "bad-operations"
    permanent = True

    def __init__(self, faults: Sequence[OperationFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[OperationsError], tuple[tuple[OperationFault, ...]]]:
        # As for RecipeError.
        return type(self), (self.faults,)


class ImageError(FftToolError):
    """The source is not an image that can be analysed."""

    permanent = True


class EmptyImage(ImageError):
    """The source has no bytes."""

    code = "empty-image"


class UnknownFormat(ImageError):
    """The source is not in any of the accepted formats."""

    code = "unknown-format"


class CorruptImage(ImageError):
    """The source is truncated, has a wrong checksum or cannot be decoded."""

    code = "corrupt-image"


class UnsupportedImage(ImageError):
    """The source is valid, but decoding it would lose information."""

    code = "unsupported-image"


class LimitExceeded(FftToolError):
    """The source exceeds a limit."""

    permanent = True


class TooManyBytes(LimitExceeded):
    """The source has more bytes than allowed."""

    code = "too-many-bytes"


class TooManyPixels(LimitExceeded):
    """The source's header declares more pixels than allowed."""

    code = "too-many-pixels"


class TooMuchMemory(LimitExceeded):
    """Analysing the source would take more memory than allowed."""

    code = "too-much-memory"


class TooCostly(LimitExceeded):
    """Decoding the source would cost far more than its size in pixels justifies."""

    code = "too-costly"


class TooMuchOutput(LimitExceeded):
    """The artifacts of the source would have more bytes than allowed."""

    code = "too-much-output"


class CropOutside(FftToolError):
    """The crop extends beyond the source."""

    code = "crop-outside"
    permanent = True


class DifferentSizes(FftToolError):
    """Two images cannot be compared pixel by pixel, because they differ in size."""

    code = "different-sizes"
    permanent = True


class Aborted(FftToolError):
    """Processing of a source was aborted for a reason that could not be predicted."""

    _public = "the processing of this image was aborted"


class Killed(Aborted):
    """The worker process crashed, or was killed because it used too much memory."""

    code = "killed"


class TookTooLong(Aborted):
    """The worker process was killed at its deadline."""

    code = "took-too-long"


class UsageError(FftToolError):
    """The options given cannot be combined."""

    code = "usage"
    _public = "the options cannot be combined"


class SettingsError(FftToolError):
    """One or more settings in the environment are wrong; ``faults`` lists all of them."""

    code = "bad-settings"
    _public = "the settings are wrong"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))

    def __reduce__(self) -> tuple[type[SettingsError], tuple[tuple[str, ...]]]:
        return type(self), (self.faults,)


class OutOfMemory(Aborted):
    """There was not enough memory to process the source."""

    code = "out-of-memory"


class AmbiguousSources(FftToolError):
    """Outputs of two sources in one run would have the same name."""

    _public = "the results of two of the images would have the same name"

    code = "ambiguous-sources"


class ArtifactError(FftToolError):
    """An image cannot be reconstructed from the artifacts."""

    permanent = True


class BadArtifact(ArtifactError):
    """An artifact is missing, differs from the record, or does not match the others."""

    code = "bad-artifact"
    _public = "one of the results is missing, damaged, or does not match the others"


class ChangedArtifact(ArtifactError):
    """An artifact is not the file that the record was written for."""

    code = "changed-artifact"
    _public = "one of the results does not belong to the others"


class NotInvertible(ArtifactError):
    """The artifacts are valid, but do not hold enough information to reconstruct the source."""

    code = "not-invertible"


class BadJob(FftToolError):
    """A job of batches cannot be counted as it is; ``faults`` lists every reason."""

    code = "bad-job"
    permanent = True

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))

    def __reduce__(self) -> tuple[type[BadJob], tuple[tuple[str, ...]]]:
        return type(self), (self.faults,)


class JobChanged(FftToolError):
    """An image of a job is not the one that was listed: the job has to be looked at again."""

    code = "job-changed"
    _public = "an image was changed in the meantime: try again"


class Superseded(FftToolError):
    """The source, or what is asked for it, has changed since the work on it began."""

    code = "later-version"
    transient = True
    _public = "a later version of this image has been uploaded"


class MissingExtra(FftToolError):
    """An optional package is required but not installed."""

    code = "missing-extra"
    _public = "this is not supported here"


class EngineError(FftToolError):
    """An engine that runs backfills cannot be used, or refuses what it was asked for."""

    _public = "the engine cannot be used"


class EngineRefused(EngineError):
    """The engine refuses a request, or does not know what it is about."""

    code = "engine-refused"


class EngineUnavailable(EngineError):
    """The engine cannot be reached, or is throttled; a later attempt may succeed."""

    code = "engine-unavailable"
    transient = True
    _public = "the engine does not answer: try again in a moment"


class DatabaseError(FftToolError):
    """Writing to a database failed."""

    _public = "the database cannot be used"


class BadDatabase(DatabaseError):
    """The address, the credentials or the contents of the database are not what they should be."""

    code = "bad-database"


class RevisionTaken(DatabaseError):
    """The database holds other rows under the same job and number of revision."""

    code = "revision-taken"


class DatabaseUnavailable(DatabaseError):
    """The database is away, overloaded or unreachable; a later attempt may succeed."""

    code = "database-unavailable"
    transient = True


class StoreError(FftToolError):
    """Reading from or writing to a store failed."""

    _public = "the storage cannot be used"


class NotFound(StoreError):
    """The object does not exist."""

    code = "not-found"
    _public = "there is no such object"


class NoSuchBucket(StoreError):
    """The bucket does not exist, and so neither do any objects in it."""

    code = "no-such-bucket"


class NotAllowed(StoreError):
    """The store denies access."""

    code = "not-allowed"


class StoreFull(StoreError):
    """There is no space left in the store."""

    code = "store-full"


class StoreUnavailable(StoreError):
    """The store is slow, throttled or unreachable; a later attempt may succeed."""

    code = "store-unavailable"
    transient = True
    _public = "the storage is not responding: try again in a moment"
