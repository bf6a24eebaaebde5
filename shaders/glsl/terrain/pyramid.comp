// One level of the min/max pyramid: level 1 from the heights, every other from the level below.
//
// Bindings (set 0):
//   0  terrain   readonly buffer  see include/terrain.glsl
//   1  heights   sampler2D        elevations
//   3  level     push constants   which level is written
//   4  finer     readonly r32ui   the level below (for level 1 the level itself, not read)
//   5  coarser   writeonly r32ui  the level written
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/terrain.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(push_constant, scalar) uniform Level { int index; } level;
layout(set = 0, binding = 4, r32ui) readonly uniform uimage2D finer;
layout(set = 0, binding = 5, r32ui) writeonly uniform uimage2D coarser;

// Bounds pack as low 16 bits minimum, high 16 bits maximum; minimum 0 says "a hole is among them", and a node with no
// ground at all is 0.
uint merge(uint a, uint b) {
    if (a == 0u || b == 0u) return max(a, b) & 0xffff0000u;
    uint low = (a & 0xffffu) == 0u || (b & 0xffffu) == 0u ? 0u : min(a & 0xffffu, b & 0xffffu);
    return max(a >> 16, b >> 16) << 16 | low;
}

uint cell_bounds(ivec2 cell) {
    float low = 1.0e30, high = -1.0e30;
    for (int i = 0; i < 4; ++i) {
        float height = sample_height(cell + ivec2(i & 1, i >> 1));
        if (is_hole(height)) return 0u;
        low = min(low, height);
        high = max(high, height);
    }
    return uint(ceil(high + 0.02)) << 16 | uint(floor(low - 0.02));
}

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(at, imageSize(coarser)))) return;
    uint bounds = 0u;
    bool first = true;
    ivec2 last = (terrain.cells - 1) >> (level.index - 1);
    for (int i = 0; i < 4; ++i) {
        ivec2 child = 2 * at + ivec2(i & 1, i >> 1);
        if (any(greaterThan(child, last))) continue;
        uint of_child = level.index == 1 ? cell_bounds(child) : imageLoad(finer, child).r;
        bounds = first ? of_child : merge(bounds, of_child);
        first = false;
    }
    imageStore(coarser, at, uvec4(bounds));
}
