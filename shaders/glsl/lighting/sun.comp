// The sun's light at each pixel: reflected radiance and visibility, by shadow rays towards its disc.
//
// Bindings (set 0):
//   0  terrain            readonly buffer    see include/terrain.glsl
//   1  heights            sampler2D          elevations
//   2  pyramid            readonly r32ui     bounds
//   3  frame              readonly buffer    see include/frame.glsl
//   4  position           readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal             readonly rgba16f
//   6  albedo             readonly rgba16f
//   7  sun_light          rgba32f            radiance towards the camera; w is the visible part of the disc
//   10 split_sum          sampler2D          see include/brdf.glsl
//   15 material           readonly rgba16f   see include/pixel_surface.glsl
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/terminator.glsl"
#include "include/frame.glsl"
#include "include/pixel_surface.glsl"

layout(local_size_x = 8, local_size_y = 4) in;  // 5 % faster than 8 x 8 on an H200

layout(constant_id = 1) const bool SOFT = true;  // whether the sun is a disc or a point

layout(set = 0, binding = 7, rgba32f) uniform image2D sun_light;

// Which rays this pass traces, and adds to those of the passes before: see passes/lighting/rays.py.
layout(push_constant, scalar) uniform Rays {
    uint first;
    uint at_once;
};

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 light = vec4(0.0);
    vec4 shading = imageLoad(normal, pixel);
    uint kind = uint(shading.w);
    if (kind != HIT_NOTHING) {
        vec4 at = imageLoad(position, pixel);
        vec3 n = normalize(shading.xyz);
        vec3 origin, view;
        camera_ray(vec2(pixel) + frame.jitter, origin, view);
        Surface surface = pixel_surface(pixel, n, -view);
        vec3 grid = start_from(kind, world_to_grid(at.xyz), n);
        uint seed = pixel_seed(uvec2(pixel), PURPOSE_SUN, frame.seed);
        bool wall = kind == HIT_SKIRT || (kind == HIT_WATER && n.z <= 0.0);
        uint last = min(first + at_once, frame.sun_rays);
        for (uint i = first; i < last; ++i) {
            vec3 l = frame.sun_direction;
            if (SOFT)
                l = cone_direction(sobol(frame.sample_index * frame.sun_rays + i, seed), l, frame.sun_cos_radius);
            // Below the horizon it is night; behind the surface the ground itself is in the way, which the tracer tells. A
            // wall, of the block or of water, stands in the way of what is behind it.
            if (l.z <= 0.0 || (wall && dot(n, l) <= 0.0)) continue;
            if (trace_to_light(grid, kind, n, l, 1.0e30).kind != HIT_NOTHING) continue;
            light += vec4(brdf_cosine(surface, n, -view, l) * frame.sun_irradiance, 1.0);
        }
        light /= float(frame.sun_rays);
    }
    if (first > 0u) light += imageLoad(sun_light, pixel);
    light.w = min(light.w, 1.0);  // a sum of parts is rounded
    imageStore(sun_light, pixel, light);
}
