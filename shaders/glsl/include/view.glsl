// Camera rays as the tracer takes them.
//
// Bindings (set 0): those of heightfield.glsl and frame.glsl.
#ifndef VKFORGE_VIEW_GLSL
#define VKFORGE_VIEW_GLSL

#include "include/heightfield.glsl"
#include "include/frame.glsl"

// Where a camera ray from `origin` (world) starts in grid space. A map's border pixels reach half a cell over the
// outermost samples, and see those.
vec3 view_origin(vec3 origin) {
    vec3 grid = world_to_grid(origin);
    if (frame.clamp_to_ground == 1u) {
        vec2 inside = clamp(grid.xy, vec2(0.0), vec2(grid_cells));
        if (all(lessThan(abs(grid.xy - inside), vec2(0.501)))) grid.xy = inside;
    }
    return grid;
}

#endif
