"""The baseline for the handler's time, in the same kind of process: the core alone, and S3 alone.

``python -m awslambdaric yardstick.handle``; returns seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the handler, before numpy is loaded

import fft_tool
from fft_tool.stores.opening import open_store


def handle(event: dict[str, Any], _: object) -> list[float]:
    """Run one of the functions below, named by ``do``."""
    wanted = event.pop("do")
    return core(**event) if wanted == "core" else s3(**event)


def core(path: str, threads: int, record: bool) -> list[float]:
    """Make all outputs of an image file; with a record, this is the handler's default recipe."""
    source = fft_tool.Source("image.png", Path(path).read_bytes())
    recipe = fft_tool.Recipe(metadata=record)
    start = time.perf_counter()
    fft_tool.run(source, recipe, threads=threads)
    return [time.perf_counter() - start]


def s3(client: str, method: str, size: int, repeats: int) -> list[float]:
    """Put or get an object of ``size`` bytes, with our store or with boto3."""
    put, get = {"ours": _store, "boto3": _boto3}[client]()
    data = os.urandom(size)
    put(data)
    call = {"put": lambda: put(data), "get": get}[method]
    return [_seconds(call) for _ in range(repeats)]


def _store() -> tuple[Callable[[bytes], object], Callable[[], object]]:
    store = open_store("s3://bucket")
    return lambda data: store.write("object", data), lambda: store.read("object").data


def _boto3() -> tuple[Callable[[bytes], object], Callable[[], object]]:
    import boto3  # noqa: PLC0415  (not loaded when timing the core)

    place = {"Bucket": "bucket", "Key": "object"}
    client = boto3.client("s3")

    def get() -> object:
        return client.get_object(**place)["Body"].read()

    return lambda data: client.put_object(Body=data, **place), get


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
