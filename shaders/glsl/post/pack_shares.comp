// Packs shares of pixels into a picture, so that what spreads light spreads them too.
//
// Bindings (set 0):
//   3  frame           readonly buffer    see include/frame.glsl
//   4  radiance        readonly rgba32f   w is the coverage, where IN_RADIANCE
//   5  coverage        readonly r32f      share of the pixel where anything is hit, where not
//   6  water_coverage  readonly r32f      share of the pixel where water is hit
//   7  packed          writeonly rgba32f  the two, in x and y
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 97) const bool IN_RADIANCE = true;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, r32f) readonly uniform image2D coverage;
layout(set = 0, binding = 6, r32f) readonly uniform image2D water_coverage;
layout(set = 0, binding = 7, rgba32f) writeonly uniform image2D packed;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    float covered = IN_RADIANCE ? imageLoad(radiance, pixel).w : imageLoad(coverage, pixel).r;
    imageStore(packed, pixel, vec4(covered, imageLoad(water_coverage, pixel).r, 0.0, 1.0));
}
