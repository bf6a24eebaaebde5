// From the histogram of a picture to its exposure: the average stop between two percentiles becomes the key.
// Twin of AutoExposure.stops in vkforge/post/exposure.py.
//
// Bindings (set 0):
//   4  metering    readonly buffer     below
//   5  histogram   readonly r32ui      METER_BINS x 1
//   6  exposure    writeonly rgba32f   1 x 1: what radiance is multiplied by, and the same in stops
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/metering.glsl"

const int THREADS = 128;
layout(local_size_x = THREADS) in;

layout(set = 0, binding = 4, scalar) readonly buffer Metering {
    float low;           // share of the pixels below which none counts
    float high;          // and above which
    float key;           // log2 of what the average becomes
    float min_stops;
    float max_stops;
    float compensation;  // stops on top
} metering;
layout(set = 0, binding = 5, r32ui) readonly uniform uimage2D histogram;
layout(set = 0, binding = 6, rgba32f) writeonly uniform image2D exposure;

shared float counts[METER_BINS];

void main() {
    int first = int(gl_LocalInvocationID.x);
    for (int bin = first; bin < METER_BINS; bin += THREADS) {
        counts[bin] = float(imageLoad(histogram, ivec2(bin, 0)).x);
    }
    barrier();
    if (first != 0) return;
    float all = 0.0;
    for (int bin = 0; bin < METER_BINS; ++bin) all += counts[bin];
    float low = metering.low * all, high = metering.high * all;
    float until = 0.0, counted = 0.0, sum = 0.0;
    for (int bin = 0; bin < METER_BINS; ++bin) {
        float share = max(min(until + counts[bin], high) - max(until, low), 0.0);
        until += counts[bin];
        counted += share;
        sum += share * (float(bin) + 0.5);
    }
    float found = counted > 0.0 ? metering.key - (METER_DARKEST_STOP + sum / counted / METER_BINS_A_STOP) : 0.0;
    float stops = clamp(found, metering.min_stops, metering.max_stops) + metering.compensation;
    imageStore(exposure, ivec2(0), vec4(exp2(stops), stops, 0.0, 1.0));
}
