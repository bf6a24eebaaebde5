// From scene-linear radiance to what a screen shows: exposure, tone mapping, sRGB.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  radiance   readonly rgba32f   mean radiance
//   5  display    writeonly rgba8    sRGB-encoded; alpha is 1
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/sampling.glsl"
#include "include/tonemap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 0) const uint OPERATOR = 0u;  // an index into tonemap.OPERATORS; the others leave no code
layout(constant_id = 21) const bool DITHER = false;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, rgba8) writeonly uniform image2D display;

// Noise of one step of 8 bits, so that their mean over a few pixels is what they stand for: smooth skies show no bands.
vec3 dither(ivec2 pixel) {
    uint bits = pixel_seed(uvec2(pixel), PURPOSE_DITHER, frame.seed);
    return (vec3(bits & 1023u, bits >> 10 & 1023u, bits >> 20 & 1023u) - 511.5) / (1024.0 * 255.0);
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec3 light = tonemap(imageLoad(radiance, pixel).rgb, OPERATOR, frame.exposure_scale);
    vec3 encoded = srgb_encode(light);
    if (DITHER) encoded += dither(pixel);
    imageStore(display, pixel, vec4(encoded, 1.0));
}
