// Water: a level surface over the ground, its waves, what it reflects, lets through, scatters and absorbs.
//
// Bindings (set 0): those of heightfield.glsl, and
//   70  water       readonly buffer   (for the reason in terrain.glsl)
//   71  water_mask  sampler2D         over the DEM's outer extent, red a half or more for water; read where HAS_WATER_MASK
//
// Water fills the terrain's extent from the ground up to its level, where the ground lies lower and the mask says so, and
// ends in plane sides where the extent does. Light meets exact dielectric boundaries (unpolarised Fresnel reflectance,
// Snell's law); on its way it is absorbed, and scattered alike in all directions. Waves turn normals and displace
// nothing: a sum of sines, of which those too short for a pixel become roughness, so that they neither flicker nor vanish
// (as in Olano and Baker 2010, "LEAN mapping", whose moments sines have in closed form).
#ifndef VKFORGE_WATER_GLSL
#define VKFORGE_WATER_GLSL

#include "include/heightfield.glsl"
#include "include/ggx.glsl"

layout(constant_id = 71) const bool HAS_WATER_MASK = true;
layout(constant_id = 73) const bool MAP_WATER = false;  // opaque and matte, with a colour that tells its depth

const uint MOST_WAVES = 16;
const float FAR_AWAY = 1.0e30;
const float SHALLOWEST = 0.1;  // grid units: where the ground comes nearer to the surface than rounding, it is dry

struct Wave {
    vec2 number;  // cycles per metre east and north
    float slope;  // amplitude
    float phase;  // cycles
};

layout(set = 0, binding = 70, scalar) readonly buffer Water {
    float level;         // grid z of the surface
    float ior;
    vec3 scattering;     // per metre
    vec3 extinction;     // with what is absorbed
    float alpha_squared; // GGX roughness of the surface without its waves
    vec3 deep;           // linear colour where MAP_WATER and it is deep,
    vec3 shallow;        // and at the shore
    float fade;          // 1 over the metres, before exaggeration, in which all but 1/e of their difference is gone
    float slack;         // where ground as high as the water is flooded: factor on what rounding tells apart of two ways
    uint wave_count;
    Wave waves[MOST_WAVES];
} water;

layout(set = 0, binding = 71) uniform sampler2D water_mask;

// The share of unpolarised light that a smooth dielectric boundary reflects. `eta` is the index of refraction beyond it
// over that on this side; 1 where the reflection is total.
float fresnel(float cos_i, float eta) {
    float sine2 = (1.0 - cos_i * cos_i) / (eta * eta);
    if (sine2 >= 1.0) return 1.0;
    float cos_t = sqrt(1.0 - sine2);
    float s = (cos_i - eta * cos_t) / (cos_i + eta * cos_t);
    float p = (eta * cos_i - cos_t) / (eta * cos_i + cos_t);
    return 0.5 * (s * s + p * p);
}

const float WATER_PHASE = 0.25 / PI;

vec3 water_transmittance(float metres) { return exp(-water.extinction * metres); }

// All directions alike.
vec3 water_scattered(vec2 square) {
    float z = 1.0 - 2.0 * square.x, turn = 2.0 * PI * square.y;
    return vec3(sqrt(max(0.0, 1.0 - z * z)) * vec2(cos(turn), sin(turn)), z);
}

bool water_scatters() { return max(water.scattering.r, max(water.scattering.g, water.scattering.b)) > 0.0; }

// Where within `metres` light is scattered, drawn by the attenuation of a channel that is drawn too, and what scatters there
// over the density of all three.
float sample_water(float metres, vec2 square, out vec3 weight) {
    vec3 extinction = max(water.extinction, vec3(1.0e-6)), within = 1.0 - exp(-extinction * metres);
    within = mix(within, extinction * metres, lessThan(within, vec3(1.0e-3)));  // no digits are left of it
    int channel = min(int(square.x * 3.0), 2);
    float t = min(-log(1.0 - square.y * within[channel]) / extinction[channel], metres);
    vec3 left = exp(-extinction * t);
    weight = water.scattering * left / max(dot(extinction * left / within, vec3(1.0 / 3.0)), 1.0e-20);
    return t;
}

// Whether light is scattered before it has gone `metres`, and if so where; and what is left of it over the chance of that.
// Channels are drawn by how much the path `carries` of them: else, after many turns, few paths would carry all.
bool sample_water_flight(float metres, vec3 carries, vec2 square, inout float t, out vec3 weight) {
    weight = water_transmittance(metres);
    if (!water_scatters()) return false;
    vec3 chance = carries / max(carries.r + carries.g + carries.b, 1.0e-30);
    float passes = max(dot(weight, chance), 1.0e-30);
    float extinction = square.x < chance.r ? water.extinction.r
        : square.x < chance.r + chance.g ? water.extinction.g : water.extinction.b;
    float flight = extinction > 0.0 ? -log(1.0 - square.y) / extinction : FAR_AWAY;
    if (flight >= metres) {
        weight /= passes;
        return false;
    }
    t = flight;
    vec3 left = water_transmittance(t);
    weight = water.scattering * left / max(dot(water.extinction * left, chance), 1.0e-30);
    return true;
}

// Whether the surface is water at a place of grid space.
bool is_water(vec2 at) {
    ivec2 cell = clamp(ivec2(floor(at)), ivec2(0), terrain.cells - 1);
    Patch p = load_patch(cell);
    vec2 uv = clamp(at - vec2(cell), 0.0, 1.0);
    if (!has_ground(p, uv) || water.level - patch_height(p, uv) < SHALLOWEST) return false;
    return !HAS_WATER_MASK || textureLod(water_mask, (at + 0.5) / vec2(terrain.cells + 1), 0.0).r >= 0.5;
}

// The colour of water on a map, at a place of grid space: from that of shallows to that of the deep, as light dies away.
vec3 map_water_albedo(vec2 at) {
    ivec2 cell = clamp(ivec2(floor(at)), ivec2(0), terrain.cells - 1);
    float deep = water.level - patch_height(load_patch(cell), clamp(at - vec2(cell), 0.0, 1.0));
    return mix(water.deep, water.shallow, exp(-max(deep, 0.0) / height_scale * water.fade));
}

// When a ray along the axes' slab from 0 to `extent` enters and leaves it.
void slab(vec2 origin, vec2 direction, vec2 extent, out vec2 enters, out vec2 leaves) {
    vec2 inward = mix(vec2(1.0), vec2(-1.0), greaterThan(origin, 0.5 * extent));  // as in trace_grid
    vec2 inverse = 1.0 / mix(direction, inward * 1.0e-12, lessThan(abs(direction), vec2(1.0e-12)));
    vec2 a = -origin * inverse, b = (extent - origin) * inverse;
    enters = min(a, b);
    leaves = max(a, b);
}

// Whether a ray in the air enters water before it meets the ground at `t_ground`: where along the ray, and the normal
// that points out of the water there. `origin` is in grid space, `direction` a unit vector in the world.
bool water_hit(vec3 origin, vec3 direction, float t_ground, out float t, out vec3 normal) {
    vec3 along = direction * terrain.scale;
    vec2 enters, leaves;
    slab(origin.xy, along.xy, vec2(terrain.cells), enters, leaves);
    float t_in = max(max(enters.x, enters.y), 0.0), t_out = min(leaves.x, leaves.y);
    normal = vec3(0.0, 0.0, 1.0);
    t = t_in;
    if (t_in > t_out) return false;
    if (origin.z + along.z * t_in > water.level) {
        if (along.z >= 0.0) return false;
        t = (water.level - origin.z) / along.z;
        return t <= t_out && t < t_ground * water.slack && is_water(origin.xy + along.xy * t);
    }
    if (t_in == 0.0 || t_in >= t_ground) return false;
    vec3 at = origin + along * t_in;
    normal = wall_normal(enters.x > enters.y, along);
    ivec2 cell = clamp(ivec2(floor(at.xy)), ivec2(0), terrain.cells - 1);
    return at.z > patch_height(load_patch(cell), clamp(at.xy - vec2(cell), 0.0, 1.0)) && is_water(at.xy);
}

// Where a ray in the water comes to the surface or to a side, and the normal that points out of the water there.
float water_exit(vec3 origin, vec3 direction, out vec3 normal) {
    vec3 along = direction * terrain.scale;
    vec2 enters, leaves;
    slab(origin.xy, along.xy, vec2(terrain.cells), enters, leaves);
    float t_side = max(min(leaves.x, leaves.y), 0.0);
    float t_surface = along.z > 0.0 ? max((water.level - origin.z) / along.z, 0.0) : 1.0e30;
    normal = t_surface <= t_side ? vec3(0.0, 0.0, 1.0) : -wall_normal(leaves.x < leaves.y, along);
    return min(t_surface, t_side);
}

// The waves as seen along `direction` at a place of the world, by a pixel that is `width` metres wide there: the normal,
// which faces the viewer, and the GGX alpha of what is too small to see. Waves fade as a pixel spans more of their length.
void wave_surface(vec2 at, vec3 direction, float width, out vec3 normal, out float alpha) {
    vec2 ahead = abs(direction.z) < 0.9999 ? normalize(direction.xy) : vec2(0.0, 1.0);
    vec2 across = vec2(-ahead.y, ahead.x);
    float stretch = 1.0 / max(abs(direction.z), 1.0e-4);
    vec2 slope = vec2(0.0);
    float unseen = 0.0;  // variance of the slope
    for (uint i = 0u; i < water.wave_count; ++i) {
        Wave wave = water.waves[i];
        // Radians over half a pixel, taken for a standard deviation.
        vec2 phases = PI * width * vec2(dot(wave.number, across), dot(wave.number, ahead) * stretch);
        float seen = exp(-0.5 * dot(phases, phases));
        float cycles = fract(dot(wave.number, at) + wave.phase);
        slope += normalize(wave.number) * (wave.slope * seen * cos(2.0 * PI * (cycles - 0.5)));
        unseen += 0.5 * wave.slope * wave.slope * (1.0 - seen * seen);
    }
    // Beckmann's and GGX's alpha squared are twice the variance along an axis, of which there are two.
    alpha = clamp(sqrt(water.alpha_squared + unseen), SMOOTHEST, 1.0);
    normal = normalize(vec3(-slope, 1.0));
    normal = normalize(normal - direction * max(GRAZING + dot(normal, direction), 0.0));
}

// A facet's normal that is seen from `v`. A facet mirrors or lets through all that it gets: light that facets would throw
// onto others counts as if it went on, so that nothing is lost.
vec3 water_facet(vec3 normal, vec3 v, float alpha, vec2 square) {
    vec3 b1, b2;
    basis(normal, b1, b2);
    vec3 h = visible_normal(vec3(dot(v, b1), dot(v, b2), max(dot(v, normal), GRAZING)), alpha, square);
    return h.x * b1 + h.y * b2 + h.z * normal;
}

// The density of directions `l` that such facets mirror `v` to.
float water_mirror_density(vec3 normal, vec3 v, vec3 l, float alpha) {
    float cos_v = max(dot(normal, v), GRAZING);
    return ggx_distribution(normal, normalize(v + l), alpha) / (4.0 * cos_v * (1.0 + smith_lambda(cos_v, alpha)));
}

// `direction` after a facet mirrored it. What it sends into the water, other facets send up again.
vec3 water_mirrored(vec3 direction, vec3 facet, vec3 out_of_water) {
    vec3 l = reflect(direction, facet);
    return l - 2.0 * min(dot(l, out_of_water), 0.0) * out_of_water;
}

// `direction` after a facet refracted it into the water.
vec3 water_entered(vec3 direction, vec3 facet, vec3 out_of_water) {
    vec3 l = refract(direction, facet, 1.0 / water.ior);
    return l - 2.0 * max(dot(l, out_of_water), 0.0) * out_of_water;
}

// Under water, light comes through the surface taken as calm: its waves bundle light on the bottom, and on the whole
// neither add nor take any. The direction in which light from `l` in the air arrives, and the share of its irradiance (on
// a plane that faces it) that does; none from below the horizon.
vec3 light_into_water(vec3 l, out float share) {
    vec3 wet = -refract(-l, vec3(0.0, 0.0, 1.0), 1.0 / water.ior);
    share = l.z > 0.0 ? (1.0 - fresnel(l.z, water.ior)) * l.z / wet.z : 0.0;
    return wet;
}

// The direction in the air that a look along `l` under water leads to, and the share of radiance that comes from there;
// none where the surface reflects all.
vec3 look_out_of_water(vec3 l, vec3 out_of_water, out float share) {
    float reflected = fresnel(clamp(dot(l, out_of_water), 0.0, 1.0), 1.0 / water.ior);
    share = (1.0 - reflected) * water.ior * water.ior;
    return reflected < 1.0 ? refract(l, -out_of_water, water.ior) : vec3(0.0);
}

#endif
