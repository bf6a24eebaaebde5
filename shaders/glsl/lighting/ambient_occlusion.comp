// The cosine-weighted share of directions in which nothing stands in the way, within a distance: ambient occlusion.
//
// With directions drawn by the cosine it is the mean of what each sees: the integral of V cos / pi over the hemisphere
// (Zhukov, Iones and Kronin 1998, "An ambient light illumination model"), by the same sequences as all other light.
//
// Bindings (set 0):
//   0  terrain            readonly buffer    see include/terrain.glsl
//   1  heights            sampler2D          elevations
//   2  pyramid            readonly r32ui     bounds
//   3  frame              readonly buffer    see include/frame.glsl
//   4  position           readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal             readonly rgba16f
//   6  ambient_occlusion  r32f               1 where nothing is in the way; 0 where nothing is seen
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/frame.glsl"
#include "include/sampling.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba16f) readonly uniform image2D normal;
layout(set = 0, binding = 6, r32f) uniform image2D ambient_occlusion;

layout(push_constant, scalar) uniform Reach {
    float distance;   // metres
    uint rays;        // in all
    uint first, end;  // of this pass
};

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 shading = imageLoad(normal, pixel);
    uint kind = uint(shading.w);
    float open = 0.0;
    if (kind != HIT_NOTHING) {
        vec3 n = normalize(shading.xyz);
        vec3 grid = start_from(kind, world_to_grid(imageLoad(position, pixel).xyz), n);
        uint seed = pixel_seed(uvec2(pixel), PURPOSE_AMBIENT_OCCLUSION, frame.seed);
        for (uint i = first; i < end; ++i) {
            vec3 l = cosine_direction(sobol(i, seed), n);
            if (!occluded(grid, kind, l, distance)) open += 1.0;
        }
        open /= float(rays);
        if (first > 0u) open += imageLoad(ambient_occlusion, pixel).r;
    }
    imageStore(ambient_occlusion, pixel, vec4(min(open, 1.0)));  // a sum of parts is rounded
}
