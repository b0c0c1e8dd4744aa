"""The plain service: FastAPI and Pillow, written as such services usually are.

Decodes, makes three renditions and saves them before it answers: ``uvicorn plain_service:app``.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, UploadFile
from fastapi.responses import FileResponse
from PIL import Image, ImageOps

FOLDER = Path(os.environ["IMAGES"])
PRESETS = {"thumb": (100, 100), "card": (400, 400), "zoom": (1200, 1200)}

app = FastAPI()


@app.post("/upload/")
def upload(file: UploadFile, tenant_name: Annotated[str, Form()]) -> dict[str, str]:
    """Save an image and its renditions."""
    data = file.file.read()
    name = hashlib.sha256(data).hexdigest()
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    (FOLDER / name).write_bytes(data)
    for preset, size in PRESETS.items():
        copy = image.copy()
        copy.thumbnail(size, Image.Resampling.LANCZOS)
        copy.save(FOLDER / f"{name}_{preset}.jpg", quality=85)
    return {"asset_id": name, "tenant_name": tenant_name}


@app.get("/retrieve/rendition/{asset_id}/{preset}")
def retrieve_rendition(asset_id: str, preset: str) -> FileResponse:
    """Send a rendition."""
    path = FOLDER / f"{asset_id}_{preset}.jpg"
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path)
