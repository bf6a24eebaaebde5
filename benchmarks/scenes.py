"""What the benchmarks render: a fractal DEM of any size, seen obliquely so that it fills most of the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vkforge import Camera, Scene, Sky, Sun, Terrain

CELL = 30.0  # metres, as in SRTM and most national 1-arc-second DEMs
SLOPE = 0.35  # mean gradient: young mountains, 2000 to 3000 m from the lowest to the highest point
LARGEST_MASSIF = 1024.0  # cells; a larger DEM holds more mountains, not larger ones
SEED = 2026

SUN = Sun(azimuth=315.0, elevation=25.0, angular_diameter=0.53)
HARD_SUN = Sun(azimuth=315.0, elevation=25.0, angular_diameter=0.0)
SKY = Sky.gradient()

ELEVATION = 25.0  # degrees of the camera above the horizon
FOV = 30.0  # degrees from bottom to top


def fractal_heights(side: int, seed: int = SEED) -> np.ndarray:
    """Return a (side, side) float32 DEM in metres, its lowest point at 0: filtered noise (Saupe 1988).

    The amplitude falls as frequency to the power -1.9 (a surface of dimension 2.1) and levels off beyond
    LARGEST_MASSIF, and the heights are scaled to a mean gradient of SLOPE, so that every size is as rough.
    """
    rng = np.random.default_rng(seed)
    fx, fy = np.fft.rfftfreq(side).astype(np.float32), np.fft.fftfreq(side).astype(np.float32)
    power = fy[:, None] ** 2 + fx[None, :] ** 2 + np.float32(LARGEST_MASSIF**-2)
    spectrum = np.empty(power.shape, np.complex64)
    spectrum.real = rng.standard_normal(power.shape, np.float32)
    spectrum.imag = rng.standard_normal(power.shape, np.float32)
    spectrum *= power ** np.float32(-0.95)
    heights = np.fft.irfft2(spectrum, s=(side, side)).astype(np.float32)
    heights -= heights.min()
    rise = np.hypot(np.diff(heights, axis=0)[:, :-1], np.diff(heights, axis=1)[:-1])
    heights *= np.float32(SLOPE * CELL / rise.mean(dtype=np.float64))
    return heights


def make_terrain(heights: np.ndarray) -> Terrain:
    """Return the DEM as a grey terrain with open edges."""
    return Terrain(heights, CELL)


@dataclass(frozen=True)
class View:
    """An eye that circles the middle of a terrain.

    Attributes:
        target: What it looks at, world metres.
        distance: Metres from there.
    """

    target: tuple[float, float, float]
    distance: float

    @classmethod
    def of(cls, terrain: Terrain) -> View:
        """Return the view in which `terrain` fills most of a 16:9 frame."""
        xmin, xmax, ymin, ymax = terrain.extent
        middle = (terrain.min_height + terrain.max_height) / 2.0
        return cls((0.0, 0.0, middle), 0.62 * max(xmax - xmin, ymax - ymin))

    def camera(self, azimuth: float = 200.0) -> Camera:
        """Return the camera at a compass bearing in degrees."""
        bearing, tilt = math.radians(azimuth), math.radians(ELEVATION)
        x, y, z = self.target
        flat = self.distance * math.cos(tilt)
        eye = (x + flat * math.sin(bearing), y + flat * math.cos(bearing), z + self.distance * math.sin(tilt))
        return Camera.perspective(eye, self.target, fov=FOV)


def sunlit(terrain: Terrain, camera: Camera) -> Scene:
    """Return the scene of the leanest frame: a primary ray and one ray to a sun without width, no sky."""
    return Scene(terrain, camera, HARD_SUN, None)


def lit(terrain: Terrain, camera: Camera) -> Scene:
    """Return the scene of the whole frame: soft sun and sky."""
    return Scene(terrain, camera, SUN, SKY)
