"""What the ground is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.checks import LARGEST_METRES, Light, brief, light, number
from vkforge.scene.texture import Texture, data_texture, light_texture, normal_texture

_MAPS: dict[str, Any] = {
    "metallic_roughness_map": data_texture,
    "normal_map": normal_texture,
    "detail_normal_map": normal_texture,
    "emission_map": light_texture,
}

STRONGEST = 1.0e6  # of normal maps, beyond which all lean by 90 degrees
FINEST = 1.0e-6  # metres that a detail repeats in


@dataclass(frozen=True)
class Material:
    """Lambert ground with an optional GGX interface; the colour is the terrain's albedo.

    `vkforge.pbr.evaluate_brdf` is the reflection in NumPy. Maps are images laid over the DEM's outer extent as the
    albedo is (a pixel is an area, row 0 is north), of any resolution, bilinearly interpolated; uint8 or float. They are
    the ground's alone: the walls of a skirt have `roughness`, `metallic` and `specular`, and do not glow.

    Normal maps are glTF's: red points along +x, east along the ground, green along +y, north, and blue out of it, each
    stored as (1 + component) / 2, or that times 255. Their frame is the surface's own: the shading normal, and the
    tangent that runs due east on it.

    Attributes:
        roughness: 0 (mirror) to 1, perceptual: the GGX alpha is its square (Burley 2012).
        metallic: 0 (dielectric) to 1 (metal, whose reflection is tinted by the albedo).
        specular: 0 to 1; the dielectric reflectance at normal incidence is 0.08 times this (Burley 2012), so 0.5 is
            common stone or water at 4 %. With `specular` and `metallic` both 0, the default, the ground is pure
            Lambert.
        metallic_roughness_map: (h, w, 3) numbers in [0, 1] in glTF's channels: green multiplies `roughness`, blue
            `metallic` (which is 0 unless it is given); red is not read.
        normal_map: (h, w, 3) normals.
        normal_strength: factor on their x and y, 0 to 1e6 (glTF's scale).
        detail_normal_map: (h, w, 3) normals repeated over the ground, on top of those of `normal_map`; the two are
            joined by reoriented normal mapping (Barre-Brisebois and Hill 2012, "Blending in Detail").
        detail_normal_period: metres from one repetition to the next, 1e-6 to 1e9; one has its upper left corner at
            the terrain's centre.
        detail_normal_strength: factor on their x and y, 0 to 1e6.
        emission: radiance that the ground sends out by itself, in the unit of all light: a number or linear RGB, at
            least 0. The lit lane shows it; the path-traced lane lights the rest with it too.
        emission_map: (h, w, 3) factor on `emission`: float is linear, uint8 sRGB-encoded.

    Raises:
        InputError: a value out of range, NaN or not a number; an image of another shape or dtype; an `emission_map`
            without `emission`.
    """

    roughness: float = 1.0
    metallic: float = 0.0
    specular: float = 0.0
    metallic_roughness_map: ArrayLike | Texture | None = None
    normal_map: ArrayLike | Texture | None = None
    normal_strength: float = 1.0
    detail_normal_map: ArrayLike | Texture | None = None
    detail_normal_period: float = 10.0
    detail_normal_strength: float = 1.0
    emission: Light = 0.0
    emission_map: ArrayLike | Texture | None = None
    __repr__ = brief

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        for name in ("roughness", "metallic", "specular"):
            put(name, number(f"Material {name}", getattr(self, name), 0.0, 1.0))
        for name in ("normal_strength", "detail_normal_strength"):
            put(name, number(f"Material {name}", getattr(self, name), 0.0, STRONGEST))
        period = number("Material detail_normal_period (metres)", self.detail_normal_period, FINEST, LARGEST_METRES)
        put("detail_normal_period", period)
        put("emission", light("Material emission", self.emission))
        for name, make in _MAPS.items():
            given = getattr(self, name)
            put(name, None if given is None else make(f"Material {name}", given))
        if self.emission_map is not None and not self.is_emissive:
            raise InputError("Material has an emission_map, but its emission is 0; give the radiance it multiplies")

    @property
    def is_lambert(self) -> bool:
        """Whether nothing but a Lambert base reflects."""
        return self.specular == 0 and self.metallic == 0

    @property
    def is_emissive(self) -> bool:
        """Whether the ground sends out light."""
        return self.emission != (0.0, 0.0, 0.0)

    @property
    def maps(self) -> dict[str, Texture | None]:
        """The images, by the names of the attributes and of the shaders' variables."""
        return {name: getattr(self, name) for name in _MAPS}
