// Adds up the slices of each column from the eye on: what fog adds up to the end of each, and how much of it was met.
//
// Bindings (set 0):
//   3   frame        readonly buffer    see include/frame.glsl
//   30  fog          readonly buffer    see include/medium.glsl
//   31  density_map  sampler2D
//   33  volume       readonly buffer    see include/froxels.glsl
//   34  inscatter    readonly rgba32f   see inscatter.comp
//   35  fog_volume   writeonly rgba32f  radiance at the eye; w is the density integrated from there
//
// Over a slice of constant inscattered light the integral is exact, so that cutting it in two changes nothing (Hillaire
// 2015, "Physically Based and Unified Volumetric Rendering in Frostbite").
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/froxels.glsl"
#include "include/medium.glsl"

layout(local_size_x = 8, local_size_y = 4) in;

layout(set = 0, binding = 34, rgba32f) readonly uniform image2D inscatter;
layout(set = 0, binding = 35, rgba32f) writeonly uniform image2D fog_volume;

void main() {
    ivec2 column = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(column, volume.columns))) return;
    vec3 light = vec3(0.0), left = vec3(1.0);
    float met = 0.0;
    for (int slice = 0; slice < volume.slices; ++slice) {
        ivec2 texel = froxel_texel(column, slice);
        vec4 here = imageLoad(inscatter, texel);
        vec3 depth = fog.extinction * here.w;
        light += left * one_minus_exp(depth) * here.rgb;
        left *= exp(-depth);
        met = min(met + here.w, FAR);
        imageStore(fog_volume, texel, vec4(light, met));
    }
}
