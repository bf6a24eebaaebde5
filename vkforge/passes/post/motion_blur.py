"""Motion in the picture, and motion blur from it: fast, where samples at many times are exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.lens import Lens
from vkforge.scene.camera_rays import PROJECTIONS, CameraRays
from vkforge.scene.scene import Scene
from vkforge.scene.shutter import MovingScene

TILE = 16  # pixels, as in the shaders


def motion(graph: Graph, size: tuple[int, int], frame: Any, shutter: Any, position: ImageResource) -> ImageResource:
    """Declare the pass; return what each pixel's content moves while the shutter is open, in pixels, and 1 / distance.

    `position` is that of the G-buffer at pixel centres in the middle of the exposure.
    """
    moved = graph.image("motion", "rgba32f", size)
    graph.compute("motion", "post/motion.comp", size, frame=frame, position=position, shutter=shutter, motion=moved)
    return moved


def motion_blur(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    shutter: Any,
    radiance: ImageResource,
    moved: ImageResource,
    *,
    light_place: ImageResource | None,
    wraps: bool,
) -> ImageResource:
    """Declare the passes; return the picture (rgba32f) as it is seen while what it shows moves as `moved` says.

    `light_place` is where in each pixel its light is, if that is known, and `wraps` says whether the picture's left and
    right borders are one.
    """
    tiles = (-(-size[0] // TILE), -(-size[1] // TILE))
    longest, reach = (graph.image(f"motion {name}", "rgba32f", tiles) for name in ("tiles", "reach"))
    for name, source, target in (("tiles", moved, longest), ("reach", longest, reach)):
        variant = {"SPREADS": name == "reach", "WRAPS": wraps}
        graph.compute(
            f"motion {name}", "post/motion_reach.comp", tiles, specialization=variant, motion=source, reach=target
        )
    followed, placed = (graph.image(f"motion {name}", "rgba32f", size) for name in ("followed", "placed"))
    graph.compute(
        "motion edges",
        "post/motion_edges.comp",
        size,
        specialization={"WRAPS": wraps, "HAS_PLACE": light_place is not None},
        frame=frame,
        radiance=radiance,
        motion=moved,
        light_place=light_place or radiance,
        followed=followed,
        placed=placed,
    )
    blurred = graph.image("radiance in motion", "rgba32f", size)
    graph.compute(
        "motion blur",
        "post/motion_blur.comp",
        size,
        specialization={"WRAPS": wraps},
        frame=frame,
        shutter=shutter,
        placed=placed,
        followed=followed,
        reach=reach,
        blurred=blurred,
    )
    return blurred


def fill_shutter(
    block: Any, scene: Scene, moving: MovingScene | None, lens: Lens | None, size: tuple[int, int]
) -> None:
    """Write the `shutter` block: the cameras at its ends, of a scene that moves or of a camera that does."""
    opening, closing = scene.camera, scene.camera.shutter_end or scene.camera
    if moving is not None:
        opening, closing = moving.scene(0.0).camera, moving.scene(1.0).camera
    for name, camera in (("opening", opening), ("closing", closing)):
        projector, rays = block[name], camera.rays(*size)
        projector["origin"], projector["angles"] = rays.origin, rays.angles
        for row, values in zip("uvw", _rows(camera.projection, rays), strict=True):
            projector[row] = values
        if lens is not None:
            projector["lens_half"], projector["lens_centre"], _ = lens.frame(camera, size)
    block["parallel"] = any(opening.rays(*size).origin_u)
    block["ramp"] = 0.0 if moving is None else moving.ramp


def _rows(projection: str, rays: CameraRays) -> Any:
    """Return what takes a point, seen from the origin, into the camera's frame: see include/shutter.glsl."""
    across = (rays.origin_u, rays.origin_v) if any(rays.origin_u) else (rays.direction_u, rays.direction_v)
    axes = np.array([*across, rays.direction])
    return np.linalg.inv(axes.T) if projection == PROJECTIONS[0] else axes
