// From scene-linear radiance to what a screen shows: exposure, tone mapping, sRGB. Runs on the last sample alone.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  radiance   readonly rgba32f   mean radiance
//   5  display    writeonly rgba8    sRGB-encoded; alpha is 1
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/tonemap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 0) const uint OPERATOR = 0u;  // an index into tonemap.OPERATORS; the others leave no code

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, rgba8) writeonly uniform image2D display;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size)) || frame.sample_index + 1u < frame.sample_count) return;
    vec3 light = tonemap(imageLoad(radiance, pixel).rgb, OPERATOR, frame.exposure_scale);
    imageStore(display, pixel, vec4(srgb_encode(light), 1.0));
}
