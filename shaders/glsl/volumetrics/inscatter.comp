// The light that each froxel's medium sends to the eye, for one that lets none through: sun, sky and lamps, traced.
//
// Bindings (set 0):
//   0   terrain      readonly buffer    see include/terrain.glsl
//   1   heights      sampler2D          elevations
//   2   pyramid      readonly r32ui     bounds
//   3   frame        readonly buffer    see include/frame.glsl
//   20  atmosphere   readonly buffer    see include/air.glsl
//   21  optical_depths sampler2D          see include/transmittance.glsl
//   22  sky_view     sampler2D          see include/sight.glsl
//   30  fog          readonly buffer    see include/medium.glsl
//   31  density_map  sampler2D
//   32  lights       readonly buffer    see include/lights.glsl
//   33  volume       readonly buffer    see include/froxels.glsl
//   35  clouds       readonly buffer    see include/clouds.glsl
//   36  cloud_map    sampler2D
//   34  inscatter    writeonly rgba32f  radiance; w is the density integrated over the slice
//   40  environment  readonly buffer    see include/environment.glsl
//   41  environment_map  sampler2D
//   42  environment_rows  sampler2D
//
// One point a slice, drawn from where light that reaches the eye scatters (the inverse of the slice's own attenuation),
// so that the mean over samples is the integral of a slice however thick it is. Lamps are sampled by equal angles
// (Kulla and Fajardo 2012, "Importance Sampling Techniques for Path Tracing in Participating Media").
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/froxels.glsl"
#include "include/medium.glsl"
#include "include/lights.glsl"
#include "include/clouds.glsl"
#include "include/sky.glsl"

layout(local_size_x = 8, local_size_y = 4) in;

layout(constant_id = 31) const bool HAS_SUN = true;
layout(constant_id = 32) const bool HAS_SKY = true;
layout(constant_id = 33) const bool HAS_LAMPS = true;
layout(constant_id = 35) const bool HAS_CLOUDS = true;

const uint PURPOSE_FOG = 0x30u;   // where in the slice, and which part of the sun
const uint PURPOSE_FOG_SKY = 0x31u;
const uint PURPOSE_FOG_LAMPS = 0x32u;
const float NOTHING = 14.0;  // an optical depth: less than a millionth gets through

layout(set = 0, binding = 34, rgba32f) writeonly uniform image2D inscatter;

// A point of the air, in grid space. Behind what the eye sees it may lie in the ground; it then stands for the ground
// above it, so that what is interpolated from it is not dark.
struct Air {
    vec3 grid;
    uint on;  // HIT_NOTHING where it is in the air
};

// `eye` is in grid space.
Air air_at(vec3 world, vec3 eye) {
    Air air = Air(world_to_grid(world), HIT_NOTHING);
    vec2 extent = vec2(terrain.cells);
    if (any(lessThan(air.grid.xy, vec2(0.0))) || any(greaterThan(air.grid.xy, extent))) return air;
    if (HAS_SKIRT && air.grid.z < terrain.base) {
        if (!HAS_HOLES || !HAS_FLOOR || eye.z <= terrain.base) return air;
        // Under the base: behind it where the eye looks through a hole, else beside the block and then below.
        vec2 through = mix(eye.xy, air.grid.xy, (eye.z - terrain.base) / (eye.z - air.grid.z));
        if (all(equal(through, clamp(through, vec2(0.0), extent)))) air = Air(vec3(air.grid.xy, terrain.base), HIT_SKIRT);
        return air;
    }
    ivec2 cell = min(ivec2(air.grid.xy), terrain.cells - 1);
    Patch p = load_patch(cell);
    vec2 uv = air.grid.xy - vec2(cell);
    float ground = patch_height(p, uv);
    if (has_ground(p, uv) && air.grid.z < ground) air = Air(vec3(air.grid.xy, ground), HIT_GROUND);
    return air;
}

bool shadowed(Air air, vec3 direction, float metres) {
    return trace_grid(air.grid, direction * terrain.scale, metres, air.on).kind != HIT_NOTHING;
}

void main() {
    ivec2 texel = ivec2(gl_GlobalInvocationID.xy);
    ivec2 place = texel / volume.columns, column = texel - place * volume.columns;
    int slice = place.y * volume.across + place.x;
    if (place.x >= volume.across || slice >= volume.slices) return;

    vec3 eye, direction;
    camera_ray(froxel_pixel(column), eye, direction);
    float begin = slice_start(slice), end = slice_start(slice + 1), metres = end - begin;
    vec3 start = eye + begin * direction;
    float inside = metres > 0.0 ? density_metres(start, direction, metres) : 0.0;
    vec3 depth = fog.extinction * inside, light = vec3(0.0);
    float mean = (fog.extinction.x + fog.extinction.y + fog.extinction.z) / 3.0;
    bool seen = mean * inside > 0.0;
    if (MEDIUM_KIND != MEDIUM_FIELD) {  // there the sum is known only afterwards
        float before = density_metres(eye, direction, begin);
        seen = seen && min(fog.extinction.x, min(fog.extinction.y, fog.extinction.z)) * before < NOTHING;
    }
    if (seen) {
        uint seed = pixel_seed(uvec2(texel), PURPOSE_FOG, frame.seed);
        float where = sobol(frame.sample_index, seed).x;
        float wanted = mean * inside < 1.0e-3 ? where * inside : -log(1.0 - where * (1.0 - exp(-mean * inside))) / mean;
        float t = min(metres_at_density(start, direction, wanted), metres);
        vec3 world = start + t * direction;
        Air air = air_at(world, world_to_grid(eye));
        if (HAS_SUN) {
            vec3 l = cone_direction(sobol(frame.sample_index, hash(seed)), frame.sun_direction, frame.sun_cos_radius);
            if (l.z > 0.0 && !shadowed(air, l, FAR)) {
                vec3 arriving = frame.sun_irradiance * light_transmittance(world, l);
                if (HAS_CLOUDS) arriving *= cloud_transmittance(world, l, where);
                light += phase(dot(direction, l)) * arriving;
            }
        }
        if (HAS_SKY) {
            uint sky_seed = pixel_seed(uvec2(texel), PURPOSE_FOG_SKY, frame.seed);
            vec3 l = sample_phase(direction, sobol(frame.sample_index, sky_seed));
            if (!shadowed(air, l, FAR)) light += sky_radiance(l) * light_absorbed(world, l);
        }
        light *= fog.albedo;
        if (MEDIUM_KIND != MEDIUM_UNIFORM) {
            // The point was drawn for the mean of the three channels; each has its own weight there, whose mean is 1. Where
            // nothing attenuates the lights, these would be all noise.
            vec3 weight = fog.extinction / mean * exp((mean - fog.extinction) * wanted);
            light *= weight * one_minus_exp(vec3(mean * inside)) / max(one_minus_exp(depth), vec3(1.0e-20));
        }
    }
    if (HAS_LAMPS && seen) {
        uint seed = pixel_seed(uvec2(texel), PURPOSE_FOG_LAMPS, frame.seed);
        for (uint i = 0u; i < lights.count; ++i) {
            Lamp lamp = lights.lamps[i];
            float nearest = dot(lamp.position - start, direction);
            float aside = max(length(lamp.position - start - nearest * direction), 1.0e-3);
            float angle_a = atan(-nearest, aside), angle_b = atan(metres - nearest, aside);
            float angle = mix(angle_a, angle_b, sobol(frame.sample_index, hash(seed + i)).x);
            float t = clamp(nearest + aside * tan(angle), 0.0, metres);
            vec3 world = start + t * direction, to_lamp = lamp.position - world;
            float distance = max(length(to_lamp), 1.0e-3);
            vec3 l = to_lamp / distance;
            vec3 intensity = lamp_intensity(lamp, -l);
            if (intensity == vec3(0.0) || shadowed(air_at(world, world_to_grid(eye)), l, distance)) continue;
            vec3 left = medium_transmittance(start, direction, t) * medium_transmittance(world, l, distance);
            vec3 sent = fog.scattering * medium_density(world) * phase(dot(direction, l)) * intensity * left;
            light += sent * ((angle_b - angle_a) / aside) / max(one_minus_exp(depth), vec3(1.0e-20));
        }
    }
    imageStore(inscatter, texel, vec4(light, inside));
}
