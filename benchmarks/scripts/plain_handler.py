"""The plain handler: numpy, scipy, Pillow and boto3, written as such functions usually are.

``python -m awslambdaric plain_handler.handle``, invoked with S3's notifications.
"""

from __future__ import annotations

import io
import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

import boto3
import numpy as np
import scipy.fft
from numpy.typing import NDArray
from PIL import Image

s3 = boto3.client("s3")


def handle(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Process every object of the event."""
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        analyse(bucket, key)
        print(f"done: {key}")
    return {"statusCode": 200}


def analyse(bucket: str, key: str) -> None:
    """Write the magnitude, the phase and a few numbers of an image."""
    data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    image = np.array(Image.open(io.BytesIO(data)).convert("L"))

    spectrum = scipy.fft.fftshift(scipy.fft.fft2(image))
    magnitude = np.log1p(np.abs(spectrum))
    phase = np.angle(spectrum)

    base = f"output/{PurePosixPath(key).stem}"
    put(bucket, f"{base}_magnitude.png", as_png(magnitude), "image/png")
    put(bucket, f"{base}_phase.png", as_png(phase), "image/png")
    put(bucket, f"{base}_metadata.json", as_json(image), "application/json")


def as_png(values: NDArray[Any]) -> bytes:
    """Stretch values to 0 to 255 and write them with Pillow's defaults."""
    low, high = values.min(), values.max()
    codes = ((values - low) / (high - low) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, format="PNG")
    return buffer.getvalue()


def as_json(image: NDArray[Any]) -> bytes:
    """Shape and range of the image."""
    height, width = image.shape
    numbers = {
        "width": width,
        "height": height,
        "min": int(image.min()),
        "max": int(image.max()),
        "mean": float(image.mean()),
    }
    return json.dumps(numbers).encode()


def put(bucket: str, key: str, data: bytes, content_type: str) -> None:
    """Write an object."""
    s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type)
