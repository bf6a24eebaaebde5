// What circles reach each tile, from wherever they come.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   85 blur       readonly buffer    see include/blur.glsl; not read
//   87 tiles      readonly rgba32f   see post/dof_circles.comp
//   88 reach      writeonly rgba32f  the same, over all pixels whose circles reach the tile, and the least of these too; z is
//                                    the least of the tile and its neighbours
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/blur.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 87, rgba32f) readonly uniform image2D tiles;
layout(set = 0, binding = 88, rgba32f) writeonly uniform image2D reach;

// Floats of one sign are in the order of their bits.
shared uint nearest, farthest, least, least_around;

// A group works on one tile.
void main() {
    ivec2 tile = ivec2(gl_WorkGroupID.xy), count = (frame.size + TILE - 1) / TILE;
    if (gl_LocalInvocationIndex == 0u) {
        nearest = farthest = 0u;
        least = least_around = floatBitsToUint(LARGEST);
    }
    barrier();
    const int far = int(LARGEST) / TILE + 1;
    ivec2 low = max(tile - far, ivec2(0)), high = min(tile + far, count - 1);
    vec4 bounds = vec4(0.0, 0.0, LARGEST, LARGEST);
    for (int y = low.y + int(gl_LocalInvocationID.y); y <= high.y; y += 8) {
        for (int x = low.x + int(gl_LocalInvocationID.x); x <= high.x; x += 8) {
            vec3 there = imageLoad(tiles, ivec2(x, y)).xyz;
            ivec2 between = max(abs(ivec2(x, y) - tile) - 1, ivec2(0)) * TILE;
            vec2 reaching = there.xy * vec2(greaterThanEqual(there.xy + 1.0, vec2(length(vec2(between)))));
            bounds.xy = max(bounds.xy, reaching);
            if (reaching != vec2(0.0)) bounds.w = min(bounds.w, there.z);
            if (between == ivec2(0)) bounds.z = min(bounds.z, there.z);
        }
    }
    atomicMax(nearest, floatBitsToUint(bounds.x));
    atomicMax(farthest, floatBitsToUint(bounds.y));
    atomicMin(least, floatBitsToUint(min(bounds.z, bounds.w)));
    atomicMin(least_around, floatBitsToUint(bounds.z));
    barrier();
    if (gl_LocalInvocationIndex == 0u) imageStore(reach, tile, uintBitsToFloat(uvec4(nearest, farthest, least_around, least)));
}
