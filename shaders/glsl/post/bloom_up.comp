// Puts a level of the bloom's pyramid together with what the coarser ones have spread; last of all the picture.
//
// Bindings (set 0):
//   4  coarser    readonly rgba32f    what this pass made of the next level, or the last level
//   5  finer      readonly rgba32f    this level, or the light itself
//   6  bloom      readonly buffer     see include/bloom.glsl
//   7  together   writeonly rgba32f   of the size of `finer`
//   8  picture    readonly rgba32f    all the light, of which `finer` is a part or all; read for level 0
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/bloom.glsl"
#include "include/halving.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 100) const int LEVEL = 1;  // of what is made; 0 is the picture

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D coarser;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D finer;
layout(set = 0, binding = 7, rgba32f) writeonly uniform image2D together;
layout(set = 0, binding = 8, rgba32f) readonly uniform image2D picture;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy), size = imageSize(together), from = imageSize(coarser);
    if (any(greaterThanEqual(pixel, size))) return;
    vec2 per_ratio = vec2(from) / vec2(size), rest;
    ivec2 whole = ivec2(middle(pixel.x, size.x, from.x, rest.x), middle(pixel.y, size.y, from.y, rest.y));
    vec2 weights[5];
    for (int k = 0; k < 5; ++k) weights[k] = doubling_weights(k - 2, rest, per_ratio);
    vec3 spread = vec3(0.0);
    for (int y = 0; y < 5; ++y) {
        if (weights[y].y == 0.0) continue;  // two of five, of an even side
        vec3 row = vec3(0.0);
        for (int x = 0; x < 5; ++x) {
            if (weights[x].x == 0.0) continue;
            row += weights[x].x * imageLoad(coarser, within(whole + ivec2(x, y) - 2, from)).rgb;
        }
        spread += weights[y].y * row;
    }
    vec4 own = imageLoad(finer, pixel);
    if (LEVEL == 0) own.rgb += bloom.intensity * (spread - scattered(own.rgb, imageLoad(picture, pixel).rgb));
    else own.rgb = mix(own.rgb, spread, bloom.onwards[LEVEL - 1]);
    imageStore(together, pixel, own);
}
