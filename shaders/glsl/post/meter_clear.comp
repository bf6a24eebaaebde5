// Empties the histogram of the automatic exposure.
//
// Bindings (set 0):
//   4  histogram   writeonly r32ui   METER_BINS x 1
#version 460
#extension GL_GOOGLE_include_directive : require

#include "include/metering.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 4, r32ui) writeonly uniform uimage2D histogram;

void main() {
    int bin = int(gl_GlobalInvocationID.x);
    if (bin < METER_BINS) imageStore(histogram, ivec2(bin, 0), uvec4(0u));
}
