"""A contact sheet: the picture and every AOV of a frame on one page, with names, ranges and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vkforge.aovs import AOVS
from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.tonemapping import srgb_encode

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

Rgb8 = NDArray[np.uint8]
Color = tuple[int, int, int]

_PAPER: Color = (250, 248, 243)
_EMPTY: Color = (232, 229, 221)  # where there is nothing to show: sky, holes
_INK: Color = (38, 40, 43)
_PENCIL: Color = (118, 117, 112)
_RULE: Color = (205, 201, 191)
_DARK: Color = (44, 46, 50)  # 0 and 1 of masks and visibilities, softer than black and white
_LIGHT: Color = (246, 244, 238)

# Near to far, darkening evenly, from sand through lichen and lake to night.
_DEPTH_RAMP = np.array(
    [(244, 236, 217), (219, 208, 167), (168, 187, 148), (106, 157, 146), (66, 120, 138), (46, 80, 116), (36, 41, 78)]
)
_GREY_RAMP = np.array([_DARK, _LIGHT])

_MARGIN, _GUTTER, _HEADER, _CAPTION = 44, 30, 84, 92
_LEGEND_DROP, _BAR_WIDTH, _BAR_HEIGHT = 60, 170, 9


@dataclass(frozen=True)
class _Tile:
    """One cell of the sheet: full-size pixels, its words, and who draws the legend at a point."""

    pixels: Rgb8
    name: str
    description: str
    legend: Callable[[ImageDraw, Picture, int, int], None]


def contact_sheet(image: Image, *, title: str = "One frame, layer by layer", columns: int = 3, tile: int = 480) -> Rgb8:
    """Lay out the picture and each AOV of `image` on one page.

    Depth gets a ramp from light (near) to dark (far), normals n/2 + 1/2, position its own extent as red, green and
    blue, albedo the sRGB curve, masks and visibilities grey. Below each stand its name, what it is and the range shown.

    Args:
        image: a rendered frame.
        title: heading of the page.
        columns: tiles in a row, at least 1.
        tile: width of a tile in pixels, at least 240; heights follow the image's aspect.

    Returns:
        (h, w, 3) uint8, sRGB-encoded.

    Raises:
        InputError: columns or tile too small.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    if columns < 1 or tile < 240:
        raise InputError(f"contact sheet of {columns} columns of {tile} pixels; wanted at least 1 of at least 240")

    tiles = list(_tiles(image))
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    tile_height = max(1, round(tile * image.size[1] / image.size[0]))
    page_size = (
        2 * _MARGIN + columns * tile + (columns - 1) * _GUTTER,
        _MARGIN + _HEADER + rows * (tile_height + _CAPTION) + (rows - 1) * _GUTTER + _MARGIN // 2,
    )
    page = Pillow.new("RGB", page_size, _PAPER)
    draw = ImageDraw.Draw(page)
    right = page_size[0] - _MARGIN
    draw.text((_MARGIN, _MARGIN), title, font=_font(27), fill=_INK, anchor="ls")
    draw.text((right, _MARGIN), f"{image.size[0]} x {image.size[1]} pixels", font=_font(15), fill=_PENCIL, anchor="rs")
    draw.line((_MARGIN, _MARGIN + 20, right - 1, _MARGIN + 20), fill=_RULE)

    top = _MARGIN + _HEADER - 36
    for index, entry in enumerate(tiles):
        row, column = divmod(index, columns)
        x = _MARGIN + column * (tile + _GUTTER)
        y = top + row * (tile_height + _CAPTION + _GUTTER)
        shrink = image.size[0] > tile
        small = Pillow.fromarray(entry.pixels).resize(
            (tile, tile_height), Pillow.Resampling.LANCZOS if shrink else Pillow.Resampling.NEAREST, reducing_gap=3.0
        )
        page.paste(small, (x, y))
        draw.rectangle((x, y, x + tile - 1, y + tile_height - 1), outline=_RULE)
        base = y + tile_height
        draw.text((x, base + 24), entry.name, font=_font(18), fill=_INK, anchor="ls")
        draw.text((x, base + 44), entry.description, font=_font(13), fill=_PENCIL, anchor="ls")
        entry.legend(draw, page, x, base + _LEGEND_DROP)
    return np.array(page)


def _tiles(image: Image) -> Iterator[_Tile]:
    alpha = image.rgba[..., 3:] / np.float32(255.0)
    beauty = np.rint(image.rgba[..., :3] * alpha + np.array(_PAPER, np.float32) * (1 - alpha)).astype(np.uint8)
    yield _Tile(beauty, "picture", "display-referred, tone-mapped, sRGB", lambda *_: None)
    for name, values in image.aovs.items():
        if name == "beauty":
            continue
        empty = ~_seen(image, name)
        pixels, legend = _LOOKS.get(name, _grey)(values, empty)
        pixels[empty] = _EMPTY
        yield _Tile(pixels, name.replace("_", " "), AOVS[name].description, legend)


def _seen(image: Image, name: str) -> NDArray[np.bool_]:
    """Where an AOV means something: finite, and on the terrain as far as the image knows."""
    values = image.aovs[name]
    seen = np.asarray(np.isfinite(values) if values.ndim == 2 else np.isfinite(values).all(axis=-1))
    if name not in _SKY_TOO:
        if "hit" in image.aovs:
            seen &= image.aovs["hit"] > 0.5
        elif "depth" in image.aovs:
            seen &= np.isfinite(image.aovs["depth"])
    return seen


def _depth(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    low, high = _range(values, empty)
    return _ramp(_DEPTH_RAMP, (values - low) / max(high - low, 1e-12)), _bar_legend(_DEPTH_RAMP, *_metres(low, high))


def _grey(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    return _ramp(_GREY_RAMP, values), _bar_legend(_GREY_RAMP, "0", "1")


def _hit(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    share = f"{np.mean(values > 0.5):.1%} of the picture"
    return _ramp(_GREY_RAMP, values), _swatches_legend([(_DARK, "0"), (_LIGHT, "1"), (None, share)])


def _ids(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    highest = max(1.0, float(values.max()))
    return _ramp(_DEPTH_RAMP, values / highest), _bar_legend(_DEPTH_RAMP, "0", f"{highest:.0f}")


def _normal(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    return _to_bytes(values * 0.5 + 0.5), _ball_legend


def _albedo(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    low, high = _range(values.mean(axis=-1), empty)
    words = f"mean of channels {low:.2f} to {high:.2f}, shown sRGB-encoded"
    return _to_bytes(srgb_encode(np.clip(values, 0.0, 1.0))), _swatches_legend([(None, words)])


def _radiance(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    _, high = _range(values.max(axis=-1), empty)
    return _to_bytes(srgb_encode(values / max(high, 1e-30))), _swatches_legend([(None, f"0 to {high:.3g} W/m2/sr")])


def _variance(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    deviation = np.sqrt(values)  # in the unit of the picture
    _, high = _range(deviation, empty)
    return _ramp(_GREY_RAMP, deviation / max(high, 1e-30)), _bar_legend(_GREY_RAMP, "deviation 0", f"{high:.2g}")


def _motion(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    _, most = _range(np.hypot(values[..., 0], values[..., 1]), empty)
    # Grey stays; red goes right and green down.
    pixels = np.concatenate([values / max(2.0 * most, 1e-12) + 0.5, np.full_like(values[..., :1], 0.5)], axis=-1)
    return _to_bytes(pixels), _swatches_legend([(None, f"at most {most:.1f} px; grey stays, red right, green down")])


def _position(values: NDArray, empty: NDArray[np.bool_]) -> tuple[Rgb8, Any]:
    unit = np.empty_like(values)
    entries: list[tuple[Color | None, str]] = []
    for axis, color in enumerate(((196, 84, 72), (96, 150, 88), (78, 112, 176))):
        low, high = _range(values[..., axis], empty)
        unit[..., axis] = (values[..., axis] - low) / max(high - low, 1e-12)
        first, last = _metres(low, high)
        entries.append((color, f"{'xyz'[axis]} {first} to {last}"))
    return _to_bytes(unit * 0.5 + 0.3), _swatches_legend(entries)


_LOOKS: dict[str, Callable[[NDArray, NDArray[np.bool_]], tuple[Rgb8, Any]]] = {
    "depth": _depth,
    "position": _position,
    "normal": _normal,
    "geometric_normal": _normal,
    "albedo": _albedo,
    "depth_axis": _depth,
    "emission": _radiance,
    "direct": _radiance,
    "indirect": _radiance,
    "emitted": _radiance,
    "air": _radiance,
    "variance": _variance,
    "motion": _motion,
    "hit": _hit,
    "object_id": _ids,
    "material_id": _ids,
}
_SKY_TOO = {"hit", "coverage", "air", "object_id", "material_id"}  # what they say of the sky is something, too


def _range(values: NDArray, empty: NDArray[np.bool_]) -> tuple[float, float]:
    shown = values[~empty]
    return (float(shown.min()), float(shown.max())) if shown.size else (0.0, 0.0)


def _metres(low: float, high: float) -> tuple[str, str]:
    largest = max(abs(low), abs(high))
    unit, scale = ("km", 1000.0) if largest >= 10_000 else ("m", 1.0)
    span = (high - low) / scale
    digits = 0 if span >= 100 or (scale == 1.0 and span >= 10) else 1 if span >= 10 else 2
    first, last = (f"{value / scale:,.{digits}f}" for value in (low, high))
    return first, f"{last} {unit}"


def _ramp(colors: NDArray, t: NDArray) -> Rgb8:
    t = np.clip(np.nan_to_num(t, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    stops = np.linspace(0.0, 1.0, len(colors))
    table = np.stack([np.interp(np.linspace(0, 1, 1024), stops, colors[:, c]) for c in range(3)], axis=-1)
    return np.rint(table).astype(np.uint8)[(t * 1023).astype(np.int32)]


def _to_bytes(values: NDArray) -> Rgb8:
    return np.rint(np.clip(np.nan_to_num(values), 0.0, 1.0) * 255).astype(np.uint8)


def _bar_legend(colors: NDArray, low: str, high: str) -> Any:
    def legend(draw: ImageDraw, page: Picture, x: int, y: int) -> None:
        from PIL import Image as Pillow

        start = x + round(draw.textlength(low, font=_font(13))) + 10
        bar = np.repeat(_ramp(colors, np.linspace(0, 1, _BAR_WIDTH))[None], _BAR_HEIGHT, axis=0)
        draw.text((x, y + 9), low, font=_font(13), fill=_INK, anchor="ls")
        page.paste(Pillow.fromarray(bar), (start, y))
        draw.rectangle((start, y, start + _BAR_WIDTH - 1, y + _BAR_HEIGHT - 1), outline=_RULE)
        draw.text((start + _BAR_WIDTH + 10, y + 9), high, font=_font(13), fill=_INK, anchor="ls")

    return legend


def _swatches_legend(entries: list[tuple[Color | None, str]]) -> Any:
    def legend(draw: ImageDraw, page: Picture, x: int, y: int) -> None:
        for color, words in entries:
            if color is not None:
                draw.rectangle((x, y, x + 9, y + 9), fill=color, outline=_RULE)
                x += 16
            draw.text((x, y + 9), words, font=_font(13), fill=_INK, anchor="ls")
            x += round(draw.textlength(words, font=_font(13))) + 18

    return legend


def _ball_legend(draw: ImageDraw, page: Picture, x: int, y: int) -> None:
    """The upper half of a ball seen from above, in the colours of its normals: which way is which."""
    from PIL import Image as Pillow

    size, samples = 30, 4
    axis = (np.arange(size * samples) + 0.5) / (size * samples) * 2.0 - 1.0
    east, north = np.meshgrid(axis, -axis)
    up = np.sqrt(np.maximum(1.0 - east**2 - north**2, 0.0))
    ball = _to_bytes(np.stack([east, north, up], axis=-1) * 0.5 + 0.5)
    ball[east**2 + north**2 > 1.0] = _PAPER
    small = Pillow.fromarray(ball).resize((size, size), Pillow.Resampling.BOX)
    page.paste(small, (x, y - 6))
    words = "x, y, z from -1 to 1 as red, green, blue; north is up"
    draw.text((x + size + 10, y + 13), words, font=_font(13), fill=_INK, anchor="ls")


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
