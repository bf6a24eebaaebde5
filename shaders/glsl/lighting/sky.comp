// The sky's light at each pixel: reflected radiance and cosine-weighted visibility, by rays over the hemisphere.
//
// Bindings (set 0):
//   0  terrain            readonly buffer    see include/terrain.glsl
//   1  heights            sampler2D          elevations
//   2  pyramid            readonly r32ui     bounds
//   3  frame              readonly buffer    see include/frame.glsl
//   4  position           readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5  normal             readonly rgba16f
//   6  albedo             readonly rgba16f
//   20 atmosphere         readonly buffer    see include/air.glsl
//   21 optical_depths     sampler2D          see include/transmittance.glsl
//   22 sky_view           sampler2D          see include/sight.glsl
//   7  sky_light          rgba32f            radiance towards the camera; w is the visibility
//   10 split_sum          sampler2D          see include/brdf.glsl
//   15 material           readonly rgba16f   see include/pixel_surface.glsl
//   40 environment        readonly buffer    see include/environment.glsl
//   41 environment_map    sampler2D
//   42 environment_rows   sampler2D
//
// Directions come from the cosine about the shading normal. Of an environment map half of them come from the map's light,
// and of what is left half from the visible normals where the surface is glossy, all joined by the balance heuristic
// (Veach 1997). Visibility counts the cosine's alone, and of those the ones that
// reach the sky, which is what lies above the horizon: a free slope sees (1 + cos slope) / 2 of it.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/frame.glsl"
#include "include/sky.glsl"
#include "include/pixel_surface.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 7, rgba32f) uniform image2D sky_light;

// Which rays this pass traces, and adds to those of the passes before: see passes/lighting/rays.py.
layout(push_constant, scalar) uniform Rays {
    uint first;
    uint at_once;
};

// Whether all directions are drawn by the cosine.
const bool ONE_WAY = !GLOSSY && SKY_KIND != SKY_ENVIRONMENT;

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
        uint seed = pixel_seed(uvec2(pixel), PURPOSE_SKY, frame.seed);
        uint map_rays = SKY_KIND == SKY_ENVIRONMENT ? frame.sky_rays / 2u : 0u;
        // A shading normal may face away from the viewer, who then sees none of the normals that glossy rays come from.
        bool shines = GLOSSY && dot(n, -view) > GRAZING;
        uint glossy_rays = shines ? (frame.sky_rays - map_rays) / 2u : 0u;
        uint cosine_rays = frame.sky_rays - map_rays - glossy_rays;
        uint last = min(first + at_once, frame.sky_rays);
        for (uint i = first; i < last; ++i) {
            vec2 square = sobol(frame.sample_index * frame.sky_rays + i, seed);
            bool cosine = ONE_WAY || i < cosine_rays;
            vec3 l;
            float map_density = 0.0;
            if (cosine) l = cosine_direction(square, n);
            else if (i < cosine_rays + glossy_rays) l = sample_visible_ggx(surface, n, -view, square);
            else l = sample_environment(square, map_density);
            if (dot(n, l) <= 0.0 || occluded(grid, kind, l, 1.0e30)) continue;
            if (cosine && l.z > 0.0) light.w += 1.0 / float(cosine_rays);
            if (ONE_WAY) {
                light.rgb += surface.diffuse * sky_radiance(l) / float(cosine_rays);
                continue;
            }
            float density = float(cosine_rays) * dot(n, l) / PI;
            if (shines) density += float(glossy_rays) * visible_ggx_density(surface, n, -view, l);
            if (SKY_KIND == SKY_ENVIRONMENT) density += float(map_rays) * environment_density(l);
            light.rgb += brdf_cosine(surface, n, -view, l) * sky_radiance(l) / density;
        }
    }
    if (first > 0u) light += imageLoad(sky_light, pixel);
    light.w = min(light.w, 1.0);  // a sum of parts is rounded
    imageStore(sky_light, pixel, light);
}
