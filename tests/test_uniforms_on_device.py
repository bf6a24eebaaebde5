"""Host and shader agree, bit for bit, about every block in the tree.

For each uniform, push-constant and storage block a probe shader is made out of the block's own GLSL text. It writes
every scalar of the block, in declared order, into a buffer; the host fills the dtype that reflection of the *real*
shader gave with random bits, and what comes back must be those.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from device_lab import compile_shader

import vkforge as vf
from vkforge.graph.access import Access
from vkforge.memory.intents import Intent
from vkforge.vk import shaders
from vkforge.vk.commands import Commands
from vkforge.vk.device import Owner
from vkforge.vk.pipelines import BoundBuffer, compute_pipeline, make_descriptor_sets
from vkforge.vk.resources import Buffer

pytestmark = pytest.mark.gpu

GLSL = Path(__file__).resolve().parents[1] / "shaders" / "glsl"
PROBE_BINDING = 31
ARRAY_LENGTH = 3  # elements given to a runtime array

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)".*$', re.MULTILINE)
_BLOCK = re.compile(
    r"layout\s*\((?P<layout>[^)]*)\)\s*(?P<qualifiers>(?:\w+\s+)*?)(?P<storage>uniform|buffer)\s+(?P<block>\w+)\s*"
    r"\{(?P<members>[^}]*)\}\s*(?P<instance>\w*)\s*;"
)
_STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{([^}]*)\}\s*;")
_CONSTANT = re.compile(  # what may be a length, or be in one
    r"^(?:layout\(constant_id = \d+\) )?const\s+(?:bool|u?int|float|[iu]vec[234])\s[^;]*;", re.MULTILINE
)
_MEMBER = re.compile(r"^(?:(?:row_major|column_major|readonly|writeonly|coherent|restrict|highp)\s+)*(\w+)\s+(.*)$")
_DECLARATOR = re.compile(r"^(\w+)\s*((?:\[[^\]]*\]\s*)*)$")
_AS_WORD = {"float": "floatBitsToUint({})", "int": "uint({})", "uint": "{}"}
_LETTERS = {"": "float", "i": "int", "u": "uint"}


def source_of(name: str) -> str:
    """Return a shader's text with its includes in place and no comments."""
    seen: set[str] = set()

    def expand(path: Path) -> str:
        def include(match: re.Match[str]) -> str:
            if match[1] in seen:
                return ""
            seen.add(match[1])
            near = path.parent / match[1]
            return expand(near if near.is_file() else GLSL / match[1])

        return _INCLUDE.sub(include, path.read_text())

    return re.sub(r"//[^\n]*|/\*.*?\*/", "", expand(GLSL / name), flags=re.DOTALL)


@dataclass(frozen=True)
class Leaf:
    """One scalar of a block: how GLSL reaches it, its type, and how the dtype does."""

    glsl: str
    scalar: str
    path: tuple[Any, ...]


class Text:
    """What a shader's source says about its blocks."""

    def __init__(self, name: str) -> None:
        self.source = source_of(name)
        self.structs = {match[1]: match[2] for match in _STRUCT.finditer(self.source)}

    def block(self, name: str) -> re.Match[str]:
        """Return the block of that name."""
        found = [match for match in _BLOCK.finditer(self.source) if match["block"] == name]
        assert len(found) == 1, f"{len(found)} blocks called {name} in the text"
        return found[0]

    def members(self, text: str) -> list[tuple[str, str, list[str]]]:
        """Return (type, name, array lengths) of each member, in order."""
        found = []
        for declaration in filter(None, (part.strip() for part in text.split(";"))):
            match = _MEMBER.match(declaration)
            assert match is not None, declaration
            for declarator in match[2].split(","):
                parts = _DECLARATOR.match(declarator.strip())
                assert parts is not None, declaration
                found.append((match[1], parts[1], re.findall(r"\[\s*([^\]]*?)\s*\]", parts[2])))
        return found

    def leaves(self, type_name: str, lengths: list[str], glsl: str, path: tuple[Any, ...]) -> list[Leaf]:
        """Return the scalars of something of a type, in declared order."""
        if lengths:
            count = self.length(lengths[0])
            each = [self.leaves(type_name, lengths[1:], f"{glsl}[{i}]", (*path, i)) for i in range(count)]
            return [leaf for leaves in each for leaf in leaves]
        if type_name in self.structs:
            inner = self.members(self.structs[type_name])
            each = [self.leaves(t, n, f"{glsl}.{name}", (*path, name)) for t, name, n in inner]
            return [leaf for leaves in each for leaf in leaves]
        if match := re.fullmatch(r"([iu]?)vec([234])", type_name):
            return [Leaf(f"{glsl}[{i}]", _LETTERS[match[1]], (*path, i)) for i in range(int(match[2]))]
        if match := re.fullmatch(r"mat([234])(?:x([234]))?", type_name):
            columns, rows = int(match[1]), int(match[2] or match[1])
            return [Leaf(f"{glsl}[{c}][{r}]", "float", (*path, c, r)) for c in range(columns) for r in range(rows)]
        assert type_name in _AS_WORD, f"the probe knows no {type_name}"
        return [Leaf(glsl, type_name, path)]

    def length(self, text: str) -> int:
        """Return an array's length: a number or a constant of the source; a runtime array gets a few elements."""
        if text == "":
            return ARRAY_LENGTH
        if text.isdigit():
            return int(text)
        match = re.search(rf"const\s+u?int\s+{text}\s*=\s*(\d+)u?\s*;", self.source)
        assert match is not None, f"the probe can't tell the length {text!r}"
        return int(match[1])


def blocks() -> list[tuple[str, str]]:
    """Return (shader, block name) for every block in the tree; "" is the push-constant block."""
    found = []
    for name in shaders.names():
        shader = shaders.load(name)
        found += [(name, binding.block_name) for binding in shader.bindings if binding.dtype is not None]
        if shader.push_constants is not None:
            found.append((name, ""))
    return found


def test_every_block_of_the_text_is_probed() -> None:
    written = {(name, match["block"]) for name in shaders.names() for match in _BLOCK.finditer(source_of(name))}
    probed = {(name, block or push_constant_block(name)) for name, block in blocks()}
    assert probed == written
    assert {"Terrain", "Frame", "Level", "Rays", "Results"} <= {block for _, block in probed}


def push_constant_block(shader: str) -> str:
    found = [match["block"] for match in _BLOCK.finditer(source_of(shader)) if "push_constant" in match["layout"]]
    assert len(found) == 1
    return found[0]


def probe_source(text: Text, block: re.Match[str], leaves: list[Leaf]) -> str:
    """Return a shader that declares the block as its source does, and writes its scalars out."""
    structs = "\n".join(match[0] for match in _STRUCT.finditer(text.source))
    constants = "\n".join(match[0] for match in _CONSTANT.finditer(text.source))
    # Qualifiers such as writeonly say what the real shader does with it; the probe reads.
    declared = block[0].replace(block["qualifiers"], "", 1) if block["qualifiers"] else block[0]
    declared = re.sub(r"\b(readonly|writeonly)\b", "", declared)
    writes = "\n".join(f"    words[{i}] = {_AS_WORD[leaf.scalar].format(leaf.glsl)};" for i, leaf in enumerate(leaves))
    return f"""#version 460
#extension GL_EXT_scalar_block_layout : require
layout(local_size_x = 1) in;
{constants}
{structs}
{declared}
layout(set = 0, binding = {PROBE_BINDING}, scalar) writeonly buffer Probe {{ uint words[]; }};
void main() {{
{writes}
}}
"""


def random_bits(count: int, seed: int) -> np.ndarray:
    """Return distinct words that are finite, normal numbers when read as floats, so that nothing may change them."""
    rng = np.random.default_rng(seed)
    exponents = rng.integers(1, 255, count, dtype=np.uint32) << 23
    words = (
        exponents | rng.integers(0, 2**23, count, dtype=np.uint32) | rng.integers(0, 2, count, dtype=np.uint32) << 31
    )
    assert len(np.unique(words)) == count
    return words


def put(record: np.ndarray, path: tuple[Any, ...], scalar: str, word: np.uint32) -> None:
    """Set one scalar of a record, by field names and indices, to the value that `word` stands for."""
    target: Any = record
    for step in path[:-1]:
        target = target[step]
        if isinstance(target, np.ndarray) and target.dtype.names == ("value",):
            target = target["value"]  # how reflection shows an element that its array pads
    dtype = {"float": "<f4", "int": "<i4", "uint": "<u4"}[scalar]
    target[path[-1]] = np.array(word, "<u4").view(dtype)[()]


def read_back(renderer: vf.Renderer, probe: Any, name: str, kind: str, content: bytes, count: int) -> np.ndarray:
    """Run a probe over a block's bytes; return the words it wrote."""
    device = renderer._device
    owner = Owner(device, "probe")
    try:
        pipeline = compute_pipeline(device, probe, {})
        results = Buffer(owner, "words", 4 * count, frozenset(["storage"]), Intent.READBACK)
        bound = {binding.name: binding for binding in probe.bindings}
        contents = {"Probe": BoundBuffer(results.handle, 0, results.size)}
        if kind != "push_constants":
            usage = "uniform" if kind == "uniform_buffer" else "storage"
            buffer = Buffer(owner, "block", len(content), frozenset([usage]), Intent.DYNAMIC)
            buffer.array(np.uint8, len(content))[:] = np.frombuffer(content, np.uint8)
            assert bound[name].kind == kind
            contents[name] = BoundBuffer(buffer.handle, 0, len(content))
        (descriptors,) = make_descriptor_sets(owner, [pipeline], [contents])
        with Commands(owner, "probe") as commands:
            commands.dispatch(pipeline, descriptors, (1, 1), content if kind == "push_constants" else b"")
            commands.memory_barrier(Access.STORAGE_WRITE, Access.HOST_READ)
        device.wait(device.submit(commands.handle, "probe"), "probe")
        results.invalidate()
        return results.array(np.uint32, count).copy()
    finally:
        owner.release()


@pytest.mark.parametrize(("shader", "block_name"), blocks())
def test_the_device_reads_what_the_host_wrote(renderer: vf.Renderer, shader: str, block_name: str) -> None:
    text = Text(shader)
    real = shaders.load(shader)
    binding = next((b for b in real.bindings if block_name and b.block_name == block_name), None)
    block = text.block(block_name or push_constant_block(shader))
    prefix = f"{block['instance']}." if block["instance"] else ""
    members = text.members(block["members"])
    kind_of, only, lengths = members[0]
    if len(members) == 1 and not lengths and kind_of in text.structs:  # reflection goes by what is in it
        prefix += f"{only}."
        members = text.members(text.structs[kind_of])

    fixed = binding.dtype if binding else real.push_constants
    assert fixed is not None
    array_name = binding.array_name if binding else ""
    fields = list(fixed.names or ())
    assert [name for _, name, _ in members] == fields + [array_name] * bool(array_name)

    size = fixed.itemsize
    if array_name and binding and binding.array_dtype is not None:
        size += ARRAY_LENGTH * binding.array_dtype.itemsize
    content = np.zeros(max(4, -(-size // 4) * 4), np.uint8)
    record = content[: fixed.itemsize].view(fixed).reshape(()) if fixed.itemsize else np.zeros((), fixed)
    element = binding.array_dtype if binding else None
    tail = None
    if element is not None:
        base, shape = element.subdtype or (element, ())  # elements that are vectors
        tail = content[fixed.itemsize : size].view(base).reshape(-1, *shape)

    leaves = [leaf for t, n, lengths in members for leaf in text.leaves(t, lengths, prefix + n, (n,))]
    words = random_bits(len(leaves), seed=len(leaves))
    for leaf, word in zip(leaves, words, strict=True):
        if tail is not None and leaf.path[0] == array_name:
            put(tail, leaf.path[1:], leaf.scalar, word)
        else:
            put(record, leaf.path, leaf.scalar, word)

    kind = binding.kind if binding else "push_constants"
    probe = compile_shader(probe_source(text, block, leaves), f"probe of {block['block']} in {shader}")
    got = read_back(renderer, probe, binding.name if binding else "", kind, content.tobytes(), len(leaves))
    wrong = [leaf.glsl for leaf, word, other in zip(leaves, words, got, strict=True) if word != other]
    assert not wrong, f"the shader reads other bits at {', '.join(wrong)}"
