// What the water sends to the camera: terrain, sky and sun mirrored in it, and its bottom seen through it.
//
// Bindings (set 0):
//   0   terrain           readonly buffer    see include/terrain.glsl
//   1   heights           sampler2D          elevations
//   2   pyramid           readonly r32ui     bounds
//   3   frame             readonly buffer    see include/frame.glsl
//   4   position          readonly rgba32f   G-buffer, with the water's surface in it
//   5   normal            readonly rgba16f   w is the kind of hit
//   6   geometric_normal  readonly rgba16f
//   7   water_light       writeonly rgba32f  radiance towards the camera; w is 1 where there is water
//   8   albedo_map        sampler2D          see include/surface.glsl
//   17  albedo_overlay    sampler2D          likewise
//   10  split_sum         sampler2D          see include/brdf.glsl
//   11  metallic_roughness_map, 12 normal_map, 13 detail_normal_map, 14 emission_map   sampler2D   see include/surface.glsl
//   20  atmosphere        readonly buffer    see include/air.glsl
//   21  optical_depths    sampler2D          see include/transmittance.glsl
//   22  sky_view          sampler2D          see include/sight.glsl
//   40  environment       readonly buffer    see include/environment.glsl
//   41  environment_map   sampler2D
//   42  environment_rows  sampler2D
//   70  water             readonly buffer    see include/water.glsl
//   71  water_mask        sampler2D
//
// A facet of the surface is drawn for each sample, and what it mirrors and what it lets through are both followed, weighted
// by Fresnel's equations. The ground they meet gets the light that it gets elsewhere: of the sun, and of the sky by as many
// rays; under water both come refracted. Light that the water scatters does so once, at one point of each sample's way
// through it.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/surface.glsl"
#include "include/view.glsl"
#include "include/sky.glsl"
#include "include/brdf.glsl"
#include "include/water.glsl"
#include "include/water_view.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 1) const bool SOFT = true;  // whether the sun is a disc or a point
layout(constant_id = 72) const bool HAS_SUN = true;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba16f) readonly uniform image2D normal;
layout(set = 0, binding = 6, rgba16f) readonly uniform image2D geometric_normal;
layout(set = 0, binding = 7, rgba32f) writeonly uniform image2D water_light;

const uint PURPOSE_WATER = 0x70u;
const uint RAY_TO_SUN = 0u;
const uint RAY_TO_GLINT = 1u;
const uint RAYS_TO_SKY = 2u;  // the first of them; after these, from within the water, one to the sun and one to the sky
const float LEAST = 1.0e-5;   // less than this share of the light is not worth its rays

// Whether nothing stands in the way from a point of grid space along `l`, and where that comes out of the water after
// `metres`, along `beyond`.
bool arrives(vec3 grid, uint from, vec3 l, float metres, vec3 beyond) {
    while (true) {
        if (trace_grid(grid, l * terrain.scale, metres, from).kind != HIT_NOTHING) return false;
        if (metres == FAR_AWAY) return true;
        grid = vec3((grid + l * terrain.scale * metres).xy, water.level);
        l = beyond;
        metres = FAR_AWAY;
        from = HIT_NOTHING;
    }
}

// A direction to the sun; straight down if there is none.
vec3 sun_from(uint seed) {
    if (!HAS_SUN) return vec3(0.0, 0.0, -1.0);
    if (!SOFT) return frame.sun_direction;
    return cone_direction(sobol(frame.sample_index, seed ^ 1u), frame.sun_direction, frame.sun_cos_radius);
}

// The light that comes along the ray from `grid`, in the air or under water: emitted and reflected by the ground it meets,
// or of the sky. The share `carries` of it goes on to the camera, and all of the glint's light.
vec3 light_along(vec3 grid, vec3 direction, bool wet, vec3 carries, uint seed, Glint glint) {
    Hit hit = trace_grid(grid, direction * terrain.scale, FAR_AWAY, HIT_NOTHING);
    vec3 light = vec3(0.0), scattered = vec3(0.0), scatters_at = vec3(0.0);
    SurfacePoint point;
    Surface surface;
    bool met = hit.kind != HIT_NOTHING;
    if (met) {
        point = surface_at(hit, grid, direction * terrain.scale);
        surface = make_surface(
            point.albedo, point.roughness, point.metallic, terrain.specular, dot(point.normal, -direction));
        light = point.emission;
    } else if (wet) {
        vec3 side;
        hit.t = water_exit(grid, direction, side);
        float share;
        vec3 outside = look_out_of_water(direction, side, share);
        if (share > 0.0) light = share * sky_radiance(outside);
    } else {
        light = sky_radiance(direction) + glint.of_disc;
    }
    uint within = RAYS_TO_SKY + frame.sky_rays;
    uint first = met ? RAY_TO_SUN : RAY_TO_GLINT, last = met ? within : RAYS_TO_SKY;
    if (wet) {
        float t = sample_water(hit.t, sobol(frame.sample_index, seed ^ 3u), scattered);
        scatters_at = grid + direction * terrain.scale * t;
        scattered *= carries * WATER_PHASE;
        carries *= water_transmittance(hit.t);
        if (!met || max(carries.r, max(carries.g, carries.b)) < LEAST) first = within;
        last = within + (water_scatters() ? frame.sky_rays > 0u ? 2u : 1u : 0u);
    }
    light *= carries;
    for (uint i = first; i < last; ++i) {
        bool to_glint = !wet && i == RAY_TO_GLINT, to_sun = i == RAY_TO_SUN || i == within;
        vec3 start = grid, l = glint.from, beyond = vec3(0.0), brings = glint.light;
        float metres = FAR_AWAY;
        uint from = HIT_NOTHING;
        if (wet) {
            if (i == RAY_TO_GLINT) continue;
            uint rays = i < within ? frame.sky_rays : 1u;
            float share;
            if (to_sun) {
                beyond = sun_from(seed);
                brings = frame.sun_irradiance;
            } else {
                uint index = frame.sample_index * rays + (i < within ? i - RAYS_TO_SKY : 0u);
                beyond = cosine_direction(sobol(index, seed ^ (i < within ? 2u : 4u)), vec3(0.0, 0.0, 1.0));
                brings = sky_radiance(beyond) * (PI / (max(beyond.z, 1.0e-6) * float(rays)));
            }
            l = light_into_water(beyond, share);
            start = i < within ? point.grid : scatters_at;
            if (i < within) from = hit.kind;
            metres = max((water.level - start.z) / (l.z * terrain.scale.z), 0.0);
            brings *= share * water_transmittance(metres);
            brings *= i < within ? carries * brdf_cosine(surface, point.normal, -direction, l) : scattered;
        } else if (!to_glint) {
            if (to_sun) {
                l = sun_from(seed);
                brings = l.z > 0.0 ? frame.sun_irradiance : vec3(0.0);
            } else {
                uint index = frame.sample_index * frame.sky_rays + (i - RAYS_TO_SKY);
                l = cosine_direction(sobol(index, seed ^ 2u), point.normal);
                brings = sky_radiance(l) * (PI / (max(dot(point.normal, l), 1.0e-6) * float(frame.sky_rays)));
            }
            start = point.grid;
            from = hit.kind;
            brings *= carries * brdf_cosine(surface, point.normal, -direction, l);
        }
        vec3 least = to_glint ? LEAST * frame.sun_irradiance : vec3(0.0);
        if (any(greaterThan(brings, least)) && arrives(start, from, l, metres, beyond)) light += brings;
    }
    return light;
}

vec3 water_radiance(ivec2 pixel) {
    vec3 eye, direction, n;
    camera_ray(vec2(pixel) + frame.jitter, eye, direction);
    vec4 at = imageLoad(position, pixel);
    vec3 out_of_water = imageLoad(geometric_normal, pixel).xyz;
    float alpha;
    seen_water(at.xyz, direction, at.w, out_of_water, n, alpha);
    vec3 grid = world_to_grid(at.xyz);
    grid = vec3(clamp(grid.xy, vec2(0.0), vec2(terrain.cells)), out_of_water.z > 0.5 ? water.level : grid.z);

    uint seed = pixel_seed(uvec2(pixel), PURPOSE_WATER, frame.seed);
    vec3 facet = water_facet(n, -direction, alpha, sobol(frame.sample_index, seed));
    float mirrored = fresnel(dot(-direction, facet), water.ior);

    vec3 l = water_mirrored(direction, facet, out_of_water);
    Glint none = Glint(vec3(0.0), vec3(0.0), vec3(0.0)), glint = none;
    if (HAS_SUN)
        glint = sun_glint(direction, n, alpha, facet, out_of_water, SOFT, sobol(frame.sample_index, hash(seed)));
    vec3 light = vec3(0.0);
    for (uint branch = 0u; branch < 2u; ++branch) {  // once over the code, which is long
        bool wet = branch == 1u;
        vec3 along = l;
        if (wet) along = water_entered(direction, facet, out_of_water);
        float carries = wet ? (1.0 - mirrored) / (water.ior * water.ior) : mirrored;
        Glint sun = glint;
        if (wet) sun = none;
        light += light_along(grid, along, wet, vec3(carries), hash(seed + branch + 1u), sun);
    }
    return light;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 light = vec4(0.0);
    if (uint(imageLoad(normal, pixel).w) == HIT_WATER) light = vec4(water_radiance(pixel), 1.0);
    imageStore(water_light, pixel, light);
}
