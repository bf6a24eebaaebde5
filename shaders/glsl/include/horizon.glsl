// Does this ray surely leave the ground for good? Bounds that the host works out for each cell, see scene/horizon.py, and for
// rays to the sun scene/shade.py.
//
// Bindings (set 0): those of heightfield.glsl, and
//   52  horizons   readonly r32ui   not read where HAS_HORIZONS is false
//   53  shades     readonly r32ui   not read where HAS_SHADES is false
//   50  path       readonly buffer  see path.glsl
#ifndef VKFORGE_HORIZON_GLSL
#define VKFORGE_HORIZON_GLSL

#include "include/heightfield.glsl"
#include "include/path.glsl"

layout(constant_id = 55) const bool HAS_HORIZONS = true;
layout(constant_id = 56) const bool HAS_SHADES = true;  // only with horizons

layout(set = 0, binding = 52, r32ui) readonly uniform uimage2D horizons;
layout(set = 0, binding = 53, r32ui) readonly uniform uimage2D shades;

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

// Of a point on the ground or above it (grid space), whether rays from there to the sun surely meet no ground (1) or surely
// some (-1), or neither (0).
int sunlit(vec3 at) {
    ivec2 cell = clamp(ivec2(floor(at.xy)), ivec2(0), grid_cells - 1);
    uint bounds = imageLoad(shades, cell).r;
    float ahead = max(path.sun_axis.x, path.sun_axis.y) - dot(at.xy - vec2(cell), path.sun_axis);
    vec2 there = at.z + path.sun_rise * ahead;
    uint clear = bounds >> 16, hidden = bounds & 0xffffu;  // the greatest is more than it can say
    return int(clear < 0xffffu && there.x > float(clear)) - int(there.y < float(hidden));
}

const float NEAR_CELLS = 4.0;  // what may be in the way of ground in light is nearer as a rule

// How far, in metres, a ray to the sun from the ground at `origin` along `direction` (grid units per metre) may meet ground:
// trace_grid tells the same if asked no farther. Negative where it surely does.
float ground_before_sun(vec3 origin, vec3 direction) {
    float there = NEAR_CELLS / dot(direction.xy, path.sun_axis);
    int here = sunlit(origin);
    return here == 0 ? sunlit(origin + there * direction) > 0 ? there : 1.0e30 : here > 0 ? 0.0 : -1.0;
}

#endif
