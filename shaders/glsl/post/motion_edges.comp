// What motion blur follows, and what it shows: edges move with what is in front, and light has its place in the pixel.
//
// Bindings (set 0):
//   3  frame        readonly buffer    see include/frame.glsl
//   4  radiance     readonly rgba32f   the picture of the middle
//   5  motion       readonly rgba32f   see post/motion.comp
//   67 light_place  readonly rgba32f   see lighting/accumulate.comp; read where HAS_PLACE
//   6  followed     writeonly rgba32f  as `motion`; beside something much nearer, that thing's
//   7  placed       writeonly rgba32f  the picture; the bits of w are the place, two halves
//
// Motion is that of the pixel's centre. Where something ends within a pixel, its light reaches beyond that by up to a pixel, and
// all of it moves.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/wrap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 89) const bool HAS_PLACE = false;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D motion;
layout(set = 0, binding = 67, rgba32f) readonly uniform image2D light_place;
layout(set = 0, binding = 6, rgba32f) writeonly uniform image2D followed;
layout(set = 0, binding = 7, rgba32f) writeonly uniform image2D placed;

const float NEARER = 1.1;   // times as near is another surface, and no slope
const float SLIGHTLY = 1.01; // times as near may be too
const float SLOPE = 0.3;    // between two surfaces nearness changes beyond its neighbours by less than such a share of that
const float MIDDLE = 0.01;  // pixels: light that is so near to the middle is taken to be there, for speed

vec4 motion_at(ivec2 pixel) {
    ivec2 inside = clamp(pixel, ivec2(0), frame.size - 1);
    if (WRAPS) inside.x = around(pixel.x, frame.size.x);
    return imageLoad(motion, inside);
}

// Whether a pixel between something near and something farther looks at the side of the nearer, and not at a slope that goes on.
bool between(ivec2 pixel, ivec2 towards, float near) {
    float far = motion_at(pixel - towards).z;
    float beside = abs(motion_at(pixel + 2 * towards).z - near) + abs(motion_at(pixel - 2 * towards).z - far);
    return beside < SLOPE * (near - far);
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy), towards = ivec2(0);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 moved = imageLoad(motion, pixel), nearest = moved;
    for (int i = 0; i < 9; ++i) {
        ivec2 offset = ivec2(i % 3 - 1, i / 3 - 1);
        vec4 there = motion_at(pixel + offset);
        if (there.z <= nearest.z) continue;
        nearest = there;
        towards = offset;
    }
    if (nearest.z > NEARER * moved.z || (nearest.z > SLIGHTLY * moved.z && between(pixel, towards, nearest.z))) moved = nearest;
    // Beyond a fish-eye's circle is nothing that light could be beside.
    bool has_place = HAS_PLACE && depth_in_circle(vec2(pixel) + 0.5) > 1.0;
    vec2 place = has_place ? imageLoad(light_place, pixel).xy : vec2(0.0);
    if (all(lessThan(abs(place), vec2(MIDDLE)))) place = vec2(0.0);
    imageStore(followed, pixel, moved);
    imageStore(placed, pixel, vec4(imageLoad(radiance, pixel).rgb, uintBitsToFloat(packHalf2x16(place))));
}
