"""What a render is asked to do, apart from what the scene holds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

from vkforge.errors import InputError, suggest

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import vkforge.post.lens  # by its full name: a camera's thin lens is a Lens too, and the reference tells them apart
    from vkforge.post.bloom import Bloom
    from vkforge.post.depth_of_field import Miniature
    from vkforge.post.exposure import AutoExposure, CameraExposure
    from vkforge.post.grade import Grade
    from vkforge.post.grain import Grain
    from vkforge.post.lut import Lut
    from vkforge.post.tone import Tonemap

TONEMAPS = ("linear", "reinhard", "hable", "aces-narkowicz", "aces-hill", "agx", "neutral")
LANES = ("lit", "path-traced")
MOTION_BLURS = ("samples", "vectors", "none")
DENOISERS = ("atrous", "oidn")
PRIMARIES = ("rec709", "rec2020")
PRESETS = ("daylight", "golden-hour", "overcast", "blue-hour", "studio-relief", "swiss")
_TONEMAP_SYNONYMS = {"aces": "aces-hill"}

# Sample indices travel to the shaders as 32-bit integers, and a ray count beyond these limits is a typing mistake.
_INTEGER_RANGES = {
    "samples": (1, 1_048_576),
    "sun_rays": (1, 4096),
    "sky_rays": (0, 65_536),
    "max_depth": (1, 1024),
    "ao_rays": (1, 65_536),
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


def lane_name(name: str) -> str:
    """Return a name that is in `LANES`.

    Raises:
        InputError: there is no such lane.
    """
    if not isinstance(name, str) or name not in LANES:
        from vkforge.scene.checks import show

        raise InputError(f"no lane called {show(name)}{suggest(str(name), LANES)} (there is {', '.join(LANES)})")
    return name


def preset_name(name: str) -> str:
    """Return the name out of `PRESETS` that `name` means: "_" and a space are as good as "-".

    Raises:
        InputError: there is no such preset.
    """
    spelled = name.replace("_", "-").replace(" ", "-") if isinstance(name, str) else ""
    if spelled not in PRESETS:
        from vkforge.scene.checks import show

        raise InputError(f"no preset called {show(name)}{suggest(spelled, PRESETS)} (there are {', '.join(PRESETS)})")
    return spelled


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
        ao_rays: rays at each pixel for the AOV "ambient_occlusion", 1 to 65536.
        ao_distance: metres within which something in the way counts for it, or None for any distance.
        motion_blur: how a scene that moves while the shutter is open is shown: "samples" takes each sample at another
            time, which is exact in the limit; "vectors" blurs a picture of the middle of the exposure by how the
            camera's movement shifts what it shows (lit lane), which is fast; "none" is that picture as it is, sharp,
            beside which the AOV "motion" still says what moves.
        aov_effects: whether what spreads and dims the picture after its light is known (a lens' depth of field, a
            `Miniature`, motion by vectors, aberration, vignette and bloom) is done to the AOVs that add up to it too:
            "direct", "indirect", "emitted" and "air", so that they still do; and to "coverage" and the mattes what
            spreads points. Distortion bends the rays, so that every AOV has it.
        seed: picks the random sequences, 0 to 2**32 - 1: same scene, seed and driver, same bits.
        exposure: stops (EV) applied after the render and before tone mapping: +1 doubles the light. -32 to 32. Or a
            `CameraExposure` (f-number, shutter, ISO), or an `AutoExposure`, which looks at the picture.
        tonemap: "linear", "reinhard", "hable", "aces-narkowicz", "aces-hill", "agx" or "neutral" (Khronos PBR Neutral,
            which keeps colours true and bends only the highlights), or a `Tonemap`, with parameters; see
            `vkforge.tonemap`.
        grade: white balance, contrast, saturation, lift, gamma and gain, or None.
        lut: a table from colours to colours, as `Lut.open` reads it from a `.cube` file, or None.
        dither: whether noise of one step of 8 bits hides the steps in smooth skies; None is where the sky is a `Sky`.
        primaries: of `Image.hdr` and of the AOVs that are colours or light: "rec709" or "rec2020". `Image.rgba` is
            sRGB all the same.
        lens: a `Lens` with distortion, chromatic aberration or vignette, or None.
        bloom: a `Bloom`, light that is scattered about what is bright, or None.
        grain: a film's `Grain`, or None.
        miniature: a `Miniature`, sharp in a band across the picture and blurred away from it, or None.
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
    ao_rays: int = 64
    ao_distance: float | None = None
    motion_blur: str = "samples"
    aov_effects: bool = False
    seed: int = 0
    exposure: float | CameraExposure | AutoExposure = 0.0
    tonemap: str | Tonemap = "neutral"
    grade: Grade | None = None
    lut: Lut | None = None
    dither: bool | None = None
    primaries: str = "rec709"
    lens: vkforge.post.lens.Lens | None = None
    bloom: Bloom | None = None
    grain: Grain | None = None
    miniature: Miniature | None = None
    denoise: str | None = None

    def __post_init__(self) -> None:
        # The check of numbers lives with the scene, whose import needs NumPy; `import vkforge` must not.
        from vkforge.scene.checks import number, show

        for name, (low, high) in _INTEGER_RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
                raise InputError(f"{name} is {show(value)}; wanted a whole number from {low} to {high}")
            object.__setattr__(self, name, int(value))
        for name in ("time_limit", "noise_threshold", "ao_distance"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(name, getattr(self, name), above=0.0))
        if not isinstance(self.motion_blur, str) or self.motion_blur not in MOTION_BLURS:
            hint = suggest(str(self.motion_blur), MOTION_BLURS)
            raise InputError(
                f"no motion_blur called {show(self.motion_blur)}{hint} (there are {', '.join(MOTION_BLURS)})"
            )
        if not isinstance(self.aov_effects, bool):
            raise InputError(f"aov_effects is {show(self.aov_effects)}; wanted True or False")
        self._check_display()
        self._check_camera_effects()
        if self.denoise is not None and (not isinstance(self.denoise, str) or self.denoise not in DENOISERS):
            hint = suggest(str(self.denoise), DENOISERS)
            names = ", ".join(map(repr, DENOISERS))
            raise InputError(f"no denoiser called {show(self.denoise)}{hint} (there are {names}, and None)")

    def _check_display(self) -> None:
        """Check what turns radiance into a picture."""
        from vkforge.post.exposure import checked_exposure
        from vkforge.post.grade import Grade
        from vkforge.post.lut import Lut
        from vkforge.post.tone import Tonemap
        from vkforge.scene.checks import show

        put = object.__setattr__
        put(self, "exposure", checked_exposure(self.exposure))
        if not isinstance(self.tonemap, Tonemap):
            put(self, "tonemap", tonemap_name(self.tonemap))
        if self.grade is not None and not isinstance(self.grade, Grade):
            raise InputError(f"grade is {show(self.grade)}; wanted a vkforge.Grade or None")
        if self.lut is not None and not isinstance(self.lut, Lut):
            raise InputError(f"lut is {show(self.lut)}; wanted a vkforge.Lut, as Lut.open('film.cube'), or None")
        if self.dither is not None and not isinstance(self.dither, bool):
            raise InputError(f"dither is {show(self.dither)}; wanted True, False or None")
        if not isinstance(self.primaries, str) or self.primaries not in PRIMARIES:
            hint = suggest(str(self.primaries), PRIMARIES)
            raise InputError(f"no primaries called {show(self.primaries)}{hint} (there are {', '.join(PRIMARIES)})")

    def _check_camera_effects(self) -> None:
        """Check what a lens and a film do."""
        from vkforge.post.bloom import Bloom
        from vkforge.post.depth_of_field import Miniature
        from vkforge.post.grain import Grain
        from vkforge.post.lens import Lens
        from vkforge.scene.checks import show

        effects = (("lens", Lens), ("bloom", Bloom), ("grain", Grain), ("miniature", Miniature))
        for name, wanted in effects:
            value = getattr(self, name)
            if value is not None and not isinstance(value, wanted):
                raise InputError(f"{name} is {show(value)}; wanted a vkforge.{wanted.__name__} or None")

    @property
    def stops(self) -> float | None:
        """The exposure in stops, or None where it takes the picture to tell."""
        from vkforge.post.exposure import AutoExposure, CameraExposure

        if isinstance(self.exposure, AutoExposure):
            return None
        return self.exposure.stops if isinstance(self.exposure, CameraExposure) else self.exposure

    def replace(self, **overrides: Any) -> Settings:
        """Return a copy with some settings changed.

        Raises:
            InputError: a name that is no setting, or a value out of its range.
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in overrides:
            if name == "preset":
                raise InputError(
                    "preset is no setting; its look is settings=Settings.preset(...), its light Scene.lit_as(...)"
                )
            if name not in names:
                raise InputError(f"no setting called {name!r}{suggest(name, names)} (there are {', '.join(names)})")
        return dataclasses.replace(self, **overrides)

    @classmethod
    def preset(cls, name: str) -> Settings:
        """Return the look of a preset: exposure, tone mapping and grade that suit the light of the same name.

        Half of the picture is that light: `Scene.lit_as`, `Scene.portrait` and `Scene.relief` have it, and
        ``vkforge.render(terrain, preset=name)`` is both.

        Args:
            name: "daylight", "golden-hour", "overcast", "blue-hour", "studio-relief" or "swiss".

        Raises:
            InputError: no such preset.
        """
        from vkforge.post.presets import look

        return cls(**look(name))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Settings:
        """Read settings from a TOML file, as `save` writes it; what it leaves out is as it is by default.

        Raises:
            InputError: no such file, no TOML, a setting that there is not, or a value that it can't have.
        """
        from vkforge.post.settings_toml import load_settings

        return load_settings(path)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the settings as a TOML file, to be edited and loaded; return its path.

        Raises:
            InputError: a setting that TOML has no words for: a table that was not read from a file, an array.
            OutputError: the file can't be written.
        """
        from vkforge.post.settings_toml import save_settings

        return save_settings(self, path)
