// What a ray finds where it hits: the point, its normals and what it is made of.
//
// Bindings (set 0): those of heightfield.glsl, and
//   8  albedo_map   sampler2D   texture over the DEM's outer extent, or ramp over elevation
#ifndef VKFORGE_SURFACE_GLSL
#define VKFORGE_SURFACE_GLSL

#include "include/heightfield.glsl"

layout(set = 0, binding = 8) uniform sampler2D albedo_map;

struct SurfacePoint {
    vec3 grid;              // where, in grid space
    vec3 normal;            // unit shading normal
    vec3 geometric_normal;  // unit
    vec3 albedo;            // linear
};

// `grid` is the hit in grid space. Textures are pixel-is-area: sample (0, 0) lies half a cell inside their corner.
vec3 ground_albedo(vec3 grid) {
    if (terrain.albedo_kind == 0u) return terrain.albedo;
    if (terrain.albedo_kind == 1u)
        return textureLod(albedo_map, (grid.xy + 0.5) / vec2(terrain.cells + 1), 0.0).rgb;
    float elevation = (grid.z - LOWEST) / terrain.height_scale + terrain.height_low;
    float x = clamp((elevation - terrain.ramp_low) / (terrain.ramp_high - terrain.ramp_low), 0.0, 1.0);
    float n = float(textureSize(albedo_map, 0).x);
    return textureLod(albedo_map, vec2((x * (n - 1.0) + 0.5) / n, 0.5), 0.0).rgb;
}

// What `hit` found along a ray of grid space.
SurfacePoint surface_at(Hit hit, vec3 grid_origin, vec3 grid_direction) {
    SurfacePoint point;
    if (hit.kind == HIT_GROUND) {
        Patch p = load_patch(hit.cell);
        point.grid = vec3(vec2(hit.cell) + hit.uv, patch_height(p, hit.uv));
        point.geometric_normal = normal_from_slopes(patch_slopes(p, hit.uv));
        point.normal = shading_normal(hit.cell, hit.uv);
        point.albedo = ground_albedo(point.grid);
    } else {
        point.grid = grid_origin + grid_direction * hit.t;
        point.geometric_normal = point.normal = hit.normal;
        point.albedo = terrain.skirt_albedo;
    }
    return point;
}

#endif
