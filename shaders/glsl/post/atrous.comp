// One level of the edge-avoiding à-trous wavelet transform (Dammertz, Sewtz, Hanika and Lensch 2010): a 3 x 3 B-spline whose
// taps lie STEP pixels apart, weighed by what the neighbour is.
//
// Bindings (set 0):
//   3  frame       readonly buffer    see include/frame.glsl
//   4  position    readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal      readonly rgba16f
//   6  albedo      readonly rgba16f
//   60 signal      readonly rgba32f   see include/atrous.glsl
//   61 filtered    writeonly rgba32f  likewise; on the last level of light the radiance, with 1 in w
//
// How far values may lie apart follows from their variance, which is filtered along (Schied et al. 2017, "Spatiotemporal
// Variance-Guided Filtering", sections 4.3 and 4.4): what is not noisy is not touched.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/atrous.glsl"
#include "include/wrap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 60) const int STEP = 1;
layout(constant_id = 61) const bool REMODULATE = false;  // on light's last level: multiply the albedo back

layout(set = 0, binding = 60, rgba32f) readonly uniform image2D signal;
layout(set = 0, binding = 61, rgba32f) writeonly uniform image2D filtered;

// Standard deviations at which a difference counts by 1/e: fewer from level to level, as what is left of the noise is alike
// in neighbours, and what differs is the picture.
float tolerance() { return 1.5 + 4.5 / float(STEP); }

float spline(ivec2 tap) { return 1.0 / float((1 + abs(tap.x)) * (1 + abs(tap.y))); }

ivec2 beside(ivec2 pixel) { return WRAPS ? ivec2(around(pixel.x, frame.size.x), pixel.y) : pixel; }

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 result = imageLoad(signal, pixel);
    if (is_surface(pixel)) {
        // A pixel's variance is noisy itself, and 0 where every sample happened to miss the light: its neighbours know.
        vec2 variance = vec2(0.0);
        for (int y = -1; y <= 1; ++y) {
            for (int x = -1; x <= 1; ++x) {
                ivec2 tap = ivec2(x, y), other = beside(pixel + tap);
                if (is_surface(other)) variance += spline(tap) * vec2(imageLoad(signal, other).w, 1.0);
            }
        }
        float unlike = 1.0 / max(tolerance() * tolerance() * variance.x / variance.y, 1.0e-12);
        Guide here = guide_at(pixel);
        float level = signal_level(result.rgb), weights = 1.0;
        vec3 center = result.rgb, differences = vec3(0.0);
        for (int y = -1; y <= 1; ++y) {
            for (int x = -1; x <= 1; ++x) {
                ivec2 tap = ivec2(x, y), other = beside(pixel + STEP * tap);
                if (tap == ivec2(0) || !is_surface(other)) continue;
                vec4 there = imageLoad(signal, other);
                float difference = signal_level(there.rgb) - level;
                float weight = spline(tap) * same_surface(here, other) * exp(-difference * difference * unlike);
                weights += weight;
                differences += weight * (there.rgb - center);  // 0 to the bit where nothing differs
                result.w += weight * weight * there.w;
            }
        }
        result = vec4(center + differences / weights, result.w / (weights * weights));
        if (REMODULATE) result = vec4(result.rgb * demodulator(pixel), 1.0);
    }
    imageStore(filtered, pixel, result);
}
