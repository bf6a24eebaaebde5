// What a ray finds where it hits: the point, its normals and what it is made of.
//
// Bindings (set 0): those of heightfield.glsl, and
//   8   albedo_map              sampler2D   texture over the DEM's outer extent, or ramp over elevation
//   17  albedo_overlay          sampler2D   over the DEM's outer extent; RGB is multiplied by alpha
//   11  metallic_roughness_map  sampler2D   likewise; glTF's channels: roughness in green, metallic in blue
//   12  normal_map              sampler2D   likewise; tangent space, (1 + n) / 2, x east and y north
//   13  detail_normal_map       sampler2D   likewise, repeated every so many metres
//   14  emission_map            sampler2D   factor on the emission
//
// The maps are read where their constant says so.
#ifndef VKFORGE_SURFACE_GLSL
#define VKFORGE_SURFACE_GLSL

#include "include/heightfield.glsl"

layout(constant_id = 10) const bool HAS_METALLIC_ROUGHNESS_MAP = true;
layout(constant_id = 11) const bool HAS_NORMAL_MAP = true;
layout(constant_id = 12) const bool HAS_DETAIL_NORMAL_MAP = true;
layout(constant_id = 13) const bool HAS_EMISSION_MAP = true;
layout(constant_id = 16) const uint ALBEDO_KIND = 0u;  // what the block's albedo_kind is
layout(constant_id = 18) const bool HAS_ALBEDO_OVERLAY = true;

layout(set = 0, binding = 8) uniform sampler2D albedo_map;
layout(set = 0, binding = 17) uniform sampler2D albedo_overlay;
layout(set = 0, binding = 11) uniform sampler2D metallic_roughness_map;
layout(set = 0, binding = 12) uniform sampler2D normal_map;
layout(set = 0, binding = 13) uniform sampler2D detail_normal_map;
layout(set = 0, binding = 14) uniform sampler2D emission_map;

struct SurfacePoint {
    vec3 grid;              // where, in grid space
    vec3 normal;            // unit shading normal
    vec3 geometric_normal;  // unit
    vec3 albedo;            // linear
    float roughness;
    float metallic;
    vec3 emission;          // radiance, linear
};

// Where on a texture over the DEM's outer extent a point of grid space lies: sample (0, 0) is half a cell inside its
// corner.
vec2 texture_place(vec3 grid) { return (grid.xy + 0.5) / vec2(grid_cells + 1); }

// The tangent-space normal of a texel.
vec3 unpack_normal(vec3 texel, float strength) {
    vec3 n = 2.0 * texel - 1.0;
    return normalize(vec3(n.xy * strength, n.z));
}

// The shading normal `n` turned as the normal maps say. Textures lie over the ground as seen from above, so their
// x axis is the tangent that runs due east.
vec3 mapped_normal(vec3 grid, vec3 n) {
    vec3 m = vec3(0.0, 0.0, 1.0);
    if (HAS_NORMAL_MAP) m = unpack_normal(textureLod(normal_map, texture_place(grid), 0.0).xyz, terrain.normal_strength);
    if (HAS_DETAIL_NORMAL_MAP) {
        vec2 at = grid_to_world(grid).xy * vec2(1.0, -1.0) * terrain.detail_normal_frequency;
        vec3 detail =
            unpack_normal(textureLod(detail_normal_map, fract(at), 0.0).xyz, terrain.detail_normal_strength);
        // Reoriented normal mapping (Barre-Brisebois and Hill 2012): the detail is turned as +z is turned to m.
        vec3 t = m + vec3(0.0, 0.0, 1.0), u = detail * vec3(-1.0, -1.0, 1.0);
        m = t * (dot(t, u) / t.z) - u;
    }
    vec3 east = normalize(vec3(n.z, 0.0, -n.x)), north = cross(n, east);
    return normalize(east * m.x + north * m.y + n * m.z);
}

// The ground's own colour; `grid` is the hit in grid space.
vec3 own_albedo(vec3 grid) {
    // Of a value that it does not know before, a CPU driver reads the texels of all kinds, in a twentieth of the path
    // tracer's time. An H200 takes a tenth longer for its paths if the other kinds are left out.
    uint kind = WALK_TOGETHER ? ALBEDO_KIND : terrain.albedo_kind;
    if (kind == 0u) return terrain.albedo;
    if (kind == 1u) return textureLod(albedo_map, texture_place(grid), 0.0).rgb;
    float elevation = (grid.z - LOWEST) / height_scale + height_low;
    float x = clamp((elevation - terrain.ramp_low) / (terrain.ramp_high - terrain.ramp_low), 0.0, 1.0);
    float n = float(textureSize(albedo_map, 0).x);
    return textureLod(albedo_map, vec2((x * (n - 1.0) + 0.5) / n, 0.5), 0.0).rgb;
}

// The same with what lies over it.
vec3 ground_albedo(vec3 grid) {
    vec3 own = own_albedo(grid);
    if (!HAS_ALBEDO_OVERLAY) return own;
    vec4 over = textureLod(albedo_overlay, texture_place(grid), 0.0);
    return over.rgb + (1.0 - over.a) * own;
}

// What `hit` found along a ray of grid space.
SurfacePoint surface_at(Hit hit, vec3 grid_origin, vec3 grid_direction) {
    SurfacePoint point;
    point.roughness = terrain.roughness;
    point.metallic = terrain.metallic;
    point.emission = vec3(0.0);
    if (hit.kind == HIT_GROUND) {
        Patch p;
        point.normal = shading_normal(hit.cell, hit.uv, p);
        point.grid = vec3(vec2(hit.cell) + hit.uv, patch_height(p, hit.uv));
        point.geometric_normal = normal_from_slopes(patch_slopes(p, hit.uv));
        point.albedo = ground_albedo(point.grid);
        point.emission = terrain.emission;
        vec2 at = texture_place(point.grid);
        if (HAS_NORMAL_MAP || HAS_DETAIL_NORMAL_MAP) point.normal = mapped_normal(point.grid, point.normal);
        if (HAS_METALLIC_ROUGHNESS_MAP) {
            vec3 factors = textureLod(metallic_roughness_map, at, 0.0).rgb;
            point.roughness *= factors.g;
            point.metallic *= factors.b;
        }
        if (HAS_EMISSION_MAP) point.emission *= textureLod(emission_map, at, 0.0).rgb;
    } else {
        point.grid = start_from(hit.kind, grid_origin + grid_direction * hit.t, hit.normal);
        point.geometric_normal = point.normal = hit.normal;
        point.albedo = terrain.skirt_albedo;
    }
    return point;
}

#endif
