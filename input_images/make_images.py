"""Make the sample images: small pictures that each show something in their spectrum.

``python input_images/make_images.py [--out DIR]`` writes all of them, beside this script or into
``DIR``. The same library versions give the same bytes: every random number comes from a seeded
generator. What to look for in each spectrum stands in ``README.md``; the numbers it promises are
the constants below. Angles are in degrees, counter-clockwise from the x axis with y up.
"""

from __future__ import annotations

import argparse
import math
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.float64]
    Shape = tuple[int, int]

GRATING_PERIOD, GRATING_ANGLE, GRATING_SPREAD = 16.0, 30.0, 32.0
THREAD_PITCH, WEAVE_TILT = 0.52, 0.4
BANDING_PERIOD, BANDING_AMPLITUDE, ROW_NOISE = 8.0, 12.0, 4.0
LINE_PITCH, PAGE_SKEW = 18, 3.0
MOTION_LENGTH, MOTION_ANGLE = 15.0, 30.0
ZONE_PLATE_SIZE = 400
PARTICLE_SPACING, PARTICLE_ANGLE, METRES_PER_PIXEL = 12.0, 8.0, 5e-9
SCREEN_PERIOD = 6.0
SCREEN_ANGLES = {"cyan": 15.0, "magenta": 75.0, "yellow": 0.0, "black": 45.0}

TEXT = """
Every picture is a sum of waves. Some are broad and slow, like the light that falls from one \
side of a room to the other; some are narrow and quick, like the threads of a cloth or the bars \
of a grating. The Fourier transform weighs them one by one and writes down, for each, how strong \
it is and where its crests lie. Nothing is lost on the way: add the waves again, each with its \
own strength and shift, and the picture returns. In December 1807 Joseph Fourier read a memoir \
on the flow of heat to the Institute in Paris and claimed that any curve, even one with corners, \
could be written as a series of sines and cosines. Lagrange did not believe it. What was missing \
was not the idea but its limits, and a century of careful analysis went into finding them. The \
fast way to do the sums is older than the doubt: Gauss used it in 1805 to follow the orbits of \
small planets, and left it in a drawer. Cooley and Tukey found it again in 1965, when computers \
had made it worth having. A page of print is a grating too. Its lines repeat at an even pitch, \
so the spectrum shows a row of spots that stands square to the lines; if the page lies askew, \
the row of spots leans by the same angle, and a scanner can set it straight.
"""

# Right ascension in hours, declination in degrees, magnitude; neighbours are joined by a line.
CONSTELLATIONS = {
    "Ursa Major": "12.26 57.0 3.3  11.06 61.8 1.8  11.03 56.4 2.3  11.90 53.7 2.4  12.26 57.0 3.3"
    "  12.90 56.0 1.8  13.40 54.9 2.2  13.79 49.3 1.9",
    "Ursa Minor": "2.53 89.3 2.0  17.54 86.6 4.4  16.77 82.0 4.2  15.73 77.8 4.3  14.85 74.2 2.1"
    "  15.35 71.8 3.0  16.29 75.8 4.9  15.73 77.8 4.3",
    "Cassiopeia": "0.15 59.1 2.3  0.68 56.5 2.2  0.95 60.7 2.5  1.43 60.2 2.7  1.91 63.7 3.4",
    "Cepheus": "21.31 62.6 2.4  21.48 70.6 3.2  23.66 77.6 3.2  22.83 66.2 3.5  22.18 58.2 3.4"
    "  21.31 62.6 2.4",
    "Draco": "11.52 69.3 3.8  12.56 69.8 3.9  14.07 64.4 3.7  15.42 59.0 3.3  16.03 58.6 4.0"
    "  16.40 61.5 2.7  17.15 65.7 3.2  18.35 72.7 3.6  19.80 70.3 3.8  19.21 67.7 3.1"
    "  17.89 56.9 3.7  17.94 51.5 2.2  17.51 52.3 2.8  17.54 55.2 4.9  17.89 56.9 3.7",
    "Cygnus": "20.69 45.3 1.3  20.37 40.3 2.2  19.94 35.1 3.9  19.51 28.0 3.1",
    "Wings": "19.75 45.1 2.9  20.37 40.3 2.2  20.77 34.0 2.5",
    "Lyra": "18.62 38.8 0.0  18.75 37.6 4.3  18.83 33.4 3.5  18.98 32.7 3.3  18.91 36.9 4.3"
    "  18.75 37.6 4.3",
    "Auriga": "5.28 46.0 0.1  5.99 44.9 1.9  5.99 37.2 2.7  5.44 28.6 1.7  4.95 33.2 2.7"
    "  5.28 46.0 0.1",
    "Perseus": "2.84 55.9 3.8  3.08 53.5 2.9  3.41 49.9 1.8  3.72 47.8 3.0  3.96 40.0 2.9"
    "  3.90 31.9 2.9",
    "Algol": "3.41 49.9 1.8  3.14 41.0 2.1",
    "Andromeda": "2.06 42.3 2.1  1.16 35.6 2.1  0.66 30.9 3.3  0.14 29.1 2.1",
    "Gemini": "7.58 31.9 1.6  7.76 28.0 1.1",
}

RED, GOLD, WHITE = (0.93, 0.16, 0.15), (1.0, 0.8, 0.12), (0.98, 0.95, 0.9)
BLUE, TEAL = (0.13, 0.22, 0.62), (0.05, 0.62, 0.60)
BALLOONS = (  # x, y and radius from the middle in pixels, and the cloth's two colours
    ((-95, 62, 84), (RED, GOLD)),
    ((88, 66, 50), (BLUE, WHITE)),
    ((180, 110, 26), (TEAL, GOLD)),
    ((25, -12, 20), (WHITE, RED)),
)
HILLS = (  # height, relief and colour, from the farthest to the nearest
    (-70, 10, (0.62, 0.42, 0.62)),
    (-100, 15, (0.40, 0.25, 0.50)),
    (-135, 11, (0.16, 0.16, 0.34)),
)


def grid(shape: Shape) -> tuple[Plane, Plane]:
    """Pixel coordinates from the centre pixel, x to the right and y up."""
    height, width = shape
    x = np.arange(width, dtype=np.float64)[None, :] - width // 2
    y = height // 2 - np.arange(height, dtype=np.float64)[:, None]
    return x, y


def along(x: Plane, y: Plane, angle: float) -> Plane:
    """Coordinate in the direction of ``angle``."""
    return x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))


def fractal(rng: np.random.Generator, shape: Shape, exponent: float) -> Plane:
    """Noise of unit variance whose amplitude spectrum falls as frequency to the -exponent."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = np.inf
    half = np.fft.rfft2(rng.standard_normal(shape)) * frequency**-exponent
    noise = np.fft.irfft2(half, s=shape)
    noise /= noise.std()
    return noise


def sampled(plane: Plane, x: Plane, y: Plane) -> Plane:
    """Bilinear samples of a plane that repeats in both directions."""
    height, width = plane.shape
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    tx, ty = x - left, y - top
    rows, columns = (top % height, (top + 1) % height), (left % width, (left + 1) % width)
    upper: Plane = plane[rows[0], columns[0]] * (1 - tx) + plane[rows[0], columns[1]] * tx
    lower: Plane = plane[rows[1], columns[0]] * (1 - tx) + plane[rows[1], columns[1]] * tx
    return upper * (1 - ty) + lower * ty


def reduced(plane: Plane, factor: int) -> Plane:
    """Means over blocks of ``factor`` by ``factor`` pixels."""
    height, width = plane.shape
    blocks = plane.reshape(height // factor, factor, width // factor, factor)
    means: Plane = blocks.mean(axis=(1, 3))
    return means


def crisp(plane: Plane, amount: float) -> Plane:
    """Sharpen as cameras do: add to each pixel its excess over its four neighbours."""
    wide = np.pad(plane, 1, mode="edge")
    around = (wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]) / 4
    return plane + amount * (plane - around)


def grey(plane: Plane) -> Image.Image:
    """8-bit grey image of a plane in grey levels."""
    return Image.fromarray(np.clip(np.rint(plane), 0, 255).astype(np.uint8))


def spots(shape: Shape, each: Iterable[Sequence[float]], softness: float) -> Plane:
    """Round soft-edged spots on zero ground: x, y, radius and strength of each; largest wins."""
    plane = np.zeros(shape)
    x, y = grid(shape)
    for centre_x, centre_y, radius, strength in each:
        reach = radius + 9 * softness
        column = int(centre_x - x[0, 0] - reach), int(centre_x - x[0, 0] + reach) + 2
        row = int(y[0, 0] - centre_y - reach), int(y[0, 0] - centre_y + reach) + 2
        across, down = slice(max(column[0], 0), column[1]), slice(max(row[0], 0), row[1])
        distance = np.hypot(x[:, across] - centre_x, y[down] - centre_y)
        spot = strength / (1 + np.exp((distance - radius) / softness))
        np.maximum(plane[down, across], spot, out=plane[down, across])
    return plane


def stroke(distance: Plane, width: float) -> Plane:
    """Anti-aliased coverage of a line of ``width`` at ``distance`` from its middle."""
    return np.clip(width / 2 + 0.5 - distance, 0, 1)


def printed(
    shape: Shape, words: Iterable[tuple[float, float, str]], size: int, anchor: str, skew: float
) -> Plane:
    """Ink coverage of words at x, y (down), drawn four times too large to be smooth."""
    page = Image.new("L", (4 * shape[1], 4 * shape[0]))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(4 * size)
    for x, y, word in words:
        pen.text((4 * x, 4 * y), word, fill=255, font=font, anchor=anchor)
    page = page.rotate(skew, Image.Resampling.BICUBIC)
    return reduced(np.asarray(page, dtype=np.float64) / 255, 4)


def grating() -> Image.Image:
    """Sinusoidal grating under a Gaussian envelope, with slight noise."""
    shape = (320, 388)
    noise = 3.0 * np.random.default_rng(1).standard_normal(shape)
    x, y = grid(shape)
    envelope = np.exp(-(x**2 + y**2) / (2 * GRATING_SPREAD**2))
    phase = 2 * np.pi * along(x, y, GRATING_ANGLE) / GRATING_PERIOD
    return grey(127.5 + 90 * envelope * np.cos(phase) + noise)


def fabric_moire() -> Image.Image:
    """Plain weave of twisted yarn, nearly two threads to a pixel, sampled at points."""
    shape = (384, 480)
    rng = np.random.default_rng(2)
    x, y = grid(shape)
    stretch, fold = fractal(rng, shape, 3.4), fractal(rng, shape, 3.4)
    u = (along(x, y, WEAVE_TILT) + 0.10 * stretch) / THREAD_PITCH
    v = (along(x, y, WEAVE_TILT + 90) + 0.10 * fold) / THREAD_PITCH
    warp_on_top = (np.floor(u) + np.floor(v)) % 2 == 0
    side, length = np.where(warp_on_top, (u, v), (v, u)) % 1 - 0.5
    profile = np.sqrt(np.clip(1 - (side / 0.47) ** 2, 0, 1))
    crown = 0.55 + 0.45 * np.cos(np.pi * length)
    twist = 1 + 0.12 * np.cos(2 * np.pi * (3 * side + 2 * length))
    colour = np.where(warp_on_top, 205, 150) * (1 + 0.07 * fold) + 40 * side
    return grey(26 + colour * profile * crown * twist)


def terrain(rng: np.random.Generator, columns: int) -> tuple[Plane, Plane, Plane, Plane]:
    """Seen from a lake: depth (n, 1), height, light and roughness of the ground (n, columns)."""
    depth = np.geomspace(30, 1000, 1800)[:, None]
    x = 512 + (np.arange(columns)[None, :] / columns - 0.5) * depth
    size = (1024, 1024)
    relief = 0.72 + 0.17 * fractal(rng, size, 2.05) - 0.34 * np.abs(fractal(rng, size, 2.2))
    rough = fractal(rng, size, 1.0)

    def range_at(distance: float, breadth: float) -> Plane:
        return np.exp(-(((depth - distance) / breadth) ** 2))

    ranges = 22 * range_at(300, 60) + 80 * range_at(540, 100) + 255 * range_at(930, 190)
    height = sampled(np.clip(relief, 0, None), x, depth + 0 * x) * ranges - 4
    trees = np.clip((56 - height) / 40, 0, 1) * depth / 300
    height += 0.9 * trees * sampled(rough, 3 * x, 3 * depth + 0 * x)
    slope_x = np.gradient(height, axis=1) / np.gradient(x, axis=1)
    slope_z = np.gradient(height, axis=0) / np.gradient(depth, axis=0)
    light = (0.80 * slope_x + 0.42 + 0.20 * slope_z) / np.sqrt(1 + slope_x**2 + slope_z**2)
    return depth, height, np.clip(light, 0, 1), sampled(rough, x, depth + 0 * x)


def sky(rng: np.random.Generator, shape: Shape, horizon: float) -> Plane:
    """Clouds, flatter and denser towards the horizon."""
    down = (np.arange(shape[0])[:, None] + 0.5) / horizon
    wide = fractal(rng, (shape[0], shape[1] // 2), 1.55).repeat(2, axis=1)
    clouds = np.clip(0.50 * wide - 0.02, 0, 1) * np.clip(0.25 + down, 0, 1)
    clear = 0.34 + 0.48 * np.clip(down, 0, 1) ** 1.4
    lit: Plane = clear + (0.98 - clear) * clouds
    return lit


@cache
def landscape_plane() -> Plane:
    """Snow-capped ranges in haze behind a lake, in grey levels; drawn at twice its size."""
    rng = np.random.default_rng(20)
    rows, columns = 768, 1024
    horizon, eye = 0.60 * rows, 9.0
    depth, height, light, rough = terrain(rng, columns)
    snow = 1 / (1 + np.exp(-(height - 52 - 11 * rough) / 6)) * np.clip(3.5 * light, 0.25, 1)
    haze = 1 - np.exp(-((depth / 1250) ** 1.2))
    ground = (0.03 + light * (1 + 0.25 * rough) * (0.16 + 1.15 * snow) + 0.06 * snow) * (
        1 - haze
    ) + 0.82 * haze

    # A pixel shows the nearest ground that stands as high as its row.
    skyline = horizon - (np.maximum(height, 0) - eye) / depth * columns * 1.05
    skyline = np.minimum.accumulate(skyline, axis=0)
    middle = np.arange(rows) + 0.5
    seen = np.stack([np.searchsorted(-c, -middle) for c in skyline.T], axis=1)
    nearest = np.minimum(seen, len(depth) - 1), np.arange(columns)[None, :]
    scene = np.where(seen < len(depth), ground[nearest], sky(rng, (rows, columns), horizon))

    below = np.clip(middle[:, None] - horizon, 0, None)
    ripple = 1 + 0.03 * fractal(rng, (rows, columns), 1.3)
    mirrored = np.clip(horizon - below * ripple, 0, horizon - 1).astype(np.intp)
    water = (seen < len(depth)) & (height[nearest] <= 0)
    scene = np.where(water, 0.03 + 0.74 * scene[mirrored, nearest[1]], scene)
    tone = (crisp(reduced(scene, 2), 0.5) - 0.10) / 0.90
    return 24 + 202 * np.clip(tone, 0, 1)


def landscape() -> Image.Image:
    """Show the landscape as it is."""
    return grey(landscape_plane())


def landscape_striped() -> Image.Image:
    """Show the landscape through a sensor whose rows have banding and offsets of their own."""
    clean = landscape_plane()
    rows = np.arange(clean.shape[0])
    banding = BANDING_AMPLITUDE * np.sin(2 * np.pi * rows / BANDING_PERIOD)
    offsets = ROW_NOISE * np.random.default_rng(4).standard_normal(len(rows))
    return grey(clean + (banding + offsets)[:, None])


def justified(text: str, left: float, right: float, size: int) -> list[list[tuple[float, str]]]:
    """Lines of (x, word) that fill the column; the last one is ragged."""
    font, space = ImageFont.load_default(4 * size), 4.0
    lines: list[list[tuple[float, str]]] = [[]]
    for word in text.split():
        width = font.getlength(word) / 4
        filled = sum(w + space for w, _ in lines[-1])
        if filled + width > right - left:
            lines.append([])
        lines[-1].append((width, word))
    for line in lines:
        slack = right - left - sum(width for width, _ in line)
        gap = space if line is lines[-1] else slack / (len(line) - 1)
        starts = np.cumsum([left] + [width + gap for width, _ in line[:-1]])
        line[:] = [(float(x), word) for x, (_, word) in zip(starts, line, strict=True)]
    return lines


def text() -> Image.Image:
    """Print a justified page and lay it askew."""
    lines = justified(TEXT, 44, 372, 12)
    words = [(x, 88 + n * LINE_PITCH, word) for n, line in enumerate(lines) for x, word in line]
    return grey(246 - 220 * printed((512, 416), words, 12, "ls", PAGE_SKEW))


def chart_stars(radius: float) -> list[list[tuple[float, float, float]]]:
    """Constellations as lists of x, y and magnitude, the pole in the middle, 25° at the rim."""
    paths = []
    for stars in CONSTELLATIONS.values():
        hours, declination, magnitude = np.array(stars.split(), dtype=float).reshape(-1, 3).T
        distance, angle = radius * (90 - declination) / 65, np.deg2rad(15 * hours)
        x, y = distance * np.cos(angle), distance * np.sin(angle)
        paths.append(list(zip(x.tolist(), y.tolist(), magnitude.tolist(), strict=True)))
    return paths


def milky_way(rng: np.random.Generator, x: Plane, y: Plane, radius: float) -> Plane:
    """Glow of the galaxy: a Gaussian of galactic latitude, mottled."""
    declination, right_ascension = np.deg2rad(90 - 65 * np.hypot(x, y) / radius), np.arctan2(y, x)
    pole = np.deg2rad(27.13)
    sine = np.sin(declination) * np.sin(pole) + np.cos(declination) * np.cos(pole) * np.cos(
        right_ascension - np.deg2rad(192.86)
    )
    mottle = np.clip(1 + 0.45 * fractal(rng, sine.shape, 1.5), 0.1, None)
    glow: Plane = np.exp(-((np.rad2deg(np.arcsin(sine)) / 9) ** 2)) * mottle
    return glow


def chart_frame(x: Plane, y: Plane, radius: float) -> Plane:
    """Circles of declination, meridians every two hours, rim and the hours' names."""
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    meridian = distance * np.abs(np.sin(6 * angle)) / 6
    net = stroke(meridian, 1) * (distance > radius * 15 / 65)
    for ring in (15, 30, 45, 60):
        net = np.maximum(net, stroke(np.abs(distance - radius * ring / 65), 1))
    rims = 150 * stroke(np.abs(distance - radius), 1.5)
    rims += 90 * stroke(np.abs(distance - radius - 24), 1)
    turns = np.deg2rad(15 * np.arange(0, 24, 2))
    across, down = 224 + (radius + 12) * np.cos(turns), 224 - (radius + 12) * np.sin(turns)
    names = [(a, d, f"{2 * n}h") for n, (a, d) in enumerate(zip(across, down, strict=True))]
    return 30 * net * (distance < radius) + rims + 190 * printed(net.shape, names, 11, "mm", 0)


@cache
def star_chart() -> Plane:
    """Chart of the northern sky in grey levels, dark all round."""
    shape, radius = (448, 448), 186.0
    rng = np.random.default_rng(6)
    x, y = grid(shape)
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    plane = 14 + disc * (16 + 52 * milky_way(rng, x, y, radius)) + chart_frame(x, y, radius)
    paths = chart_stars(radius)
    for path in paths:
        for (x0, y0, _), (x1, y1, _) in pairwise(path):
            run, rise = x1 - x0, y1 - y0
            t = np.clip(((x - x0) * run + (y - y0) * rise) / (run**2 + rise**2), 0, 1)
            line = stroke(np.hypot(x - x0 - t * run, y - y0 - t * rise), 1)
            plane += 0.55 * line * (215 - plane)
    named = [(sx, sy, 0.3 + 0.62 * (5 - m), 241.0) for path in paths for sx, sy, m in path]
    faint = rng.uniform(size=(3, 600))
    reach, turn, glow = radius * np.sqrt(0.98 * faint[0]), 2 * np.pi * faint[1], faint[2] ** 3
    others = zip(
        reach * np.cos(turn), reach * np.sin(turn), 0.3 + 0.5 * glow, 60 + 170 * glow, strict=True
    )
    return np.clip(np.maximum(plane, spots(shape, [*named, *others], 0.35)), 0, 255)


def sharp() -> Image.Image:
    """Show the star chart as it is."""
    return grey(star_chart())


def blurred() -> Image.Image:
    """Move the star chart along a straight line during the exposure."""
    chart = star_chart()
    x, y = grid(chart.shape)
    frequency = along(x / x.size, y / y.size, MOTION_ANGLE)
    transfer = np.fft.ifftshift(np.sinc(MOTION_LENGTH * frequency))
    return grey(np.fft.ifft2(np.fft.fft2(chart) * transfer).real)


def zone_plate() -> Image.Image:
    """cos(π r² / N), whose local frequency is 0.5 at the borders."""
    x, y = grid((ZONE_PLATE_SIZE, ZONE_PLATE_SIZE))
    return grey(127.5 + 120 * np.cos(np.pi * (x**2 + y**2) / ZONE_PLATE_SIZE))


def micrograph() -> Image.Image:
    """16-bit bright-field micrograph of a hexagonal array of nanoparticles on a thin film."""
    shape = (352, 400)
    rng = np.random.default_rng(9)
    i, j = np.mgrid[-30:31, -30:31].reshape(2, -1)
    flat_x, flat_y = PARTICLE_SPACING * (i + 0.5 * j), PARTICLE_SPACING * np.sqrt(0.75) * j
    x = along(flat_x, flat_y, -PARTICLE_ANGLE)
    y = along(flat_x, flat_y, 90 - PARTICLE_ANGLE)
    here = (np.abs(x) < 210) & (np.abs(y) < 186) & (rng.uniform(size=x.size) > 0.012)
    x, y = x[here] + rng.normal(0, 0.4, here.sum()), y[here] + rng.normal(0, 0.4, here.sum())
    radius, strength = rng.normal(4.3, 0.18, x.size), rng.uniform(0.55, 0.85, x.size)
    dark = spots(shape, zip(x, y, radius, strength, strict=True), 0.55)
    across, up = grid(shape)
    beam = np.exp(-((across + 60) ** 2 + (up - 50) ** 2) / (2 * 260**2))
    electrons = 900 * beam * (1 + 0.035 * fractal(rng, shape, 1.0)) * (1 - dark)
    electrons = rng.normal(electrons, np.sqrt(electrons))
    image = Image.fromarray(np.clip(np.rint(1500 + 61 * electrons), 0, 65535).astype(np.uint16))
    image.info["dpi"] = (0.0254 / METRES_PER_PIXEL,) * 2
    return image


def with_balloon(
    scene: Plane, x: Plane, y: Plane, place: tuple[float, float, float], cloth: Plane
) -> Plane:
    """Scene (h, w, 3) with a balloon of two colours at x, y, radius, lit from the left."""
    across, up = (x - place[0]) / place[2], (y - place[1]) / place[2]
    half = np.where(up > -0.5, np.sqrt(np.clip(1 - up**2, 1e-4, None)), 1.1545 + 0.577 * up)
    turn = np.arcsin(np.clip(across / np.maximum(half, 0.1), -1, 1))
    panel = np.floor(9 * (turn / np.pi + 0.5)) + (np.abs(up + 0.05) < 0.16)
    light = 0.42 + 0.58 * np.clip(0.9 * np.cos(turn + 0.5) + 0.25 * up, 0, 1)
    envelope = (np.abs(across) < half) & (np.abs(up + 0.25) < 1.25)
    rope = np.abs(np.abs(across) - 0.17 - 0.39 * (up + 1.78)) < 0.02
    basket = (np.abs(across) < 0.17) & (np.abs(up + 1.90) < 0.12)
    basket |= rope & (np.abs(up + 1.64) < 0.15)
    scene = np.where(envelope[..., None], cloth[(panel % 2).astype(int)] * light[..., None], scene)
    return np.where(basket[..., None], (0.25, 0.13, 0.08), scene)


def balloons(x: Plane, y: Plane) -> Plane:
    """Balloons over hills at sunset, 480 by 360, red, green and blue from 0 to 1."""
    t = np.clip(y / 280 + 0.36, 0, 1)[..., None] + 0 * x[..., None]
    scene = np.array((1.0, 0.74, 0.40)) * (1 - t) + np.array((0.22, 0.45, 0.82)) * t
    scene += np.array((0.24, -0.38, -0.05)) * t * (1 - t)
    sun = 0.9 * np.exp(-((x - 95) ** 2 + (y + 62) ** 2) / 9800)[..., None]
    scene += ((1.0, 0.95, 0.65) - scene) * sun
    rng = np.random.default_rng(11)
    for level, rise, tint in HILLS:
        line = level + 0 * x
        for k in range(1, 6):
            line += rise * np.sin((0.013 + 0.0013 * k) * k * x + rng.uniform(0, 6.3)) / k**1.2
        scene = np.where((y < line)[..., None], tint, scene)
    for place, cloth in BALLOONS:
        scene = with_balloon(scene, x, y, place, np.array(cloth))
    return np.clip(scene, 0, 1)


def colour() -> Image.Image:
    """Four-colour print: dots of ideal inks, each ink's screen at its own angle."""
    x, y = (axis / 3 for axis in grid((3 * 360, 3 * 480)))
    ink = 1 - balloons(x, y)
    black = 0.7 * ink.min(axis=2)
    coloured = (ink - black[..., None]) / (1 - black[..., None])
    plates = (*np.moveaxis(coloured, 2, 0), black)
    paper = {}
    for (name, angle), plate in zip(SCREEN_ANGLES.items(), plates, strict=True):
        across, up = along(x, y, angle), along(x, y, angle + 90)
        waves = sum(np.cos(2 * np.pi * axis / SCREEN_PERIOD) for axis in (across, up))
        paper[name] = np.where(waves / 4 + 0.5 > 1 - plate, 0.0, 1.0)
    channels = [reduced(paper[n] * paper["black"], 3) for n in ("cyan", "magenta", "yellow")]
    return Image.fromarray(np.rint(255 * np.stack(channels, axis=2)).astype(np.uint8))


IMAGES: dict[str, Callable[[], Image.Image]] = {
    "grating.png": grating,
    "fabric_moire.png": fabric_moire,
    "landscape.png": landscape,
    "landscape_striped.png": landscape_striped,
    "text.png": text,
    "sharp.png": sharp,
    "blurred.png": blurred,
    "zone_plate.png": zone_plate,
    "micrograph.png": micrograph,
    "colour.png": colour,
}


def write(name: str, folder: Path) -> None:
    """Make one image and save it, as small as Pillow can."""
    image = IMAGES[name]()
    image.save(folder / name, optimize=True, dpi=image.info.get("dpi"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every sample image."""
    parser = argparse.ArgumentParser(description="Make the sample images.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to fill")
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    for name in IMAGES:
        write(name, folder)


if __name__ == "__main__":
    main()
