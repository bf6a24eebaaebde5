// Does this ray surely leave the ground for good? Bounds that the host works out for each cell, see scene/horizon.py.
//
// Bindings (set 0): those of heightfield.glsl, and
//   52  horizons   readonly r32ui   not read where HAS_HORIZONS is false
#ifndef VKFORGE_HORIZON_GLSL
#define VKFORGE_HORIZON_GLSL

#include "include/heightfield.glsl"

layout(constant_id = 55) const bool HAS_HORIZONS = true;

layout(set = 0, binding = 52, r32ui) readonly uniform uimage2D horizons;

// Whether a ray from the ground at `origin` (grid space) along `direction` (grid units per metre) meets no ground; where
// it says so, trace_grid finds none, and where it does not, the ray may leave all the same.
bool over_horizon(vec3 origin, vec3 direction) {
    ivec2 cell = clamp(ivec2(floor(origin.xy)), ivec2(0), grid_cells - 1);
    vec2 run = abs(direction.xy);
    uint octants = imageLoad(horizons, ivec2(2 * cell.x + int(run.y > run.x), cell.y)).r;
    uint code = octants >> (int(direction.x > 0.0) * 8 + int(direction.y > 0.0) * 16) & 0xffu;
    float rise = uintBitsToFloat((code << 19) + floatBitsToUint(2.0));
    return direction.z > rise * (max(run.x, run.y) + (sqrt(2.0) - 1.0) * min(run.x, run.y));
}

#endif
