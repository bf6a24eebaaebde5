"""How the surface reflects."""

from __future__ import annotations

from dataclasses import dataclass

from vkforge.scene.checks import number


@dataclass(frozen=True)
class Material:
    """Lambert ground with an optional GGX highlight; the colour is the terrain's albedo.

    Attributes:
        roughness: 0 (mirror) to 1, perceptual: the GGX alpha is its square (Burley 2012).
        metallic: 0 (dielectric) to 1 (metal, whose reflection is tinted by the albedo).
        specular: 0 to 1; the dielectric reflectance at normal incidence is 0.08 times this (Burley 2012), so 0.5 is
            common stone or water at 4 %. With `specular` and `metallic` both 0, the default, the ground is pure
            Lambert.

    Raises:
        InputError: a value outside [0, 1], NaN or not a number.
    """

    roughness: float = 1.0
    metallic: float = 0.0
    specular: float = 0.0

    def __post_init__(self) -> None:
        for name in ("roughness", "metallic", "specular"):
            object.__setattr__(self, name, number(f"Material {name}", getattr(self, name), 0.0, 1.0))

    @property
    def is_lambert(self) -> bool:
        """Whether nothing but a Lambert base reflects."""
        return self.specular == 0 and self.metallic == 0
