"""Comparing an image with an asset."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from fft_tool.results import likeness
from service.access import CallerHere, PartsHere
from service.catalogue import comparison
from service.problems import responses
from service.routes.catalogue import AssetId
from service.uploads import Form, described, form_of

ROUTER = APIRouter(tags=["catalogue"])

CompareForm = Annotated[Form, form_of(files=("file",))]
Frequency = Annotated[float | None, Field(ge=0, le=0.5)]


class Likeness(BaseModel):
    """How much the pixels of two images are alike, by their grey levels."""

    width: int = Field(description="pixels at which they were compared", examples=[400])
    height: int = Field(description="pixels at which they were compared", examples=[300])
    fitted: bool = Field(
        description="whether they differed in size, and were scaled down to a common one: the "
        "smaller of their widths by the smaller of their heights"
    )
    identical: bool = Field(description="whether all grey levels are equal")
    psnr_db: float | None = Field(
        description="peak signal-to-noise ratio in dB; null if they are identical", examples=[34.2]
    )
    range: int = Field(description="the peak: the largest grey level", examples=[255])
    ssim: float | None = Field(
        le=1,
        description="mean structural similarity; null if a side is shorter than 7 pixels",
        examples=[0.93],
    )
    hash_distance: int = Field(
        ge=0, le=64, description="bits in which the perceptual hashes differ", examples=[2]
    )


class PresetLikeness(Likeness):
    """How much two images are alike in the size of a preset, before they are encoded."""

    preset: str = Field(examples=["card"])


class Shift(BaseModel):
    """Where the uploaded image shows what the asset shows."""

    right: float = Field(description="pixels by which it lies further to the right")
    down: float = Field(description="pixels by which it lies further down")
    peak: float = Field(
        ge=-1, le=1, description="height of the correlation's peak: 1 for a mere shift"
    )
    reliable: bool = Field(
        description="whether fewer than one in 1000 pairs of unrelated images reach such a peak"
    )


class Resolution(BaseModel):
    """Frequencies in cycles per pixel up to which both agree: 0.5 is Nyquist, null is nowhere."""

    model_config = ConfigDict(populate_by_name=True)

    fixed: Frequency = Field(alias="0.143", description="by the threshold 1/7")
    half_bit: Frequency = Field(alias="half-bit", description="by the threshold of half a bit")


class RingCorrelation(BaseModel):
    """Fourier ring correlation: how much both agree at each frequency."""

    frequency: list[float] = Field(description="in cycles per pixel")
    correlation: list[float] = Field(description="from -1 to 1, at each frequency")
    half_bit: list[float] = Field(description="the threshold of half a bit, at each frequency")
    resolution: Resolution


class Originals(Likeness):
    """How much the images as they came are alike."""

    mean_difference: float = Field(description="mean absolute difference in grey levels")
    max_difference: float = Field(description="largest absolute difference in grey levels")
    correlation: float | None = Field(
        ge=-1, le=1, description="of the pixels; null if an image is constant"
    )
    shift: Shift | None = Field(description="null if an image is constant")
    ring_correlation: RingCorrelation


class Compared(BaseModel):
    """How much an image is like an asset."""

    asset_id: int = Field(examples=[1])
    presets: list[PresetLikeness] = Field(description="as they are shown, in each preset's size")
    originals: Originals

    @classmethod
    def of(cls, found: comparison.Compared) -> Compared:
        """Model of what the catalogue returns."""
        whole = found.originals
        return cls(
            asset_id=found.asset_id,
            presets=[
                PresetLikeness(preset=name, **_shared(each)) for name, each in found.presets.items()
            ],
            originals=Originals(
                **_shared(whole.likeness),
                mean_difference=whole.likeness.mean_difference,
                max_difference=whole.likeness.max_difference,
                correlation=whole.likeness.correlation,
                shift=None if whole.shift is None else Shift(**whole.shift.to_json()),
                ring_correlation=RingCorrelation.model_validate(whole.rings.to_json()),
            ),
        )


@ROUTER.post(
    "/compare/{asset_id}",
    operation_id="compare",
    summary="Compare an image with an asset",
    responses=responses(401, 404, 408, 413, 415, 422, 503, 507),
    openapi_extra=described(
        files={"file": "the image to compare, of which nothing is kept"}, fields={}
    ),
)
def compare(parts: PartsHere, caller: CallerHere, asset_id: AssetId, form: CompareForm) -> Compared:
    """Tell how much an image is like an asset, as it came and as it would be shown.

    Transparent parts are compared on white, and colours by their luma. Images of other sizes are
    compared, too: `fitted` says so. The resolution is a number only for images of one scene that
    are aligned: see `shift` first.
    """
    received = form.files["file"]
    found = comparison.compare(parts, asset_id, received.filename, received.path, caller.sees_only)
    return Compared.of(found)


def _shared(found: likeness.Likeness) -> dict[str, Any]:
    return {
        "width": found.width,
        "height": found.height,
        "fitted": found.fitted,
        "identical": found.identical,
        "psnr_db": found.psnr_db,
        "range": found.white,
        "ssim": found.ssim,
        "hash_distance": found.hash_distance,
    }
