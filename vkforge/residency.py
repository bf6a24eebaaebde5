"""What of scenes lies on the device: uploaded once, found again while it is young, given back when it is not."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from vkforge.lanes.lane import Parts
from vkforge.passes.atmosphere.air import KeptAirs
from vkforge.passes.atmosphere.tables import DeviceSky, Sights
from vkforge.passes.lighting.environment import DeviceEnvironment
from vkforge.passes.materials.split_sum import DeviceSplitSum
from vkforge.passes.materials.textures import DeviceTexture
from vkforge.passes.post.lut import DeviceLut
from vkforge.passes.terrain.heightfield import DeviceAlbedo, DeviceHeights, height_scale
from vkforge.passes.volumetrics.clouds import DeviceClouds
from vkforge.passes.volumetrics.medium import DeviceFog
from vkforge.post.lut import Lut
from vkforge.scene.environment import Environment
from vkforge.scene.fog import Fog
from vkforge.scene.scene import Scene
from vkforge.scene.sky import Sky
from vkforge.scene.terrain import Terrain
from vkforge.scene.texture import Texture
from vkforge.vk.device import Device

KEPT = 2  # parts of a kind
KEPT_MAPS = 8  # a material has up to four, and an albedo an overlay


class Residency:
    """The parts of scenes on one device.

    A part is found again by what it was made of: by identity where that is an array or a frozen record of one, by value
    where it is bytes. The newest of each kind are kept, and those of pictures that are still accumulating.

    Args:
        device: Where they lie.
        forget: Called with a part that is about to go, so that frames which use it go first.
    """

    def __init__(self, device: Device, forget: Callable[[Any], None]) -> None:
        self._device, self._forget = device, forget
        self._held: weakref.WeakSet[Parts] = weakref.WeakSet()
        self._kept: dict[str, list[tuple[Any, Any, float]]] = {}
        self._skies: list[DeviceSky] = []
        self._airs = KeptAirs(device)
        self._split_sum: DeviceSplitSum | None = None

    def parts(self, scene: Scene, lut: Lut | None = None, during: Iterable[Scene] = ()) -> Parts:
        """Return the parts of a scene and of its settings, uploaded unless they are there already.

        `during` are the same scene at other times of an exposure, which share its arrays and may be glossy.
        """
        material, sky, fog, clouds, water = scene.terrain.material, scene.sky, scene.fog, scene.clouds, scene.water
        glossy = not all(shown.terrain.material.is_lambert for shown in (scene, *during))
        if self._split_sum is None and glossy:
            self._split_sum = DeviceSplitSum(self._device)
        return Parts(
            self.heights(scene.terrain),
            albedo=self._albedo(scene.terrain),
            sky=self.sky_tables(Sights.of(scene)) if isinstance(sky, Sky) else None,
            environment=self.environment(sky) if isinstance(sky, Environment) else None,
            fog=self._fog(fog) if fog is not None and fog.kind == "field" else None,
            clouds=None if clouds is None else self._clouds(clouds.seed),
            split_sum=self._split_sum if glossy else None,
            albedo_overlay=self._texture("albedo_overlay", scene.terrain.surface_albedo.overlay),
            **{name: self._texture(name, texture) for name, texture in material.maps.items()},
            water_mask=None if water is None else self._texture("water_mask", water.mask),
            lut=None if lut is None else self._find("lut", lut.digest, lambda device, _: DeviceLut(device, lut)),
        )

    def heights(self, terrain: Terrain) -> DeviceHeights:
        """Return a terrain's elevations and their pyramid."""
        # The pyramid is of heights in grid space, whose scale goes by the cells where the ground is nearly flat.
        make = lambda device, _: DeviceHeights(device, terrain)  # noqa: E731
        return self._find("heights", terrain.heights, make, scale=height_scale(terrain))

    def environment(self, environment: Environment) -> DeviceEnvironment:
        """Return an environment map."""
        pixels = environment.radiance
        return self._find("environment", pixels, lambda device, _: DeviceEnvironment(device, environment))

    def sky_tables(self, sights: Sights) -> DeviceSky:
        """Return tables of a physical sky that fit `sights`: kept ones that nobody holds, of the same air if may be."""
        held = self._ids_held()
        for sky in self._skies:
            if sky.now == sights:
                return sky
        free = [sky for sky in self._skies if id(sky) not in held]
        found = next((sky for sky in free if sky.now is not None and sky.now.sky == sights.sky), None)
        if found is None:
            found = free[0] if free and len(self._skies) >= KEPT else DeviceSky(self._device, self._airs)
        self._skies = [sky for sky in self._skies if sky is not found] + [found]  # the one used last comes last
        found.update(sights)
        return found

    def _albedo(self, terrain: Terrain) -> DeviceAlbedo:
        albedo = terrain.surface_albedo
        # Constants need no texels of their own, and ramps are told apart by their few colours.
        key: Any = albedo
        if albedo.pixels is None or albedo.kind == "ramp":
            key = b"" if albedo.pixels is None else albedo.pixels.tobytes()
        return self._find("albedo", key, lambda device, _: DeviceAlbedo(device, albedo))

    def _fog(self, fog: Fog) -> DeviceFog:
        # By what is uploaded of it, so that its coefficients may change from frame to frame; no density is all ones.
        key: Any = b"" if fog.density is None else fog.density
        return self._find("fog", key, lambda device, _: DeviceFog(device, fog))

    def _texture(self, name: str, texture: Texture | None) -> DeviceTexture | None:
        if texture is None:
            return None
        make = lambda device, made_of: DeviceTexture(device, name, made_of.pixels, made_of.encoded)  # noqa: E731
        return self._find("texture", texture, make, KEPT_MAPS)

    def _clouds(self, seed: int) -> DeviceClouds:
        return self._find("clouds", seed.to_bytes(4, "little"), lambda device, _: DeviceClouds(device, seed))

    def _find(
        self, kind: str, key: Any, make: Callable[[Device, Any], Any], most: int = KEPT, *, scale: float = 1.0
    ) -> Any:
        """Return the part of a kind made of `key` at a scale, or make it of that, in the place of the oldest."""
        kept = self._kept.setdefault(kind, [])
        for i, (known, part, its_scale) in enumerate(kept):
            same = known is key or (isinstance(key, bytes) and isinstance(known, bytes) and known == key)
            if same and its_scale == scale:
                kept.append(kept.pop(i))
                return part
        held = self._ids_held()
        free = [item for item in kept if id(item[1]) not in held]
        for item in free[: max(0, len(kept) - most + 1)]:
            # By identity: arrays have no equality. And first of all, or what is gone could be found.
            kept[:] = [other for other in kept if other is not item]
            self._forget(item[1])
            item[1].release()
        part = make(self._device, key)
        kept.append((key, part, scale))
        return part

    # Who holds what

    def hold(self, parts: Parts) -> None:
        """Keep the parts of a picture that is still accumulating for as long as it has them."""
        self._held.add(parts)

    def _ids_held(self) -> set[int]:
        return {id(part) for parts in self._held for part in parts}

    def release(self) -> None:
        """Give everything back."""
        for sky in self._skies:
            sky.release()
        for kept in self._kept.values():
            for _, part, _ in kept:
                part.release()
        if self._split_sum is not None:
            self._split_sum.release()
        self._skies.clear()
        self._kept.clear()
        self._split_sum = None
