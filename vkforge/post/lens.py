"""What the glass of a camera does to its picture: distortion, lateral chromatic aberration, vignette."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from vkforge.errors import InputError
from vkforge.post.resample import as_picture, as_rgb_picture, catmull_rom
from vkforge.scene.camera_rays import pixels_to_uv, uv_to_pixels
from vkforge.scene.camera_view import CameraView
from vkforge.scene.checks import float_array, number, picture_size, show

_DISTORTION = ("k1", "k2", "k3", "p1", "p2")
_MOST_STEPS = 16  # of Newton's method: what has not converged by then is next to a fold
_CLOSE = 1e-3  # pixels that its last step may be off
_LOOKED_AT = 33  # points to a side of the frame at which the distortion is checked to have an inverse


class Frame(NamedTuple):
    """How a lens sits before a frame.

    Attributes:
        half: Tangents of the angles from the middle of the frame to its right and upper edge.
        centre: Tangents, right and up, of the middle of the frame from the camera's axis.
        steps: Of Newton's method that undo the distortion to a thousandth of a pixel; 0 where there is none.
    """

    half: tuple[float, float]
    centre: tuple[float, float]
    steps: int


@dataclass(frozen=True)
class Lens:
    """The faults of a lens: distortion, lateral chromatic aberration and vignette. Each is off by default.

    Distortion is the Brown-Conrady model in the form and the conventions of OpenCV (`distCoeffs` k1, k2, p1, p2, k3):
    with x rightwards and y *downwards* from the camera's axis, as tangents, and r2 = x*x + y*y, what a pinhole sees at
    (x, y) is shown at::

        x (1 + k1 r2 + k2 r2^2 + k3 r2^3) + 2 p1 x y + p2 (r2 + 2 x^2)
        y (1 + k1 r2 + k2 r2^2 + k3 r2^3) + p1 (r2 + 2 y^2) + 2 p2 x y

    The camera's rays are bent, not its picture: nothing is blurred, no border stays empty, and the AOVs are of the
    distorted picture too. The camera's angle of view is that of the pinhole whose K goes with the coefficients.

    Attributes:
        k1: radial distortion; negative is a barrel, positive a pincushion.
        k2: its term in r^4.
        k3: its term in r^6.
        p1: tangential distortion, of a lens that is tilted up or down.
        p2: likewise to the right or left.
        red: by how much larger red's picture is than green's, as a share, -0.02 to 0.02: 0.001 is about a pixel in the
            corner at 1920 x 1080.
        blue: likewise of blue's.
        vignette: share of the natural fall of light that is let through, 0 to 1: at 1 light falls with the fourth power
            of the cosine of the ray's angle from the axis.
        mask_strength: how much of the light the mask takes where it is full, 0 (no mask) to 1 (black).
        mask_radius: where it begins, as a share of the way from the picture's middle to its corner, 0 to 2.
        mask_softness: over which share of that way it grows to full, above 0, to 2.
        mask_roundness: 0 for an ellipse of the picture's proportions, 1 for a circle.

    Raises:
        InputError: a value that is out of its range, NaN or not a number.
    """

    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    red: float = 0.0
    blue: float = 0.0
    vignette: float = 0.0
    mask_strength: float = 0.0
    mask_radius: float = 0.5
    mask_softness: float = 0.5
    mask_roundness: float = 1.0

    def __post_init__(self) -> None:
        ranges: dict[str, dict[str, float]] = {
            field.name: {"low": 0.0, "high": 1.0} for field in dataclasses.fields(self)
        }
        ranges |= {name: {"low": -100.0, "high": 100.0} for name in _DISTORTION}
        ranges |= {name: {"low": -0.02, "high": 0.02} for name in ("red", "blue")}
        ranges |= {"mask_radius": {"low": 0.0, "high": 2.0}, "mask_softness": {"above": 0.0, "high": 2.0}}
        for name, allowed in ranges.items():
            object.__setattr__(self, name, number(f"Lens {name}", getattr(self, name), **allowed))

    @property
    def distorts(self) -> bool:
        """Whether it bends rays."""
        return any(getattr(self, name) != 0.0 for name in _DISTORTION)

    @property
    def aberrates(self) -> bool:
        """Whether its colours are of different sizes."""
        return self.red != 0.0 or self.blue != 0.0

    # Distortion

    def distort(self, points: Any) -> np.ndarray:
        """Return where the lens shows what a pinhole sees at `points`.

        Args:
            points: (n, 2) tangents from the camera's axis, x rightwards and y downwards (OpenCV's normalised
                coordinates).

        Returns:
            (n, 2) float64, likewise.

        Raises:
            InputError: another shape.
        """
        at = _points(points)
        return self._shown(at)[0]

    def undistort(self, points: Any) -> np.ndarray:
        """Return what a pinhole sees at the places where the lens shows it at `points`: the inverse of `distort`.

        Takes and returns what `distort` does; where the distortion folds there is no inverse, and NaN stands.

        Raises:
            InputError: another shape.
        """
        shown = _points(points)
        at, missed, turned = self._inverted(shown)
        lost = (missed[-1] > 1e-9 * np.maximum(1.0, np.hypot(*shown.T))) | turned
        return np.where(lost[:, None], np.nan, at[-1])

    def undistort_image(self, picture: Any, camera: CameraView) -> np.ndarray:
        """Return the picture that a pinhole would take, out of one that this lens did.

        Args:
            picture: (h, w) or (h, w, n), the whole frame of `camera`.
            camera: a perspective camera.

        Returns:
            Of the same shape and dtype; black where the lens shows nothing.

        Raises:
            InputError: another shape; a camera that is not perspective, or whose frame the distortion folds.
        """
        image = as_picture("picture", picture)
        height, width = image.shape[:2]
        size = width, height
        uv = pixels_to_uv(_pixels(size).reshape(-1, 2), size)
        at = uv_to_pixels(self.distort_uv(uv, camera, size), size).reshape(height, width, 2)
        inside = np.all((at >= 0.0) & (at <= size), axis=-1)
        values = catmull_rom(image, np.where(inside[..., None], at, 0.0))
        values[~inside] = 0.0
        if image.dtype.kind in "iu":
            limits = np.iinfo(image.dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        return values.astype(image.dtype)

    def distort_uv(self, uv: np.ndarray, camera: CameraView, size: tuple[int, int]) -> np.ndarray:
        """Return where in a camera's frame the lens shows what a pinhole sees at (n, 2) `uv` (see `CameraRays`).

        NaN stands for what the lens does not show, beyond a fold.

        Raises:
            InputError: another shape; see `frame`.
        """
        uv, frame = _points(uv, "uv"), self.frame(camera, size)
        if not self.distorts:
            return uv
        at = _tangents(uv, frame)
        with np.errstate(all="ignore"):  # points far beside the frame overflow, and are beyond a fold
            shown, jacobians = self._shown(at)
            lost = self._folds(at, jacobians) | ~np.isfinite(shown).all(axis=1)
        return _uv(np.where(lost[:, None], np.nan, shown), frame)

    def undistort_uv(self, uv: np.ndarray, camera: CameraView, size: tuple[int, int]) -> np.ndarray:
        """Return where in the frame of a pinhole that is seen which the lens shows at (n, 2) `uv`.

        The inverse of `distort_uv`, NaN where there is none.

        Raises:
            InputError: another shape; see `frame`.
        """
        uv, frame = _points(uv, "uv"), self.frame(camera, size)
        return _uv(self.undistort(_tangents(uv, frame)), frame) if self.distorts else uv

    def frame(self, camera: CameraView, size: tuple[int, int]) -> Frame:
        """Return how this lens sits before the frame of a camera; what the renderer asks first.

        Raises:
            InputError: the distortion folds the frame, or it or the natural vignette is asked of a camera that is not
                perspective.
        """
        if not isinstance(camera, CameraView):
            raise InputError(f"camera is {show(camera)}; wanted a vkforge.Camera")
        size = picture_size(size)
        if camera.kind != "perspective":
            if self.distorts or self.vignette > 0.0:
                what = "distortion" if self.distorts else "natural vignette"
                raise InputError(
                    f"Lens {what} goes by the angle from the axis of a perspective camera, and this one is "
                    f"{camera.kind!r}; leave it out (a mask and aberration suit any camera)"
                )
            return Frame((1.0, 1.0), (0.0, 0.0), 0)
        rays = camera.rays(*size)
        half = math.hypot(*rays.direction_u), math.hypot(*rays.direction_v)
        sideways = float(np.dot(rays.direction, rays.direction_u)) / half[0]
        upwards = float(np.dot(rays.direction, rays.direction_v)) / half[1]
        return _frame(self, half, (sideways, upwards), size)

    def _shown(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what `distort` does and the (n, 2, 2) Jacobians there."""
        x, y = at.T
        r2 = x * x + y * y
        radial = 1.0 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        growth = 2.0 * self.k1 + r2 * (4.0 * self.k2 + r2 * 6.0 * self.k3)
        shown = (
            x * radial + 2.0 * self.p1 * x * y + self.p2 * (r2 + 2.0 * x * x),
            y * radial + self.p1 * (r2 + 2.0 * y * y) + 2.0 * self.p2 * x * y,
        )
        across = growth * x * y + 2.0 * self.p1 * x + 2.0 * self.p2 * y
        first = radial + growth * x * x + 2.0 * self.p1 * y + 6.0 * self.p2 * x
        last = radial + growth * y * y + 6.0 * self.p1 * y + 2.0 * self.p2 * x
        jacobians = np.stack([first, across, across, last], axis=-1).reshape(-1, 2, 2)
        return np.stack(shown, axis=-1), jacobians

    def _inverted(self, shown: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
        """Return, by step of Newton's method, the points and how far off they are shown; and which lie on a fold."""
        points, missed, folded = [shown], [], np.zeros(len(shown), bool)
        with np.errstate(all="ignore"):
            for _ in range(_MOST_STEPS + 1):
                at = points[-1]
                there, jacobians = self._shown(at)
                missed.append(np.nan_to_num(np.hypot(*(there - shown).T), nan=np.inf))
                folded = self._folds(at, jacobians)
                (a, b), (c, d) = jacobians.transpose(1, 2, 0)
                x, y = (there - shown).T
                points.append(at - np.stack([d * x - b * y, a * y - c * x], axis=-1) / (a * d - b * c)[:, None])
        return points[:-1], missed, folded

    def _folds(self, at: np.ndarray, jacobians: np.ndarray) -> np.ndarray:
        """Return where the picture comes back mirrored, or shrinks as it should grow: beyond a fold."""
        (a, b), (c, d) = jacobians.transpose(1, 2, 0)
        grows = (a * d - b * c > 0.0) & (a + d > 0.0)
        return ~grows | (np.hypot(*at.T) >= self._fold()[0])

    def _fold(self) -> tuple[float, float]:
        """Return the radius at which what is further out stops to be shown further out, and where it is shown."""
        turns = np.roots([7.0 * self.k3, 5.0 * self.k2, 3.0 * self.k1, 1.0])
        squares = [root.real for root in turns if abs(root.imag) < 1e-9 * max(1.0, abs(root)) and root.real > 0.0]
        if not squares:
            return math.inf, math.inf
        r2 = min(squares)
        return math.sqrt(r2), math.sqrt(r2) * (1.0 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3)))

    def _refuse_fold(self, radius: float) -> None:
        given = ", ".join(f"{name}={getattr(self, name):g}" for name in _DISTORTION if getattr(self, name) != 0.0)
        fold, shown = self._fold()
        where = (
            f"what lies beyond radius {fold:.4g} is shown further in again, so nothing is shown beyond {shown:.4g}"
            if math.isfinite(fold)
            else "the tangential terms turn the picture over"
        )
        raise InputError(
            f"Lens distortion {given} folds the picture: {where}, and the frame reaches out to radius {radius:.4g} "
            "(tangents of the angle from the axis); use smaller coefficients or a narrower angle of view"
        )

    # Aberration and vignette

    def taps(self, frame: Frame, size: tuple[int, int]) -> int:
        """Return how many looks at red and at blue a pixel takes: 1 up to a pixel of shift, then some two a pixel.

        Raises:
            InputError: a frame that is none, or a size that is none.
        """
        size = picture_size(size)
        axis = self.axis(frame, size)
        corner = math.hypot(max(axis[0], size[0] - axis[0]), max(axis[1], size[1] - axis[1]))
        shift = max(abs(self.red), abs(self.blue)) * corner
        return 1 if shift <= 1.0 else 2 * math.ceil(shift - 0.5) + 1

    @staticmethod
    def axis(frame: Frame, size: tuple[int, int]) -> tuple[float, float]:
        """Return the pixel coordinates of the camera's axis, the middle of what is larger or smaller by colour.

        Raises:
            InputError: a frame that is none, or a size that is none.
        """
        if not isinstance(frame, Frame):
            raise InputError(f"frame is {show(frame)}; wanted what Lens.frame(camera, size) returns")
        size = picture_size(size)
        u, v = (-centre / half for centre, half in zip(frame.centre, frame.half, strict=True))
        return (1.0 + u) / 2.0 * size[0], (1.0 - v) / 2.0 * size[1]

    def aberrate(self, picture: Any, camera: CameraView) -> np.ndarray:
        """Return an (h, w, 3) scene-linear picture with red and blue shifted against green, which stays as it is.

        Each is drawn out along the radius, by a tent from no shift to twice its own, as a lens does over the
        wavelengths of a colour: fringes are smooth, and no second picture is seen.

        Raises:
            InputError: another shape; see `frame`.
        """
        image = as_rgb_picture("picture", picture)
        size = image.shape[1], image.shape[0]
        frame = self.frame(camera, size)
        axis, taps = np.array(self.axis(frame, size)), self.taps(frame, size)
        away = _pixels(size) - axis
        result = image.copy()
        for channel, larger in ((0, self.red), (2, self.blue)):
            total, weights = 0.0, 0.0
            for i in range(taps):
                shift = (2 * i + 1) / taps
                weight = 1.0 - abs(shift - 1.0)
                total = total + weight * catmull_rom(image[..., channel], axis + away / (1.0 + shift * larger))
                weights += weight
            result[..., channel] = total / weights
        return result

    def falloff(self, camera: CameraView, size: tuple[int, int]) -> np.ndarray:
        """Return the (h, w) share of light that the vignette and the mask leave.

        Raises:
            InputError: see `frame`.
        """
        size = picture_size(size)
        left = np.ones((size[1], size[0]))
        if self.vignette > 0.0:
            frame = self.frame(camera, size)
            seen = self.undistort(_tangents(pixels_to_uv(_pixels(size).reshape(-1, 2), size), frame))
            natural = 1.0 / (1.0 + (seen**2).sum(axis=1)) ** 2
            left *= 1.0 + self.vignette * (natural.reshape(left.shape) - 1.0)
        way = np.hypot(*np.moveaxis((_pixels(size) - np.array(size) / 2.0) / self.mask_reach(size), -1, 0))
        grown = np.clip((way - self.mask_radius) / self.mask_softness, 0.0, 1.0)
        return left * (1.0 - self.mask_strength * grown * grown * (3.0 - 2.0 * grown))

    def mask_reach(self, size: tuple[int, int]) -> tuple[float, float]:
        """Return how many pixels from the picture's middle the mask's way is 1, to the right and down.

        Raises:
            InputError: a size that is none.
        """
        size = picture_size(size)
        corner, round_share = math.hypot(*size) / 2.0, self.mask_roundness
        right, down = ((1.0 - round_share) * side / math.sqrt(2.0) + round_share * corner for side in size)
        return right, down

    def apply(self, picture: Any, camera: CameraView) -> np.ndarray:
        """Return an (h, w, 3) scene-linear picture with aberration, vignette and mask, as float64.

        It is what the device does to a picture whose rays are drawn, and so distorted, already.

        Raises:
            InputError: another shape; see `frame`.
        """
        image = self.aberrate(picture, camera)
        return image * self.falloff(camera, (image.shape[1], image.shape[0]))[..., None]


def _points(points: Any, name: str = "points") -> np.ndarray:
    array = float_array(name, points, "numbers of shape (n, 2)")
    if array.ndim != 2 or array.shape[-1] != 2:
        raise InputError(f"{name} is {show(points)}; wanted numbers of shape (n, 2)")
    return array


def _pixels(size: tuple[int, int]) -> np.ndarray:
    """Return the (h, w, 2) coordinates of the pixels' centres from the upper left corner."""
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)


def _tangents(uv: np.ndarray, frame: Frame) -> np.ndarray:
    """Return the (n, 2) tangents, right and down, of (n, 2) places in a frame."""
    return (uv * frame.half + frame.centre) * (1.0, -1.0)


def _uv(tangents: np.ndarray, frame: Frame) -> np.ndarray:
    """Return the inverse of `_tangents`."""
    return (tangents * (1.0, -1.0) - frame.centre) / frame.half


@lru_cache(maxsize=32)
def _frame(lens: Lens, half: tuple[float, float], centre: tuple[float, float], size: tuple[int, int]) -> Frame:
    if not lens.distorts:
        return Frame(half, centre, 0)
    side = np.linspace(-1.0, 1.0, _LOOKED_AT)
    uv = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    shown = _tangents(uv, Frame(half, centre, 0))
    radii = np.hypot(*shown.T)
    if radii.max() >= lens._fold()[1]:
        lens._refuse_fold(float(radii.max()))
    _, missed, turned = lens._inverted(shown)
    pixel = 2.0 * min(half[0] / size[0], half[1] / size[1])
    errors = [step.max() for step in missed]
    if turned.any() or not errors[-1] < _CLOSE * pixel:
        lens._refuse_fold(float(radii[turned | ~(missed[-1] < _CLOSE * pixel)].max()))
    return Frame(half, centre, max(1, next(i for i, error in enumerate(errors) if error < _CLOSE * pixel)))
