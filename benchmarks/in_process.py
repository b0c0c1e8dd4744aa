"""Measurements in this process: whole analyses, and transforms alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from admission import Candidate, refused
from contenders import (
    OURS,
    PAINTERS,
    TRANSFORMERS,
    Array,
    Call,
    Painter,
    Transformer,
    codes_of,
    floor_pieces,
    installed,
    paint_ours,
)
from images import decoded, pink_file
from measure import Times, race
from plan import Plan
from reference import Reference, check_pictures, check_transform
from rows import cost_row, seconds_text, shape_text, speed_row
from table import Goal, Row, Section

PICTURE_GOALS = {"plain script": Goal("≥", 10), "OpenCV": Goal("≥", 2.5)}
FLOOR_GOAL = Goal("≤", 1.25)
TRANSFORM_GOAL = Goal("≤", 1.5)

_FFT = " FFT"  # distinguishes a transform of the floor from a painter of the same name


def pictures(plan: Plan) -> Section:
    """From PNG bytes to magnitude and phase PNG bytes."""
    return Section(
        "From PNG bytes to the PNG bytes of magnitude and phase",
        "8-bit grey, in process. The plain script is numpy and Pillow, see "
        "`benchmarks/scripts/plain.py`; the floor is the sum of the best times of the necessary "
        "steps: Pillow's decoding, the fastest installed transform, and ISA-L's deflate at level 1 "
        "of both finished pictures; the goal is for deflating one after the other.",
        tuple(row for side in plan.picture_sides for row in _picture_rows(side, plan)),
    )


def _picture_rows(side: int, plan: Plan) -> list[Row]:
    data, what = pink_file(side), shape_text(side, side)
    pixels = decoded(data)
    absent = _refused_painters(data, Reference.of(pixels))
    calls = {peer.name: partial(peer.paint, data) for peer in PAINTERS if peer.name not in absent}
    pieces = floor_pieces(data, codes_of(*paint_ours(data)))
    times = race({**calls, **pieces, **_floor_transforms(pixels)}, plan.effort)
    ours = times[OURS]
    return [
        *(
            speed_row(what, ours, name, absent.get(name) or times[name], goal)
            for name, goal in PICTURE_GOALS.items()
        ),
        *_floor_rows(what, times),
    ]


def _refused_painters(data: bytes, truth: Reference) -> dict[str, str]:
    def check(peer: Painter) -> None:
        check_pictures(codes_of(*peer.paint(data)), truth, peer.look)

    return refused(
        Candidate(peer.name, installed(peer.module), partial(check, peer)) for peer in PAINTERS
    )


def _floor_transforms(pixels: Array) -> dict[str, Call]:
    """Every installed transform but ours that gives the right result."""
    image = pixels.astype(np.float32)
    left_out = {OURS, *_refused_transformers(image)}
    peers = (peer for peer in TRANSFORMERS if peer.name not in left_out)
    return {peer.name + _FFT: peer.prepare(image) for peer in peers}


def _floor_rows(what: str, times: Mapping[str, Times]) -> list[Row]:
    fastest = min((name for name in times if name.endswith(_FFT)), key=lambda n: times[n].best)
    one_by_one = times["deflate magnitude"].best + times["deflate phase"].best
    at_once = times["deflate both at once"].best

    def row(peer: str, deflate: float, goal: Goal | None) -> Row:
        pieces = {"decode": times["decode"].best, fastest: times[fastest].best, "deflate": deflate}
        whole = Times((sum(pieces.values()),))
        parts = ", ".join(f"{name} {seconds_text(seconds)}" for name, seconds in pieces.items())
        found = cost_row(what, times[OURS], peer, whole, goal)
        return replace(found, its=f"{found.its}: {parts}")

    return [
        row("floor", one_by_one, FLOOR_GOAL),
        row("floor, deflating both at once", at_once, None),
    ]


def transforms(plan: Plan) -> Section:
    """Real images to half spectra."""
    return Section(
        "The transform alone",
        "From a float32 array to its half spectrum, in process, two threads for every contender "
        "that can use them. The goal is for the fastest of ducc0, MKL, FFTW (planned beforehand, "
        "FFTW_ESTIMATE) and OpenCV at each size; peers are listed by their times. MKL's "
        "threads sleep between calls (KMP_BLOCKTIME=0): otherwise they would occupy the next "
        "contender's core.",
        tuple(row for shape in plan.transform_shapes for row in _transform_rows(shape, plan)),
    )


def _transform_rows(shape: tuple[int, int], plan: Plan) -> list[Row]:
    image = np.random.default_rng(0).random(shape, dtype=np.float32) * 255
    absent = _refused_transformers(image)
    there = [peer for peer in TRANSFORMERS if peer.name not in absent]
    times = race({peer.name: peer.prepare(image) for peer in there}, plan.effort)
    peers = sorted((p for p in there if p.name != OURS), key=lambda peer: times[peer.name].best)
    fastest = next((peer.name for peer in peers if peer.rival), None)
    what, ours = shape_text(*shape), times[OURS]
    return [
        *(
            cost_row(
                what,
                ours,
                peer.name,
                times[peer.name],
                TRANSFORM_GOAL if peer.name == fastest else None,
            )
            for peer in peers
        ),
        *(cost_row(what, ours, name, reason) for name, reason in absent.items()),
    ]


def _refused_transformers(image: Array) -> dict[str, str]:
    expected = np.fft.rfft2(image.astype(np.float64))

    def check(peer: Transformer) -> None:
        check_transform(peer.unpack(peer.prepare(image)()), expected)

    return refused(
        Candidate(peer.name, installed(peer.module), partial(check, peer)) for peer in TRANSFORMERS
    )
