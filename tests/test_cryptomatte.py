"""Cryptomatte: hashes against published ones and another library's, mattes against two readers."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.io.cryptomatte import RANKS, id_bits, layer_of, matte_header, matte_layers, murmur3_32

HEIGHT, WIDTH = 20, 33
NAMES = ("", "a", "ab", "abc", "abcd", "terrain", "water", "CryptoObject", "névé", "氷河", "x" * 257)


def made(count: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Mattes that share out each pixel, some of them absent from some pixels, beside a sky that has none."""
    rng = np.random.default_rng(seed)
    shares = rng.random((count + 1, HEIGHT, WIDTH)) * (rng.random((count + 1, HEIGHT, WIDTH)) < 0.4)
    shares[-1] += 1e-3
    shares /= shares.sum(axis=0)
    return {f"thing {i}": shares[i].astype(np.float32) for i in range(count)}


def picture(mattes: dict[str, dict[str, np.ndarray]]) -> Image:
    zeros = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    return Image(zeros, zeros[..., :3].astype(np.float32), mattes=mattes)


def read_mattes(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """A reader after the specification: of all parts, whatever the layers and channels are called."""
    import OpenEXR

    file = OpenEXR.File(str(path), separate_channels=True)
    channels = {}
    for index in range(len(file.parts)):
        channels |= {name.lower(): channel.pixels for name, channel in file.channels(index).items()}
    header = file.header()
    found: dict[str, dict[str, np.ndarray]] = {}
    for attribute in header:
        if not attribute.startswith("cryptomatte/") or not attribute.endswith("/name"):
            continue
        key, layer = attribute.removesuffix("/name"), header[attribute]
        assert len(key.removeprefix("cryptomatte/")) == 7
        assert header[f"{key}/hash"] == "MurmurHash3_32"
        assert header[f"{key}/conversion"] == "uint32_to_float32"
        pairs, number = [], 0
        while (first := f"{layer}{number:02d}.r".lower()) in channels:
            stem = first[:-2]
            pairs += [(channels[f"{stem}.{i}"], channels[f"{stem}.{c}"]) for i, c in ("rg", "ba")]
            number += 1
        assert all(plane.dtype == np.float32 for pair in pairs for plane in pair)
        found[layer] = {}
        for name, digits in json.loads(header[f"{key}/manifest"]).items():
            assert len(digits) == 8
            (wanted,) = struct.unpack(">f", bytes.fromhex(digits))
            found[layer][name] = np.sum([np.where(i == np.float32(wanted), c, 0.0) for i, c in pairs], axis=0)
    return found


def test_published_hashes() -> None:
    assert f"{id_bits('bunny'):08x}" == "13851a76"
    assert f"{id_bits('default'):08x}" == "42c9679f"
    # what Blender 5.0 writes for its own layers
    assert set(matte_header("ViewLayer.CryptoObject", {})) >= {"cryptomatte/542cafa/name"}
    assert set(matte_header("ViewLayer.CryptoMaterial", {})) >= {"cryptomatte/c7dbf5e/name"}


def test_hash_is_that_of_another_library() -> None:
    mmh3 = pytest.importorskip("mmh3")
    for name in NAMES:
        assert murmur3_32(name.encode()) == mmh3.hash(name.encode(), 0, signed=False)


def test_ids_are_ordinary_floats() -> None:
    names = [f"name {i}" for i in range(4000)]
    ids = np.array([id_bits(name) for name in names], np.uint32)
    raw = np.array([murmur3_32(name.encode()) for name in names], np.uint32)
    exponents = (ids >> 23) & 0xFF
    assert exponents.min() >= 1 and exponents.max() <= 254
    assert np.isfinite(ids.view(np.float32)).all()
    mended = ids != raw
    assert 5 < mended.sum() < 100, "two exponents of 256 are mended"
    assert set(((raw[mended] >> 23) & 0xFF).tolist()) == {0, 255}
    assert np.array_equal(ids & 0x807FFFFF, raw & 0x807FFFFF), "sign and mantissa stay"


def test_ranks_fall_and_keep_the_most() -> None:
    mattes = made(9)
    layers = matte_layers("CryptoObject", mattes)
    assert list(layers) == ["CryptoObject00", "CryptoObject01", "CryptoObject02"]
    planes = np.array(list(layers.values())).reshape(RANKS, 2, HEIGHT, WIDTH)
    ids, coverages = planes[:, 0], planes[:, 1]
    assert (np.diff(coverages, axis=0) <= 0).all()
    assert ((ids == 0) == (coverages == 0)).all()
    assert np.array_equal(coverages, -np.sort(-np.array(list(mattes.values())), axis=0)[:RANKS])
    for name, coverage in mattes.items():
        own = np.array([id_bits(name)], np.uint32).view(np.float32)[0]
        assert np.isin(coverages[ids == own], coverage).all()
        assert ((ids == own).sum(axis=0) <= 1).all()


@pytest.mark.parametrize("names", ["vkforge", "blender"])
@pytest.mark.parametrize("parts", ["single", "multi"])
def test_read_back_after_the_specification(tmp_path: Path, parts: str, names: str) -> None:
    pytest.importorskip("OpenEXR")
    mattes = {"object": made(4), "material": {'rock "névé"': made(1, seed=9)["thing 0"]}}
    read = read_mattes(picture(mattes).save(tmp_path / "a.exr", parts=parts, names=names))
    prefix = "ViewLayer." if names == "blender" else ""
    assert set(read) == {f"{prefix}CryptoObject", f"{prefix}CryptoMaterial"}
    for matte_set, layer in (("object", "CryptoObject"), ("material", "CryptoMaterial")):
        assert set(read[prefix + layer]) == set(mattes[matte_set])
        for name, coverage in mattes[matte_set].items():
            assert np.array_equal(read[prefix + layer][name], coverage)


@pytest.mark.parametrize("names", ["vkforge", "blender"])
def test_read_back_by_another_library(tmp_path: Path, names: str) -> None:
    reader = pytest.importorskip("cryptomatte_api")
    mattes = {"object": made(5), "material": made(2)}
    path = picture(mattes).save(tmp_path / "a.exr", names=names, compression="piz")
    read = reader.Cryptomatte.load(str(path))
    assert [crypto.num_levels() for crypto in read] == [RANKS, RANKS]
    by_layer = {crypto.metadata().name().removeprefix("ViewLayer."): crypto.masks() for crypto in read}
    for matte_set, layer in (("object", "CryptoObject"), ("material", "CryptoMaterial")):
        assert set(by_layer[layer]) == set(mattes[matte_set])
        for name, coverage in mattes[matte_set].items():
            assert np.array_equal(by_layer[layer][name], coverage)


def test_lossy_compression_never_touches_ids(tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    image = picture({"object": made(3)})
    with pytest.raises(InputError, match=r"'dwaa' in a single part would spoil CryptoObject00\.R.*parts='multi'"):
        image.save(tmp_path / "a.exr", compression="dwaa")
    assert not list(tmp_path.iterdir())
    read = read_mattes(image.save(tmp_path / "a.exr", compression="dwaa", parts="multi"))
    assert all(np.array_equal(read["CryptoObject"][name], cover) for name, cover in image.mattes["object"].items())


def test_bad_mattes(tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    for bad in (1.5, -0.1, np.nan):
        with pytest.raises(InputError, match=r"matte of 'rock' goes from .*; wanted coverage, 0 to 1"):
            picture({"object": {"rock": np.full((HEIGHT, WIDTH), bad, np.float32)}}).save(tmp_path / "a.exr")
    with pytest.raises(InputError, match="object matte 'rock' is float64"):
        picture({"object": {"rock": np.zeros((HEIGHT, WIDTH))}})
    for bad in ("", "Object", "a.b", "9lives", "object1", "two words"):
        with pytest.raises(InputError, match="can't name a set of mattes"):
            layer_of(bad)
    assert layer_of("light_group") == "CryptoLight_group"
    assert not list(tmp_path.iterdir())


def test_no_mattes_no_layers(tmp_path: Path) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    path = picture({"object": {}}).save(tmp_path / "a.exr")
    assert set(OpenEXR.File(str(path), separate_channels=True).channels()) == set("RGBA")
