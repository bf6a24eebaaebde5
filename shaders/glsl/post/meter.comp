// Counts the pixels by the logarithm of their luminance; black ones, and what is not a number, are left out. Counts are
// integers, so that the order in which they come together does not matter.
//
// Bindings (set 0):
//   3  frame       readonly buffer    see include/frame.glsl
//   4  radiance    readonly rgba32f   the picture's
//   5  histogram   r32ui              METER_BINS x 1, empty before
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/metering.glsl"

const int SIDE = 16;  // invocations of a work group along a side, each with as many pixels as TILE squared
const int TILE = 4;
layout(local_size_x = SIDE, local_size_y = SIDE) in;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, r32ui) uniform uimage2D histogram;

shared uint counts[METER_BINS];

void main() {
    int first = int(gl_LocalInvocationIndex);
    for (int bin = first; bin < METER_BINS; bin += SIDE * SIDE) counts[bin] = 0u;
    barrier();
    ivec2 corner = ivec2(gl_WorkGroupID.xy) * SIDE * TILE + ivec2(gl_LocalInvocationID.xy);
    for (int i = 0; i < TILE * TILE; ++i) {
        ivec2 pixel = corner + SIDE * ivec2(i % TILE, i / TILE);
        if (any(greaterThanEqual(pixel, frame.size))) continue;
        float luminance = dot(imageLoad(radiance, pixel).rgb, vec3(0.2126, 0.7152, 0.0722));
        if (!(luminance > exp2(METER_DARKEST_STOP))) continue;
        float stop = log2(min(luminance, 65504.0)) - METER_DARKEST_STOP;
        atomicAdd(counts[clamp(int(stop * METER_BINS_A_STOP), 0, METER_BINS - 1)], 1u);
    }
    barrier();
    for (int bin = first; bin < METER_BINS; bin += SIDE * SIDE) {
        if (counts[bin] > 0u) imageAtomicAdd(histogram, ivec2(bin, 0), counts[bin]);
    }
}
