// What guides the denoising filter: normal and albedo over the area of each pixel.
//
// Bindings (set 0):
//   3  frame          readonly buffer    see include/frame.glsl
//   4  position       readonly rgba32f   G-buffer, see include/gbuffer.glsl; not read
//   5  normal         readonly rgba16f
//   6  albedo         readonly rgba16f
//   60 area_normal    writeonly rgba16f  unit normal; w is the kind of hit at the pixel's centre
//   61 area_albedo    writeonly rgba16f  albedo, with the sky as black
//
// Light is a mean over the pixel, and the G-buffer is that of its centre. At a silhouette, or where the ground's colour
// changes, light divided by the centre's albedo would keep what the pixel's other parts brought. A single sample looks
// through the centre, and there is nothing to spread.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/gbuffer.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 60, rgba16f) writeonly uniform image2D area_normal;
layout(set = 0, binding = 61, rgba16f) writeonly uniform image2D area_albedo;

const float SIDE = 0.15;  // a neighbour's weight against the centre's, along each axis

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    float kind = imageLoad(normal, pixel).w, side = frame.sample_count > 1u ? SIDE : 0.0;
    vec3 normals = vec3(0.0), albedos = vec3(0.0);
    float weights = 0.0;
    for (int y = -1; y <= 1; ++y) {
        for (int x = -1; x <= 1; ++x) {
            ivec2 other = clamp(pixel + ivec2(x, y), ivec2(0), frame.size - 1);
            float weight = (x == 0 ? 1.0 : side) * (y == 0 ? 1.0 : side);
            vec4 there = imageLoad(normal, other);
            weights += weight;
            if (there.w == 0.0) continue;
            normals += weight * there.xyz;
            albedos += weight * imageLoad(albedo, other).rgb;
        }
    }
    bool hit = kind > 0.0 && normals != vec3(0.0);
    imageStore(area_normal, pixel, vec4(hit ? normalize(normals) : vec3(0.0), kind));
    imageStore(area_albedo, pixel, vec4(albedos / weights, 0.0));
}
