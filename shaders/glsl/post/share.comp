// Starts the à-trous filter on a share of light that is seen, such as the sun's visibility.
//
// Bindings (set 0):
//   3  frame       readonly buffer    see include/frame.glsl
//   4  position    readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal      readonly rgba16f
//   6  albedo      readonly rgba16f   not read
//   60 share       readonly r32f      mean over the samples
//   62 signal      writeonly rgba32f  the share; w is its variance
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/atrous.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 60, r32f) readonly uniform image2D share;
layout(set = 0, binding = 62, rgba32f) writeonly uniform image2D signal;

vec3 value_at(ivec2 pixel) { return imageLoad(share, pixel).rrr; }

#include "include/spread.glsl"

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    imageStore(signal, pixel, vec4(value_at(pixel), is_surface(pixel) ? spread(pixel) : 0.0));
}
