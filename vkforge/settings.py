"""What a render is asked to do, apart from what the scene holds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from vkforge.errors import InputError, suggest

TONEMAPS = ("linear", "reinhard", "hable", "aces-narkowicz", "aces-hill", "agx", "neutral")
LANES = ("lit", "path-traced")
DENOISERS = ("atrous", "oidn")
_TONEMAP_SYNONYMS = {"aces": "aces-hill"}

# Sample indices travel to the shaders as 32-bit integers, and a ray count beyond these limits is a typing mistake.
_INTEGER_RANGES = {
    "samples": (1, 1_048_576),
    "sun_rays": (1, 4096),
    "sky_rays": (0, 65_536),
    "max_depth": (1, 1024),
    "seed": (0, 2**32 - 1),
}


def tonemap_name(name: str) -> str:
    """Return the name out of `TONEMAPS` that `name` means: "_" is as good as "-", and "aces" is "aces-hill".

    Raises:
        InputError: there is no such tone mapping.
    """
    spelled = name.replace("_", "-") if isinstance(name, str) else ""
    known = _TONEMAP_SYNONYMS.get(spelled, spelled)
    if known not in TONEMAPS:
        from vkforge.scene.checks import show

        hint = suggest(spelled, (*TONEMAPS, *_TONEMAP_SYNONYMS))
        raise InputError(f"no tone mapping called {show(name)}{hint} (there are {', '.join(TONEMAPS)})")
    return known


@dataclass(frozen=True)
class Settings:
    """Quality and display settings of one render.

    Attributes:
        samples: jittered samples accumulated for each pixel, 1 to 1048576.
        sun_rays: shadow rays towards the sun's disc for each sample, 1 to 4096 (lit lane).
        sky_rays: visibility rays towards the sky for each sample, 0 (no sky light) to 65536 (lit lane).
        max_depth: segments of a path, the camera's included, 1 to 1024 (path-traced lane): 2 is direct light alone, and
            each more is one more bounce.
        time_limit: seconds after which no more samples are begun, or None (path-traced lane). What a picture has by
            then depends on the machine.
        noise_threshold: stop where the root mean square of the pixels' standard errors, over the mean luminance, is
            this small, or None (path-traced lane). The standard errors are those of independent samples; the sequences
            used converge faster, so the picture is better than it says.
        seed: picks the random sequences, 0 to 2**32 - 1: same scene, seed and driver, same bits.
        exposure: stops (EV) applied after the render and before tone mapping: +1 doubles the light. -32 to 32.
        tonemap: "linear", "reinhard", "hable", "aces-narkowicz", "aces-hill", "agx" or "neutral" (Khronos PBR Neutral,
            which keeps colours true and bends only the highlights); see `vkforge.tonemap`.
        denoise: what takes the noise out of the picture: "atrous" (a filter on the device, milliseconds), "oidn"
            (Intel's Open Image Denoise on the CPU, better and slower; extra `oidn`), or None.

    Raises:
        InputError: a value out of its range or of the wrong type.
    """

    samples: int = 16
    sun_rays: int = 1
    sky_rays: int = 8
    max_depth: int = 8
    time_limit: float | None = None
    noise_threshold: float | None = None
    seed: int = 0
    exposure: float = 0.0
    tonemap: str = "neutral"
    denoise: str | None = None

    def __post_init__(self) -> None:
        # The check of numbers lives with the scene, whose import needs NumPy; `import vkforge` must not.
        from vkforge.scene.checks import number, show

        for name, (low, high) in _INTEGER_RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
                raise InputError(f"{name} is {show(value)}; wanted a whole number from {low} to {high}")
            object.__setattr__(self, name, int(value))
        for name in ("time_limit", "noise_threshold"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(name, getattr(self, name), above=0.0))
        object.__setattr__(self, "exposure", number("exposure (EV stops)", self.exposure, -32.0, 32.0))
        object.__setattr__(self, "tonemap", tonemap_name(self.tonemap))
        if self.denoise is not None and (not isinstance(self.denoise, str) or self.denoise not in DENOISERS):
            hint = suggest(str(self.denoise), DENOISERS)
            names = ", ".join(map(repr, DENOISERS))
            raise InputError(f"no denoiser called {show(self.denoise)}{hint} (there are {names}, and None)")

    def replace(self, **overrides: Any) -> Settings:
        """Return a copy with some settings changed.

        Raises:
            InputError: a name that is no setting, or a value out of its range.
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in overrides:
            if name not in names:
                raise InputError(f"no setting called {name!r}{suggest(name, names)} (there are {', '.join(names)})")
        return dataclasses.replace(self, **overrides)
