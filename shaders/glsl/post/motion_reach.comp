// The longest motion in each tile, and then the longest that gets to a tile from those around it (McGuire et al. 2012, "A
// Reconstruction Filter for Plausible Motion Blur").
//
// Bindings (set 0):
//   4  motion   readonly rgba32f   of pixels; in the second pass of tiles
//   5  reach    writeonly rgba32f  pixels rightwards and downwards, of each tile
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/wrap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 90) const bool SPREADS = false;  // the second pass

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D motion;
layout(set = 0, binding = 5, rgba32f) writeonly uniform image2D reach;

const int TILE = 16;     // pixels, as in passes/post/motion_blur.py
const int AROUND = 8;    // tiles: motions of up to 256 pixels are found

void main() {
    ivec2 tile = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(tile, imageSize(reach)))) return;
    ivec2 low = SPREADS ? tile - AROUND : tile * TILE, high = SPREADS ? tile + AROUND : low + TILE - 1;
    ivec2 size = imageSize(motion), first = max(low, ivec2(0)), last = min(high, size - 1);
    // Beyond a border that is none; the last tile may be narrower than its distance has it.
    bool on = SPREADS && WRAPS;
    int narrow = on ? 2 : 1;
    if (on) first.x = low.x, last.x = high.x;
    vec2 longest = vec2(0.0);
    for (int y = first.y; y <= last.y; ++y) {
        for (int x = first.x; x <= last.x; ++x) {
            vec2 moved = imageLoad(motion, ivec2(on ? around(x, size.x) : x, y)).xy;
            // Half of it goes each way; what starts in the nearest corner of its tile has the least way to this one.
            vec2 away = vec2(max(abs(ivec2(x, y) - tile) - ivec2(narrow, 1), ivec2(0)) * TILE);
            bool arrives = !SPREADS || all(greaterThanEqual(0.5 * abs(moved), away));
            if (arrives && dot(moved, moved) > dot(longest, longest)) longest = moved;
        }
    }
    imageStore(reach, tile, vec4(longest, 0.0, 0.0));
}
