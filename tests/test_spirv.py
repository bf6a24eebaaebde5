"""Reflection: bindings, access, formats and block layouts of small shaders, with offsets worked out by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tools import compile_shaders
from vkforge.errors import ShaderBuildError
from vkforge.vk.spirv import Binding, Shader, reflect

HEAD = "#version 460\n#extension GL_EXT_scalar_block_layout : require\n"
COMPUTE = HEAD + "layout(local_size_x = 8, local_size_y = 4) in;\n"


@pytest.fixture
def compiled(tmp_path: Path):
    """Return a function that compiles GLSL and reflects the result."""
    compiler = compile_shaders.Compiler.find()

    def compile_and_reflect(source: str, stage: str = "comp") -> Shader:
        (tmp_path / f"shader.{stage}").write_text(source)
        out = tmp_path / "shader.spv"
        command = [compiler.glslang, *compile_shaders.OPTIONS, "-o", str(out), f"shader.{stage}"]
        run = compile_shaders.run_tool(command, cwd=tmp_path)
        assert run.returncode == 0, run.stdout
        return reflect(out.read_bytes(), f"shader.{stage}")

    return compile_and_reflect


def only(shader: Shader) -> Binding:
    (binding,) = shader.bindings
    return binding


def layout(dtype: np.dtype | None) -> dict[str, tuple[int, int]]:
    """Return each field's (offset, size)."""
    assert dtype is not None
    assert dtype.fields is not None
    return {name: (field[1], field[0].itemsize) for name, field in dtype.fields.items()}


MIXED = """
struct Inner { vec3 a; float b; vec2 c; };
layout(%s, set = 0, binding = 0) buffer Block {
    float first;
    vec3 direction;
    vec2 pair;
    vec3 list[3];
    Inner inner;
    Inner inners[2];
    mat3 columns;
    uint last;
};
void main() { last = 1; }
"""


def test_scalar_layout_packs_everything(compiled):
    """Scalar: each member at the next multiple of its component, 4 bytes here."""
    dtype = only(compiled(COMPUTE + MIXED % "scalar")).dtype
    assert layout(dtype) == {
        "first": (0, 4),
        "direction": (4, 12),
        "pair": (16, 8),
        "list": (24, 36),
        "inner": (60, 24),
        "inners": (84, 48),
        "columns": (132, 36),
        "last": (168, 4),
    }
    assert dtype.itemsize == 172
    assert dtype["list"].shape == (3, 3)
    assert dtype["columns"].shape == (3, 3)
    assert layout(dtype["inner"]) == {"a": (0, 12), "b": (12, 4), "c": (16, 8)}
    assert np.zeros(1, dtype)["columns"].shape == (1, 3, 3)


def test_std430_layout_aligns_vectors_to_sixteen_bytes(compiled):
    dtype = only(compiled(COMPUTE + MIXED % "std430")).dtype
    assert layout(dtype) == {
        "first": (0, 4),
        "direction": (16, 12),
        "pair": (32, 8),
        "list": (48, 48),
        "inner": (96, 24),
        "inners": (128, 64),
        "columns": (192, 48),
        "last": (240, 4),
    }
    block = np.zeros((), dtype)
    block["list"]["value"][2] = (1, 2, 3)
    block["inners"]["b"][1] = 4
    block["columns"]["value"][1] = (5, 6, 7)
    floats = np.frombuffer(block.tobytes(), "<f4")
    assert floats[(48 + 32) // 4 :][:3].tolist() == [1, 2, 3]
    assert floats[(128 + 32 + 12) // 4] == 4
    assert floats[(192 + 16) // 4 :][:3].tolist() == [5, 6, 7]


def test_a_block_of_one_structure_goes_by_its_name(compiled):
    source = "struct Values { vec3 a; int b; }; layout(scalar, binding = 0) readonly buffer B { Values v; } stored;"
    binding = only(compiled(COMPUTE + source + " void main() {}"))
    assert (binding.name, binding.block_name) == ("v", "B")
    assert (binding.readable, binding.writable) == (True, False)
    assert layout(binding.dtype) == {"a": (0, 12), "b": (12, 4)}


def test_std140_layout_pads_arrays_of_scalars(compiled):
    source = "layout(std140, binding = 3, set = 1) uniform U { float weights[4]; mat2 m; float end; } u; void main() {}"
    binding = only(compiled(COMPUTE + source))
    assert (binding.name, binding.block_name, binding.set, binding.binding) == ("u", "U", 1, 3)
    assert (binding.kind, binding.readable, binding.writable) == ("uniform_buffer", True, False)
    assert layout(binding.dtype) == {"weights": (0, 64), "m": (64, 32), "end": (96, 4)}
    assert binding.dtype["weights"].base.itemsize == 16


def test_a_row_major_matrix_is_its_rows(compiled):
    source = "layout(scalar, binding = 0) uniform U { mat2x3 m; layout(row_major) mat2x3 r; } u; void main() {}"
    dtype = only(compiled(COMPUTE + source)).dtype
    assert dtype["m"].shape == (2, 3)  # columns
    assert dtype["r"].shape == (3, 2)  # rows
    assert layout(dtype) == {"m": (0, 24), "r": (24, 24)}


@pytest.mark.parametrize(
    ("declared", "element", "shape", "start"),
    [
        ("uint count; vec3 points[];", 12, (3,), 4),
        ("double d; uvec2 count; Node nodes[];", 20, (), 16),
        ("float values[];", 4, (), 0),
        ("vec2 grid[][3];", 24, (3, 2), 0),
    ],
)
def test_a_runtime_array_is_told_apart(compiled, declared, element, shape, start):
    source = "struct Node { vec3 low; uvec2 children; };"
    source += f"layout(scalar, binding = 0) readonly buffer B {{ {declared} }} data; void main() {{}}"
    binding = only(compiled(COMPUTE + source))
    assert binding.array_dtype.itemsize == element
    assert binding.array_dtype.shape == shape
    assert binding.array_name == declared.split("[")[0].split()[-1]
    assert binding.dtype.itemsize == start
    assert np.zeros(0, binding.dtype).nbytes == 0


def test_types_map_to_numpy(compiled):
    source = """
    #extension GL_EXT_shader_explicit_arithmetic_types : require
    #extension GL_EXT_shader_16bit_storage : require
    #extension GL_EXT_shader_8bit_storage : require
    layout(scalar, binding = 0) buffer B {
        int i; uint u; float f; double d; int64_t l; uint64_t ul; float16_t h; uint8_t b; ivec4 v; dvec2 dv;
    };
    void main() {}
    """
    dtype = only(compiled(COMPUTE + source)).dtype
    found = {name: dtype[name].base.str for name in dtype.names}
    assert found == {
        "i": "<i4", "u": "<u4", "f": "<f4", "d": "<f8", "l": "<i8", "ul": "<u8", "h": "<f2", "b": "|u1",
        "v": "<i4", "dv": "<f8",
    }  # fmt: skip
    assert dtype.fields["d"][1] == 16


def test_access_follows_the_qualifiers(compiled):
    source = """
    layout(scalar, binding = 0) buffer Both { float a; } both;
    layout(scalar, binding = 1) readonly buffer In { float a; float b; } inward;
    layout(scalar, binding = 2) writeonly buffer Out { float a; };
    layout(scalar, binding = 3) buffer Mixed { readonly float a; float b; } mixed;
    layout(rgba32f, binding = 4) readonly uniform image2D source;
    layout(r32ui, binding = 5) uniform uimage2DArray counter;
    layout(binding = 6) writeonly uniform image3D anything;
    void main() {}
    """
    found = {b.name: (b.readable, b.writable) for b in compiled(COMPUTE + source).bindings}
    assert found == {
        "both": (True, True),
        "inward": (True, False),
        "Out": (False, True),
        "mixed": (True, True),
        "source": (True, False),
        "counter": (True, True),
        "anything": (False, True),
    }


def test_images_and_samplers(compiled):
    source = """
    layout(set = 1, binding = 0) uniform sampler2D albedo;
    layout(set = 0, binding = 7) uniform texture3D volume;
    layout(set = 0, binding = 2) uniform sampler nearest;
    layout(set = 0, binding = 1) uniform samplerCube skies[4];
    layout(set = 0, binding = 3, rg16f) uniform image2D levels[2][3];
    layout(set = 0, binding = 4, r11f_g11f_b10f) uniform image2DArray layers;
    void main() {}
    """
    shader = compiled(COMPUTE + source)
    assert [(b.name, b.kind, b.count, b.image_dim, b.image_format) for b in shader.bindings] == [
        ("skies", "combined_image_sampler", 4, "cube", ""),
        ("nearest", "sampler", 1, "", ""),
        ("levels", "storage_image", 6, "2d", "rg16f"),
        ("layers", "storage_image", 1, "2d_array", "r11f_g11f_b10f"),
        ("volume", "sampled_image", 1, "3d", ""),
        ("albedo", "combined_image_sampler", 1, "2d", ""),
    ]
    assert all(b.dtype is None for b in shader.bindings)


@pytest.mark.parametrize("name", ["rgba32f", "rgba16f", "r32f", "rgba8", "rgba16", "rgb10_a2", "r8", "rgba8_snorm"])
def test_float_image_formats(compiled, name):
    assert (
        only(compiled(COMPUTE + f"layout({name}, binding = 0) uniform image2D i; void main() {{}}")).image_format
        == name
    )


@pytest.mark.parametrize("name", ["rgba32ui", "r32ui", "rg16ui", "rgba8ui", "r8ui"])
def test_unsigned_image_formats(compiled, name):
    source = f"layout({name}, binding = 0) uniform uimage2D i; void main() {{}}"
    assert only(compiled(COMPUTE + source)).image_format == name


def test_local_size(compiled):
    assert compiled(COMPUTE + "void main() {}").local_size == (8, 4, 1)


def test_local_size_by_specialisation_constants_takes_their_defaults(compiled):
    source = HEAD + "layout(local_size_x_id = 0, local_size_x = 16, local_size_y_id = 1, local_size_z = 2) in;"
    assert compiled(source + "void main() {}").local_size == (16, 1, 2)


def test_an_array_sized_by_a_specialisation_constant_takes_its_default(compiled):
    source = "layout(constant_id = 3) const uint n = 5;"
    source += "layout(scalar, binding = 0) buffer B { float a[n]; float b; }; void main() {}"
    assert layout(only(compiled(COMPUTE + source)).dtype) == {"a": (0, 20), "b": (20, 4)}


def test_push_constants(compiled):
    source = "layout(scalar, push_constant) uniform P { uvec2 size; vec3 sun; float16_t bias; }; void main() {}"
    source = "#extension GL_EXT_shader_explicit_arithmetic_types : require\n" + source
    shader = compiled(COMPUTE + source)
    assert layout(shader.push_constants) == {"size": (0, 8), "sun": (8, 12), "bias": (20, 2)}
    assert shader.push_constant_size == 24
    plain = compiled(COMPUTE + "void main() {}")
    assert (plain.push_constants, plain.push_constant_size, plain.bindings) == (None, 0, ())


def test_other_stages(compiled):
    vertex = compiled(HEAD + "void main() { gl_Position = vec4(0); }", "vert")
    fragment = compiled(HEAD + "layout(location = 0) out vec4 c; void main() { c = vec4(1); }", "frag")
    assert (vertex.stage, fragment.stage, vertex.local_size) == ("vertex", "fragment", (1, 1, 1))


def test_a_buffer_reference_is_an_address(compiled):
    source = "#extension GL_EXT_buffer_reference : require\n"
    source += "layout(buffer_reference, scalar) buffer Heights { float h[]; };"
    source += "layout(scalar, binding = 0) uniform U { uint n; Heights heights; } u; void main() {}"
    assert layout(only(compiled(COMPUTE + source)).dtype) == {"n": (0, 4), "heights": (8, 8)}


def test_two_names_at_one_slot_are_an_error(compiled):
    source = "layout(binding = 0, r32f) uniform image2D a; layout(binding = 0, r32f) uniform image2D b; void main() {}"
    with pytest.raises(ShaderBuildError, match=r"'shader.comp' has 'a' and 'b' both at set 0, binding 0"):
        compiled(COMPUTE + source)


def test_a_texel_buffer_is_refused(compiled):
    with pytest.raises(ShaderBuildError, match=r"binds 'lookup', which is neither"):
        compiled(COMPUTE + "layout(binding = 0) uniform samplerBuffer lookup; void main() {}")


@pytest.mark.parametrize("code", [b"", b"#version 460", b"\0" * 40, struct.pack("<5I", 1, 2, 3, 4, 5)])
def test_what_is_not_spirv_is_refused(code):
    with pytest.raises(ShaderBuildError, match=r"'x\.comp' is not SPIR-V"):
        reflect(code, "x.comp")


def test_truncated_spirv_never_raises_anything_else(compiled):
    """Cut anywhere; a cut behind the last declaration can't be told."""
    code = compiled(COMPUTE + MIXED % "scalar").code
    refused = 0
    for end in range(20, len(code), 4):
        try:
            reflect(code[:end], "x.comp")
        except ShaderBuildError as error:
            assert "'x.comp'" in str(error)  # noqa: PT017
            refused += 1
    assert refused > len(code) // 8
