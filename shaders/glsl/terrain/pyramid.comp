// One level of the min/max pyramid: level 1 from the heights, every other from the level below.
//
// Bindings (set 0):
//   0  terrain   readonly buffer  see include/terrain.glsl
//   1  heights   sampler2D        elevations
//   3  level     push constants   which level is written
//   4  pyramid   r32ui            all levels, see include/heightfield.glsl: the one below is read
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/terrain.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(push_constant, scalar) uniform Level { int index; } level;
layout(set = 0, binding = 4, r32ui) uniform uimage2D pyramid;

// Bounds pack as low 16 bits minimum, high 16 bits maximum; minimum 0 says "a hole is among them", and a node with no
// ground at all is 0.
uint merge(uint a, uint b) {
    if (a == 0u || b == 0u) return max(a, b) & 0xffff0000u;
    uint low = (a & 0xffffu) == 0u || (b & 0xffffu) == 0u ? 0u : min(a & 0xffffu, b & 0xffffu);
    return max(a >> 16, b >> 16) << 16 | low;
}

// One sample may be missing: the triangle of the other three is then a part of the cell's ground, as high as they.
uint cell_bounds(ivec2 cell) {
    float low = 1.0e30, high = -1.0e30;
    int missing = 0;
    for (int i = 0; i < 4; ++i) {
        float height = sample_height(cell + ivec2(i & 1, i >> 1));
        if (is_hole(height)) {
            ++missing;
        } else {
            low = min(low, height);
            high = max(high, height);
        }
    }
    if (missing > 1) return 0u;
    return uint(ceil(high + 0.02)) << 16 | (missing == 0 ? uint(floor(low - 0.02)) : 0u);
}

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy), size = imageSize(pyramid) >> ivec2(level.index - 1, level.index);
    if (any(greaterThanEqual(at, size))) return;
    ivec2 node = at + ivec2(0, size.y), first_cell = ivec2(0, imageSize(pyramid).y);
    uint bounds = 0u;
    bool first = true;
    ivec2 last = ((terrain.cells - 1) + first_cell) >> (level.index - 1);
    for (int i = 0; i < 4; ++i) {
        ivec2 child = 2 * node + ivec2(i & 1, i >> 1);
        if (any(greaterThan(child, last))) continue;
        uint of_child = level.index == 1 ? cell_bounds(child - first_cell) : imageLoad(pyramid, child).r;
        bounds = first ? of_child : merge(bounds, of_child);
        first = false;
    }
    imageStore(pyramid, node, uvec4(bounds));
}
