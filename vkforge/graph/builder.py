"""Declaring a frame: images, blocks and passes, with accesses that come from the shaders themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from vkforge.graph.access import Access, Layout, Scope, access_of
from vkforge.graph.sync import Use
from vkforge.vk.shaders import load
from vkforge.vk.spirv import Binding, Shader


@dataclass(frozen=True, eq=False)
class ImageResource:
    """An image of the graph.

    Attributes:
        name: Unique in the graph.
        format: A key of `vkforge.vk.resources.FORMATS`.
        size: (width, height).
        lifetime: "transient" lives within a frame and shares memory; "persistent" keeps its contents between frames;
            "imported" was made elsewhere.
        sampler: "nearest", "linear" or "repeat", for shaders that sample it.
        source: Imported: the image itself.
        level: Imported: which mip level, or None for all.
        layout: Imported: the layout it is in when the graph first meets it.
    """

    name: str
    format: str
    size: tuple[int, int]
    lifetime: Literal["transient", "persistent", "imported"]
    sampler: str = "nearest"
    source: Any = None
    level: int | None = None
    layout: Layout = Layout.UNDEFINED


@dataclass(frozen=True, eq=False)
class BufferResource:
    """A storage buffer made elsewhere (`source`)."""

    name: str
    source: Any


@dataclass(frozen=True, eq=False)
class BlockResource:
    """A block that the host writes for each frame; its layout is the shaders'."""

    name: str


Resource = ImageResource | BufferResource | BlockResource


@dataclass(frozen=True)
class Pass:
    """A compute pass: a shader over an extent, its bindings by name, and what that means for each resource.

    A pass without a shader only states accesses: it hands resources over to what comes after the frame.
    """

    name: str
    shader: Shader | None
    extent: tuple[int, int]
    bindings: Mapping[str, Resource]
    uses: tuple[Use, ...]
    constants: bytes = b""
    specialization: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Graph:
    """A frame being declared. Passes run in the order of their declaration.

    `everywhere` holds specialisation constants for all the passes whose shaders have them.
    """

    name: str
    everywhere: Mapping[str, int] = field(default_factory=dict)
    passes: list[Pass] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    blocks: dict[str, np.dtype] = field(default_factory=dict)
    load_shader: Callable[[str], Shader] = load
    _label: str = ""

    def _add(self, resource: Any) -> Any:
        if resource.name in self.resources:
            raise ValueError(f"graph {self.name!r} has two resources named {resource.name!r}")
        self.resources[resource.name] = resource
        return resource

    @contextmanager
    def labelled(self, label: str) -> Iterator[None]:
        """Put `label` before the names of the images and passes declared within: for a chain that there is twice."""
        before, self._label = self._label, f"{self._label}{label}: "
        try:
            yield
        finally:
            self._label = before

    def image(self, name: str, format: str, size: tuple[int, int], *, persistent: bool = False) -> ImageResource:
        """Declare an image that the frame makes; `persistent` keeps its contents from frame to frame."""
        lifetime = "persistent" if persistent else "transient"
        return self._add(ImageResource(self._label + name, format, size, lifetime))

    def import_image(
        self,
        name: str,
        image: Any,
        *,
        sampler: str = "nearest",
        level: int | None = None,
        layout: Layout = Layout.SHADER_READ_ONLY,
    ) -> ImageResource:
        """Bring in an image made elsewhere, in `layout` when the frame first meets it.

        Raises:
            ValueError: It, or that level of it, is here already, under another name.
        """
        self._refuse_twice(name, image, level)
        return self._add(ImageResource(name, image.format, image.size, "imported", sampler, image, level, layout))

    def import_buffer(self, name: str, buffer: Any) -> BufferResource:
        """Bring in a storage buffer made elsewhere.

        Raises:
            ValueError: It is here already, under another name.
        """
        self._refuse_twice(name, buffer, None)
        return self._add(BufferResource(name, buffer))

    def _refuse_twice(self, name: str, source: Any, level: int | None) -> None:
        """Raise where a source has a name already: state is kept by name, and two of them would miss each other."""
        for known in self.resources.values():
            if source is None or isinstance(known, BlockResource) or known.source is not source:
                continue
            other = known.level if isinstance(known, ImageResource) else None
            if level is None or other is None or level == other:
                raise ValueError(f"graph {self.name!r} has {known.name!r} already, and imports it as {name!r} again")

    def block(self, name: str) -> BlockResource:
        """Declare a block (a `readonly buffer` in the shaders) that the host writes before each frame, or find it."""
        known = self.resources.get(name)
        return known if isinstance(known, BlockResource) else self._add(BlockResource(name))

    def compute(
        self,
        name: str,
        shader: str,
        extent: tuple[int, int],
        constants: Mapping[str, Any] | None = None,
        specialization: Mapping[str, int] | None = None,
        **bindings: Resource,
    ) -> None:
        """Declare a compute pass.

        Args:
            name: Shown in labels, timings and errors.
            shader: Name of the shader, as under shaders/glsl.
            extent: Invocations in x and y.
            constants: Values of the push-constant block.
            specialization: Values of specialisation constants (`constant_id`), by name; others keep their defaults.
            bindings: A resource for each of the shader's variables, by its name there.

        Raises:
            ValueError: A variable is left out, a name is not the shader's, a format is not the declared one, one
                resource is used in two layouts, two shaders disagree about a block, the constants are not those of
                the shader, or it binds what a graph can't: a set beyond 0, an array of descriptors, an image that is
                not 2-D.
        """
        name, loaded = self._label + name, self.load_shader(shader)
        wanted = {binding.name for binding in loaded.bindings}
        for missing in sorted(wanted - bindings.keys()):
            raise ValueError(f"pass {name!r}: shader {shader} needs {missing!r}, which is not bound")
        for extra in sorted(bindings.keys() - wanted):
            raise ValueError(f"pass {name!r}: shader {shader} has no variable {extra!r}; it has {sorted(wanted)}")
        scopes: dict[str, Scope] = {}
        for binding in loaded.bindings:
            resource = bindings[binding.name]
            where = f"pass {name!r}: {binding.name!r} of shader {shader}"
            _check_binding(where, binding)
            if isinstance(resource, BlockResource):
                if binding.kind != "storage_buffer" or binding.writable or binding.dtype is None:
                    raise ValueError(f"{where} is a {binding.kind}, not a readonly buffer")
                if self.blocks.setdefault(resource.name, binding.dtype) != binding.dtype:
                    raise ValueError(f"{where} has another layout than the block {resource.name!r} of an earlier pass")
                continue
            if isinstance(resource, ImageResource) != ("image" in binding.kind):
                raise ValueError(f"{where} is a {binding.kind}, which {resource.name!r} can't be")
            if (
                isinstance(resource, ImageResource)
                and binding.image_format
                and resource.format not in (binding.image_format, f"{binding.image_format}_srgb")
            ):
                raise ValueError(f"{where} wants format {binding.image_format}, {resource.name!r} is {resource.format}")
            scope = access_of(binding.kind, binding.readable, binding.writable).value
            if resource.name in scopes:
                before = scopes[resource.name]
                if before.layout != scope.layout:
                    raise ValueError(f"{where}: {resource.name!r} is already bound in layout {before.layout.name}")
                scope = Scope(before.stage | scope.stage, before.memory | scope.memory, scope.layout)
            scopes[resource.name] = scope
        uses = tuple(Use(resource, scope) for resource, scope in scopes.items())
        packed = _pack_constants(name, loaded, constants or {})
        for extra in sorted((specialization or {}).keys() - loaded.specializations.keys()):
            known = sorted(loaded.specializations)
            raise ValueError(f"pass {name!r}: shader {shader} has no constant_id {extra!r}; it has {known}")
        shared = {constant: value for constant, value in self.everywhere.items() if constant in loaded.specializations}
        chosen = {**shared, **(specialization or {})}
        self.passes.append(Pass(name, loaded, extent, dict(bindings), uses, packed, chosen))

    def hand_over(self, name: str, access: Access, *resources: Resource) -> None:
        """End the frame with `resources` ready for `access` by whatever is submitted after it."""
        uses = tuple(Use(resource.name, access.value) for resource in resources)
        self.passes.append(Pass(name, None, (0, 0), {}, uses))


def _check_binding(where: str, binding: Binding) -> None:
    if binding.set != 0:
        raise ValueError(f"{where} is in descriptor set {binding.set}; a graph binds set 0 alone")
    if binding.count != 1:
        raise ValueError(
            f"{where} is an array of {binding.count or 'any number of'} descriptors; a graph binds single ones"
        )
    if binding.image_dim not in ("", "2d"):
        raise ValueError(f"{where} is an image of kind {binding.image_dim}; a graph has 2-D images alone")
    if binding.kind not in ("storage_buffer", "storage_image", "combined_image_sampler"):
        raise ValueError(
            f"{where} is a {binding.kind}; a graph binds storage buffers, storage images and samplers of images"
        )


def _pack_constants(name: str, shader: Shader, constants: Mapping[str, Any]) -> bytes:
    """Return the push-constant block's bytes; every member must be given, and nothing else."""
    members = shader.push_constants.names or () if shader.push_constants is not None else ()
    for extra in sorted(constants.keys() - set(members)):
        raise ValueError(
            f"pass {name!r}: shader {shader.name} has no push constant {extra!r}; it has {sorted(members)}"
        )
    for missing in sorted(set(members) - constants.keys()):
        raise ValueError(f"pass {name!r}: shader {shader.name} needs the push constant {missing!r}, which is not given")
    if shader.push_constants is None:
        return b""
    values = np.zeros((), shader.push_constants)
    for key, value in constants.items():
        values[key] = value
    return values.tobytes()
