"""Denoising on the CPU, by Intel's Open Image Denoise.

`Renderer.render(..., denoise="oidn")` is the way to it; `oidn` is the same for arrays that have left the renderer. The
filter on the device, ``denoise="atrous"``, is `vkforge.passes.post.atrous`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.errors import InputError, MissingDependencyError

# Columns by which a picture that wraps goes on at each side: the network looks about as far.
_AROUND = 128

# Pixels a side from which on the network knows how bright a picture is; smaller ones are continued as at their borders.
_LEAST = 32


def oidn(radiance: ArrayLike, albedo: ArrayLike, normal: ArrayLike, *, wraps: bool = False) -> NDArray[np.float32]:
    """Take Monte-Carlo noise out of a picture, by the neural network of Open Image Denoise.

    The same arrays give the same bits on the same CPU.

    Args:
        radiance: (height, width, 3) scene-linear, not tone-mapped; NaN and negative values count as 0.
        albedo: (height, width, 3) base colour in [0, 1] of what each pixel sees; 0 for the sky.
        normal: (height, width, 3) unit normals, in any one frame; 0 for the sky.
        wraps: whether the left and right borders are one, as of `Camera.wraps`.

    Returns:
        (height, width, 3) float32, scene-linear.

    Raises:
        InputError: the arrays are not pictures of one size.
        MissingDependencyError: pyoidn, which the extra `oidn` brings, is not installed.
    """
    library = require_oidn()
    picture = _picture("radiance", radiance)
    guides = {"albedo": _picture("albedo", albedo), "normal": _picture("normal", normal)}
    for name, guide in guides.items():
        if guide.shape != picture.shape:
            raise InputError(f"{name} has shape {guide.shape} and radiance {picture.shape}; wanted one size for all")
    height, width = picture.shape[:2]
    around, below, beside = _AROUND if wraps else 0, max(_LEAST - height, 0), max(_LEAST - width, 0)

    def framed(values: NDArray[np.float32]) -> NDArray[np.float32]:
        turned = np.pad(values, ((0, 0), (around, around), (0, 0)), mode="wrap")
        return np.ascontiguousarray(np.pad(turned, ((0, below), (0, beside), (0, 0)), mode="edge"))

    guides = {name: framed(guide) for name, guide in guides.items()}
    # Not clean_aux: a lens and the pixels' own area blur the radiance, and the guides are sharp.
    clean = library.denoise(framed(np.maximum(picture, 0.0)), hdr=True, **guides)
    return np.ascontiguousarray(clean[:height, around : around + width])


def require_oidn() -> Any:
    """Return the library.

    Raises:
        MissingDependencyError: it is not installed, or does not load.
    """
    try:
        import pyoidn
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"denoise='oidn' needs pyoidn ({error}): pip install 'vkforge-renderer[oidn]', or use denoise='atrous'"
        ) from error
    return pyoidn


def _picture(name: str, values: ArrayLike) -> NDArray[np.float32]:
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise InputError(f"{name} is a {type(values).__name__}; wanted numbers of shape (height, width, 3)") from None
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; wanted (height, width, 3)")
    return np.nan_to_num(array, nan=0.0, posinf=65504.0, neginf=0.0)
