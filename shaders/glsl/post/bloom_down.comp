// A coarser level of the bloom's pyramid. The first is of the picture's light, or of what of it is beyond the threshold.
//
// Bindings (set 0):
//   4  finer      readonly rgba32f    the light itself, or the level before
//   5  coarser    writeonly rgba32f   half as many pixels a side, rounded up
//   6  bloom      readonly buffer     see include/bloom.glsl
//   8  picture    readonly rgba32f    all the light, of which `finer` is a part or all; read for level 1
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/bloom.glsl"
#include "include/halving.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 100) const int LEVEL = 1;  // of what is made; 0 is the picture

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D finer;
layout(set = 0, binding = 5, rgba32f) writeonly uniform image2D coarser;
layout(set = 0, binding = 8, rgba32f) readonly uniform image2D picture;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy), size = imageSize(coarser), from = imageSize(finer);
    if (any(greaterThanEqual(pixel, size))) return;
    vec2 per_ratio = vec2(size) / vec2(from), rest;
    ivec2 whole = ivec2(middle(pixel.x, size.x, from.x, rest.x), middle(pixel.y, size.y, from.y, rest.y));
    vec2 weights[7];
    for (int k = 0; k < 7; ++k) weights[k] = halving_weights(k - 3, rest, per_ratio);
    vec3 sum = vec3(0.0);
    for (int y = 0; y < 7; ++y) {
        if (weights[y].y == 0.0) continue;  // one of seven, of an even side
        vec3 row = vec3(0.0);
        for (int x = 0; x < 7; ++x) {
            if (weights[x].x == 0.0) continue;
            ivec2 there = within(whole + ivec2(x, y) - 3, from);
            vec3 light = imageLoad(finer, there).rgb;
            if (LEVEL == 1 && bloom.threshold > 0.0) light = scattered(light, imageLoad(picture, there).rgb);
            row += weights[x].x * light;
        }
        sum += weights[y].y * row;
    }
    imageStore(coarser, pixel, vec4(sum, 1.0));
}
