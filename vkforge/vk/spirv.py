"""Reflection of SPIR-V: what a compiled shader binds, and the NumPy dtypes of its blocks.

GLSL is the only place where a struct or a binding is written down. glslang keeps offsets as decorations and, with
``-g``, every name; this module reads both, so that host code fills dtypes that can't disagree with the shader.
Numbers in the tables are those of the SPIR-V specification, version 1.5 (Khronos).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from vkforge.errors import ShaderBuildError

COMPILE_COMMAND = "python tools/compile_shaders.py"

_MAGIC = 0x07230203
_STAGES = {0: "vertex", 4: "fragment", 5: "compute"}
_DIMENSIONS = {0: "1d", 1: "2d", 2: "3d", 3: "cube"}
_FORMATS = (
    "", "rgba32f", "rgba16f", "r32f", "rgba8", "rgba8_snorm", "rg32f", "rg16f", "r11f_g11f_b10f", "r16f", "rgba16",
    "rgb10_a2", "rg16", "rg8", "r16", "r8", "rgba16_snorm", "rg16_snorm", "rg8_snorm", "r16_snorm", "r8_snorm",
    "rgba32i", "rgba16i", "rgba8i", "r32i", "rg32i", "rg16i", "rg8i", "r16i", "r8i", "rgba32ui", "rgba16ui",
    "rgba8ui", "r32ui", "rgb10_a2ui", "rg32ui", "rg16ui", "rg8ui", "r16ui", "r8ui",
)  # fmt: skip

# Opcodes.
_NAME, _MEMBER_NAME, _ENTRY_POINT, _EXECUTION_MODE = 5, 6, 15, 16
_TYPE_INT, _TYPE_FLOAT, _TYPE_VECTOR, _TYPE_MATRIX = 21, 22, 23, 24
_TYPE_IMAGE, _TYPE_SAMPLER, _TYPE_SAMPLED_IMAGE = 25, 26, 27
_TYPE_ARRAY, _TYPE_RUNTIME_ARRAY, _TYPE_STRUCT, _TYPE_POINTER = 28, 29, 30, 32
_CONSTANT, _CONSTANT_COMPOSITE, _SPEC_CONSTANT, _SPEC_COMPOSITE = 43, 44, 50, 51
_VARIABLE, _DECORATE, _MEMBER_DECORATE, _EXECUTION_MODE_ID = 59, 71, 72, 331
_TYPES = frozenset(range(_TYPE_INT, _TYPE_POINTER + 1))
_CONSTANTS = frozenset((_CONSTANT, _CONSTANT_COMPOSITE, _SPEC_CONSTANT, _SPEC_COMPOSITE))

# Decorations.
_BUFFER_BLOCK, _ROW_MAJOR, _ARRAY_STRIDE, _MATRIX_STRIDE, _BUILT_IN = 3, 4, 6, 7, 11
_NON_WRITABLE, _NON_READABLE, _BINDING, _SET, _OFFSET = 24, 25, 33, 34, 35
_WORKGROUP_SIZE = 25  # a built-in

# Storage classes.
_SPEC_ID = 1  # a decoration
_UNIFORM_CONSTANT, _UNIFORM, _PUSH_CONSTANT, _STORAGE_BUFFER = 0, 2, 9, 12


@dataclass(frozen=True)
class Binding:
    """One descriptor of a shader.

    Attributes:
        name: The variable's name; for a block its instance name or, where it has none, the block's name. A block of one
            structure and nothing else goes by that member's name and has the structure's dtype: shaders copy it whole.
        block_name: The block's own name, or "" for anything but a buffer.
        set: Descriptor set.
        binding: Slot in the set.
        kind: "uniform_buffer", "storage_buffer", "combined_image_sampler", "sampled_image", "storage_image" or
            "sampler".
        readable: Whether the shader may read it (not ``writeonly``).
        writable: Whether the shader may write it (not ``readonly``, and of a kind that can be written).
        count: Length of the descriptor array, 1 for a plain one.
        dtype: Layout of a block, None for anything but a buffer. Vectors are subarrays; a matrix is a subarray of its
            columns ``[column, row]``, a ``row_major`` one of its rows ``[row, column]``; an element that its array or
            matrix pads (std140's ``float[4]``) becomes a structure with the one field "value". With a runtime array
            at the end this is the fixed part, and ``itemsize`` is where the array starts.
        array_name: Name of the runtime array at the block's end, or "".
        array_dtype: Element of that runtime array, or None.
        image_format: Format of a storage image as GLSL spells it, such as "rgba32f"; "" where it has none.
        image_dim: "1d", "2d", "3d", "cube", with "_array" or "_ms" added; "" where it is no image.
    """

    name: str
    block_name: str
    set: int
    binding: int
    kind: str
    readable: bool
    writable: bool
    count: int = 1
    dtype: np.dtype | None = None
    array_name: str = ""
    array_dtype: np.dtype | None = None
    image_format: str = ""
    image_dim: str = ""


@dataclass(frozen=True)
class Shader:
    """A compiled shader and what its SPIR-V says about it.

    Attributes:
        name: As errors and `vkforge.vk.shaders.load` call it, such as "terrain/primary.comp".
        stage: "compute", "vertex" or "fragment".
        code: The SPIR-V itself.
        bindings: Sorted by set and slot.
        local_size: Invocations of a work group along x, y, z (specialisation constants at their defaults);
            (1, 1, 1) for other stages.
        push_constants: Layout of the push-constant block, or None.
        push_constant_size: Its size in bytes, a multiple of 4; 0 for none.
        specializations: Constant id of each named specialisation constant.
    """

    name: str
    stage: str
    code: bytes = field(repr=False)
    bindings: tuple[Binding, ...]
    local_size: tuple[int, int, int]
    push_constants: np.dtype | None
    push_constant_size: int
    specializations: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the code, in hexadecimal: what tells two shaders of one name apart."""
        return hashlib.sha256(self.code).hexdigest()


def reflect(code: bytes, name: str) -> Shader:
    """Read one SPIR-V module with a single entry point.

    Args:
        code: The module, little-endian.
        name: What to call the shader in errors.

    Raises:
        ShaderBuildError: The module is no SPIR-V, was compiled without names, or uses a kind of descriptor or type
            that vkforge has no use for.
    """
    try:
        return _Module(code, name).shader()
    except (LookupError, UnicodeDecodeError) as error:  # ids that nothing defines, operands that are not there
        raise ShaderBuildError(f"shader {name!r} is broken SPIR-V; run: {COMPILE_COMMAND}") from error


class _Module:
    """The instructions of a module, sorted into tables by result id."""

    def __init__(self, code: bytes, name: str) -> None:
        self.name = name
        self.code = code
        self.names: dict[int, str] = {}
        self.member_names: dict[tuple[int, int], str] = {}
        self.decorations: dict[int, dict[int, int]] = {}
        self.member_decorations: dict[tuple[int, int], dict[int, int]] = {}
        self.types: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.constants: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.variables: list[tuple[int, int, int]] = []  # id, pointer type, storage class
        self.entry_points: list[int] = []  # execution models
        self.local_size: tuple[int, ...] = (1, 1, 1)
        if len(code) < 20 or len(code) % 4 or struct.unpack_from("<I", code)[0] != _MAGIC:
            raise self.error("is not SPIR-V")
        self._read(struct.unpack(f"<{len(code) // 4}I", code))

    def error(self, what: str) -> ShaderBuildError:
        return ShaderBuildError(f"shader {self.name!r} {what}; run: {COMPILE_COMMAND}")

    def _read(self, words: tuple[int, ...]) -> None:
        at = 5  # after the header
        size_ids: tuple[int, ...] = ()
        while at < len(words):
            length, op = words[at] >> 16, words[at] & 0xFFFF
            if length == 0 or at + length > len(words):
                raise self.error("is truncated SPIR-V")
            args = words[at + 1 : at + length]
            at += length
            if op == _NAME:
                self.names[args[0]] = _string(args[1:])
            elif op == _MEMBER_NAME:
                self.member_names[args[0], args[1]] = _string(args[2:])
            elif op == _DECORATE:
                self.decorations.setdefault(args[0], {})[args[1]] = next(iter(args[2:]), 1)
            elif op == _MEMBER_DECORATE:
                member = self.member_decorations.setdefault((args[0], args[1]), {})
                member[args[2]] = next(iter(args[3:]), 1)
            elif op in _TYPES:
                self.types[args[0]] = (op, args[1:])
            elif op in _CONSTANTS:
                self.constants[args[1]] = (op, args[2:])
            elif op == _VARIABLE:
                self.variables.append((args[1], args[0], args[2]))
            elif op == _ENTRY_POINT:
                self.entry_points.append(args[0])
            elif op == _EXECUTION_MODE and args[1] == 17:  # LocalSize
                self.local_size = args[2:5]
            elif op == _EXECUTION_MODE_ID and args[1] == 38:  # LocalSizeId
                size_ids = args[2:5]
        for identifier, decorations in self.decorations.items():
            if decorations.get(_BUILT_IN) == _WORKGROUP_SIZE and identifier in self.constants:
                size_ids = self.constants[identifier][1]
        if size_ids:
            self.local_size = tuple(self._integer(i) for i in size_ids)

    def shader(self) -> Shader:
        if len(self.entry_points) != 1 or self.entry_points[0] not in _STAGES:
            raise self.error("must have one entry point, for the compute, vertex or fragment stage")
        bindings: list[Binding] = []
        constants: np.dtype | None = None
        for variable, pointer, storage in self.variables:
            pointee = self.types[pointer][1][1]
            if storage == _PUSH_CONSTANT:
                constants = self._block(pointee)[0]
            elif storage in (_UNIFORM_CONSTANT, _UNIFORM, _STORAGE_BUFFER):
                bindings.append(self._binding(variable, pointee, storage))
        bindings.sort(key=lambda b: (b.set, b.binding))
        for one, other in pairwise(bindings):
            if (one.set, one.binding) == (other.set, other.binding):
                raise self.error(f"has {one.name!r} and {other.name!r} both at set {one.set}, binding {one.binding}")
        x, y, z = self.local_size
        return Shader(
            self.name,
            _STAGES[self.entry_points[0]],
            self.code,
            tuple(bindings),
            (x, y, z),
            constants,
            -(-constants.itemsize // 4) * 4 if constants is not None else 0,
            {
                self.names[constant]: decorations[_SPEC_ID]
                for constant, decorations in self.decorations.items()
                if _SPEC_ID in decorations and constant in self.names
            },
        )

    def _integer(self, constant: int) -> int:
        if constant not in self.constants:
            raise self.error("sizes an array or a work group with an expression of specialisation constants")
        return self.constants[constant][1][0]

    def _binding(self, variable: int, type_id: int, storage: int) -> Binding:
        count = 1
        while self.types[type_id][0] == _TYPE_ARRAY:
            element, length = self.types[type_id][1]
            type_id, count = element, count * self._integer(length)
        op, args = self.types[type_id]
        decorations = self.decorations.get(variable, {})
        block_name = self.names.get(type_id, "") if op == _TYPE_STRUCT else ""
        name = self.names.get(variable, "") or block_name
        if not name:
            raise self.error("was compiled without names (glslang -g)")
        common: dict[str, Any] = {"set": decorations.get(_SET, 0), "binding": decorations.get(_BINDING, 0)}
        common |= {"name": name, "block_name": block_name, "count": count}
        if op == _TYPE_STRUCT:
            dtype, array_name, array_dtype = self._block(type_id)
            if len(args) == 1 and self.types[args[0]][0] == _TYPE_STRUCT:
                common["name"], dtype = self.member_names[type_id, 0], dtype[0]
            common |= {"dtype": dtype, "array_name": array_name, "array_dtype": array_dtype}
            if storage == _UNIFORM and _BUFFER_BLOCK not in self.decorations.get(type_id, {}):
                return Binding(**common, kind="uniform_buffer", readable=True, writable=False)
            members = range(len(args))
            return Binding(
                **common,
                kind="storage_buffer",
                readable=not self._all_have(_NON_READABLE, decorations, type_id, members),
                writable=not self._all_have(_NON_WRITABLE, decorations, type_id, members),
            )
        if op == _TYPE_SAMPLER:
            return Binding(**common, kind="sampler", readable=True, writable=False)
        combined = op == _TYPE_SAMPLED_IMAGE
        if combined:
            op, args = self.types[args[0]]
        if op != _TYPE_IMAGE or args[1] not in _DIMENSIONS:
            raise self.error(f"binds {name!r}, which is neither a buffer, an image nor a sampler")
        _, dim, _, arrayed, multisampled, sampled, image_format = args[:7]
        common["image_dim"] = _DIMENSIONS[dim] + ("_array" if arrayed else "") + ("_ms" if multisampled else "")
        if sampled == 2:
            return Binding(
                **common,
                kind="storage_image",
                readable=_NON_READABLE not in decorations,
                writable=_NON_WRITABLE not in decorations,
                image_format=_FORMATS[image_format] if image_format < len(_FORMATS) else "",
            )
        kind = "combined_image_sampler" if combined else "sampled_image"
        return Binding(**common, kind=kind, readable=True, writable=False)

    def _all_have(self, decoration: int, variable: dict[int, int], type_id: int, members: range) -> bool:
        return decoration in variable or all(
            decoration in self.member_decorations.get((type_id, member), {}) for member in members
        )

    def _block(self, type_id: int) -> tuple[np.dtype, str, np.dtype | None]:
        """Return the dtype of a block's fixed part, and the name and element of its runtime array."""
        members = self.types[type_id][1]
        last = len(members) - 1
        if self.types[members[last]][0] != _TYPE_RUNTIME_ARRAY:
            return self._struct(type_id), "", None
        element = self.types[members[last]][1][0]
        stride = self.decorations[members[last]][_ARRAY_STRIDE]
        start = self.member_decorations[type_id, last][_OFFSET]
        array = _padded(self._dtype(element, self.member_decorations[type_id, last]), stride)
        return self._struct(type_id, members[:last], start), self.member_names[type_id, last], array

    def _struct(self, type_id: int, members: tuple[int, ...] | None = None, itemsize: int | None = None) -> np.dtype:
        members = self.types[type_id][1] if members is None else members
        names, formats, offsets = [], [], []
        for index, member in enumerate(members):
            decorations = self.member_decorations.get((type_id, index), {})
            if (type_id, index) not in self.member_names or _OFFSET not in decorations:
                raise self.error("was compiled without names (glslang -g), or a block lacks its layout")
            names.append(self.member_names[type_id, index])
            formats.append(self._dtype(member, decorations))
            offsets.append(decorations[_OFFSET])
        end = max((o + f.itemsize for o, f in zip(offsets, formats, strict=True)), default=0)
        return np.dtype(
            {"names": names, "formats": formats, "offsets": offsets, "itemsize": end if itemsize is None else itemsize}
        )

    def _dtype(self, type_id: int, member: dict[int, int]) -> np.dtype:
        """Return the dtype of a type as a member that carries these decorations (a matrix's are its member's)."""
        op, args = self.types[type_id]
        if op == _TYPE_INT:
            return np.dtype(f"<{'i' if args[1] else 'u'}{args[0] // 8}")
        if op == _TYPE_FLOAT:
            return np.dtype(f"<f{args[0] // 8}")
        if op == _TYPE_VECTOR:
            return _array(self._dtype(args[0], {}), args[1])
        if op == _TYPE_MATRIX:
            column, columns = args
            scalar, rows = self.types[column][1]
            outer, inner = (rows, columns) if _ROW_MAJOR in member else (columns, rows)
            line = _array(self._dtype(scalar, {}), inner)
            return _array(_padded(line, member[_MATRIX_STRIDE]), outer)
        if op == _TYPE_ARRAY:
            element, length = args
            stride = self.decorations[type_id][_ARRAY_STRIDE]
            return _array(_padded(self._dtype(element, member), stride), self._integer(length))
        if op == _TYPE_STRUCT:
            return self._struct(type_id)
        if op == _TYPE_POINTER:  # a buffer reference: a device address
            return np.dtype("<u8")
        raise self.error(f"has a block member of a type that has no NumPy counterpart (SPIR-V opcode {op})")


def _array(element: np.dtype, length: int) -> np.dtype:
    return np.dtype((element.base, (length, *element.shape)))


def _padded(dtype: np.dtype, stride: int) -> np.dtype:
    """Return `dtype` widened to `stride` bytes; NumPy can pad structures only, so anything else becomes one."""
    if dtype.itemsize == stride:
        return dtype
    fields = {name: (entry[0], entry[1]) for name, entry in (dtype.fields or {"value": (dtype, 0)}).items()}
    return np.dtype(
        {
            "names": list(fields),
            "formats": [format_ for format_, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": stride,
        }
    )


def _string(words: tuple[int, ...]) -> str:
    return struct.pack(f"<{len(words)}I", *words).split(b"\0", 1)[0].decode()
