// Starts the à-trous filter on light: divides by the albedo, and says how noisy each pixel is.
//
// Bindings (set 0):
//   3  frame       readonly buffer    see include/frame.glsl
//   4  position    readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal      readonly rgba16f
//   6  albedo      readonly rgba16f
//   60 radiance    readonly rgba32f   mean radiance
//   61 deviation   readonly r32f      sum of squared deviations of the samples' luminance from their mean
//   62 signal      writeonly rgba32f  radiance over albedo; w is the variance of its luminance
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/atrous.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 60, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 61, r32f) readonly uniform image2D deviation;
layout(set = 0, binding = 62, rgba32f) writeonly uniform image2D signal;

vec3 value_at(ivec2 pixel) { return imageLoad(radiance, pixel).rgb / demodulator(pixel); }

#include "include/spread.glsl"

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    if (!is_surface(pixel)) {
        imageStore(signal, pixel, vec4(imageLoad(radiance, pixel).rgb, 0.0));
        return;
    }
    float variance;
    if (frame.sample_count < FEWEST_SAMPLES) {
        variance = spread(pixel);
    } else {
        float count = float(frame.sample_count), level = signal_level(demodulator(pixel));
        variance = imageLoad(deviation, pixel).r / (count * (count - 1.0) * level * level);
    }
    imageStore(signal, pixel, vec4(value_at(pixel), variance));
}
