// The medium in the air: how dense it is, how much light gets through, where a path scatters in it, and whereto.
//
// Bindings (set 0):
//   30  fog           readonly buffer   (for the reason in terrain.glsl)
//   31  density_map   sampler2D         field: layers of voxels from low to high, side by side; else nothing reads it
//
// All wavelengths share one density; coefficients scale it. So a stretch of a ray is told by one number, the integral of
// the density over it ("density metres"): light is attenuated by exp(-extinction x that), and a distance is found from it
// by inversion, in closed form for uniform and exponential media and by quadrature with two Gauss points a voxel in a
// field. Distances from FAR on are infinite.
#ifndef VKFORGE_MEDIUM_GLSL
#define VKFORGE_MEDIUM_GLSL

#include "include/sampling.glsl"

const uint MEDIUM_NONE = 0u;
const uint MEDIUM_UNIFORM = 1u;  // without end; light from infinity is taken as measured inside it
const uint MEDIUM_HEIGHT = 2u;   // density exp(-(z - base) / scale_height)
const uint MEDIUM_FIELD = 3u;    // voxels in a box

layout(constant_id = 30) const uint MEDIUM_KIND = MEDIUM_NONE;

const float FAR = 1.0e30;
const int FIELD_STEPS = 512;  // at most, along one ray

layout(set = 0, binding = 30, scalar) readonly buffer Fog {
    vec3 scattering;     // per metre at density 1
    vec3 absorption;
    vec3 extinction;     // their sum
    vec3 albedo;         // scattering / extinction, 0 where there is neither
    float anisotropy;    // g of the phase function
    float base;          // height: world z of density 1
    float scale_height;  // height: metres
    vec3 low;            // field: the box
    vec3 high;
    ivec3 voxels;        // field: at least 2 along each axis
    int across;          // field: layers side by side in a row of the map
} fog;

layout(set = 0, binding = 31) uniform sampler2D density_map;

float height_density(float z) { return exp(clamp((fog.base - z) / fog.scale_height, -80.0, 80.0)); }

// The four voxels of one layer around the corner right below voxel `at`, weighed by `along`.
float field_layer(ivec2 at, int layer, vec2 along) {
    ivec2 tile = ivec2(layer % fog.across, layer / fog.across) * fog.voxels.xy;
    vec4 v = textureGather(density_map, vec2(tile + at + 1) / vec2(textureSize(density_map, 0)));
    return mix(mix(v.w, v.z, along.x), mix(v.x, v.y, along.x), along.y);
}

// The density at a point inside the box.
float field_density(vec3 world) {
    vec3 at = (world - fog.low) / (fog.high - fog.low) * vec3(fog.voxels) - 0.5;
    at = clamp(at, vec3(0.0), vec3(fog.voxels - 1));
    ivec3 first = min(ivec3(at), fog.voxels - 2);
    vec3 along = at - vec3(first);
    return mix(field_layer(first.xy, first.z, along.xy), field_layer(first.xy, first.z + 1, along.xy), along.z);
}

float medium_density(vec3 world) {
    if (MEDIUM_KIND == MEDIUM_NONE) return 0.0;
    if (MEDIUM_KIND == MEDIUM_UNIFORM) return 1.0;
    if (MEDIUM_KIND == MEDIUM_HEIGHT) return height_density(world.z);
    if (any(lessThan(world, fog.low)) || any(greaterThan(world, fog.high))) return 0.0;
    return field_density(world);
}

// Where a ray is inside the field's box, of [0, t]; x > y for nowhere.
vec2 field_span(vec3 origin, vec3 direction, float t) {
    vec3 along = mix(direction, vec3(1.0e-12), lessThan(abs(direction), vec3(1.0e-12)));
    vec3 a = (fog.low - origin) / along, b = (fog.high - origin) / along;
    vec3 near = min(a, b), far = max(a, b);
    return vec2(max(max(near.x, near.y), max(near.z, 0.0)), min(min(far.x, far.y), min(far.z, t)));
}

int field_steps(vec3 direction, float metres) {
    vec3 voxels = abs(direction) * metres / (fog.high - fog.low) * vec3(fog.voxels);
    return clamp(int(ceil(max(voxels.x, max(voxels.y, voxels.z)))), 1, FIELD_STEPS);
}

// The mean density of a step from `start`, `along` long.
float field_step(vec3 start, vec3 along) {
    const float GAUSS = 0.2113248654;  // (1 - 1 / sqrt 3) / 2: exact for cubics, which a trilinear field is along a ray
    return 0.5 * (field_density(start + GAUSS * along) + field_density(start + (1.0 - GAUSS) * along));
}

// Density metres over the first t metres of a ray.
float density_metres(vec3 origin, vec3 direction, float t) {
    if (MEDIUM_KIND == MEDIUM_NONE) return 0.0;
    if (MEDIUM_KIND == MEDIUM_UNIFORM) return min(t, FAR);
    if (MEDIUM_KIND == MEDIUM_HEIGHT) {
        float per_metre = direction.z / fog.scale_height;
        if (t >= FAR) return per_metre > 0.0 ? min(height_density(origin.z) / per_metre, FAR) : FAR;
        float x = 0.5 * per_metre * t;
        if (abs(x) < 0.5) {  // the difference below would cancel; this is the series of sinh(x) / x
            float x2 = x * x;
            float series = 1.0 + x2 / 6.0 * (1.0 + x2 / 20.0 * (1.0 + x2 / 42.0));
            return min(t * height_density(origin.z + 0.5 * t * direction.z) * series, FAR);
        }
        float difference = height_density(origin.z) - height_density(origin.z + t * direction.z);
        return min(difference / per_metre, FAR);
    }
    vec2 span = field_span(origin, direction, t);
    if (span.x >= span.y) return 0.0;
    int steps = field_steps(direction, span.y - span.x);
    float step_metres = (span.y - span.x) / float(steps);
    float sum = 0.0;
    for (int i = 0; i < steps; ++i)
        sum += field_step(origin + (span.x + float(i) * step_metres) * direction, step_metres * direction);
    return sum * step_metres;
}

// The distance by which a ray has met so many density metres; FAR where it never does.
float metres_at_density(vec3 origin, vec3 direction, float wanted) {
    if (MEDIUM_KIND == MEDIUM_NONE) return FAR;
    if (MEDIUM_KIND == MEDIUM_UNIFORM) return wanted;
    if (MEDIUM_KIND == MEDIUM_HEIGHT) {
        float per_metre = direction.z / fog.scale_height, here = height_density(origin.z);
        float x = wanted * per_metre / here;
        if (x >= 1.0) return FAR;
        if (abs(x) < 0.02) return wanted / here * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 3.0 + x / 4.0)));
        float z = fog.base - fog.scale_height * log(here - wanted * per_metre);
        return max((z - origin.z) / direction.z, 0.0);
    }
    vec2 span = field_span(origin, direction, FAR);
    if (span.x >= span.y) return FAR;
    int steps = field_steps(direction, span.y - span.x);
    float step_metres = (span.y - span.x) / float(steps);
    float sum = 0.0;
    for (int i = 0; i < steps; ++i) {
        float t = span.x + float(i) * step_metres;
        float mean = field_step(origin + t * direction, step_metres * direction);
        if (mean > 0.0 && sum + mean * step_metres >= wanted) return t + (wanted - sum) / mean;
        sum += mean * step_metres;
    }
    return FAR;
}

// How much of the light that starts t metres along a unit direction arrives at `origin`.
vec3 medium_transmittance(vec3 origin, vec3 direction, float t) {
    if (MEDIUM_KIND == MEDIUM_NONE) return vec3(1.0);
    return exp(-fog.extinction * density_metres(origin, direction, t));
}

// The same for light from infinity, such as the sun's or the sky's; a uniform medium has that inside it.
vec3 light_transmittance(vec3 world, vec3 towards) {
    if (MEDIUM_KIND == MEDIUM_UNIFORM) return vec3(1.0);
    return medium_transmittance(world, towards, FAR);
}

// What absorption alone leaves of it: where scattering sends as much light into a path as out of it, as about a sky.
vec3 light_absorbed(vec3 world, vec3 towards) {
    if (MEDIUM_KIND == MEDIUM_NONE || MEDIUM_KIND == MEDIUM_UNIFORM) return vec3(1.0);
    return exp(-fog.absorption * density_metres(world, towards, FAR));
}

// The phase function (Henyey and Greenstein 1941) per steradian, of the cosine between the ways before and after. Also
// the density of sample_phase. For a ray `d` from the eye and a light in direction `l`, that cosine is dot(d, l).
float phase(float cosine) {
    float g = fog.anisotropy;
    float base = 1.0 + g * g - 2.0 * g * cosine;
    return (1.0 - g * g) / (4.0 * PI * base * sqrt(base));
}

vec3 sample_phase(vec3 direction, vec2 square) {
    float g = fog.anisotropy;
    float cosine = 1.0 - 2.0 * square.x;
    if (abs(g) > 1.0e-3) {
        float ratio = (1.0 - g * g) / (1.0 - g + 2.0 * g * square.x);
        cosine = clamp((1.0 + g * g - ratio * ratio) / (2.0 * g), -1.0, 1.0);
    }
    float sine = sqrt(max(0.0, 1.0 - cosine * cosine)), turn = 2.0 * PI * square.y;
    return to_world(vec3(sine * cos(turn), sine * sin(turn), cosine), direction);
}

// How far a path gets: whether it scatters before t_max, where, and what its throughput is to be multiplied by (which
// holds the scattering coefficient where it scatters, and what is left at t_max where it doesn't).
//
// One of the three channels says the distance, and all are weighed by the mean density of the three: the spectral balance
// heuristic (Wilkie et al. 2014, "Hero Wavelength Spectral Sampling"). Grey media have weights of exactly their albedo.
bool sample_free_flight(vec3 origin, vec3 direction, float t_max, vec2 square, out float t, out vec3 weight) {
    t = t_max;
    weight = vec3(1.0);
    if (MEDIUM_KIND == MEDIUM_NONE) return false;
    vec3 extinction = fog.extinction;
    float hero = extinction[min(int(3.0 * square.x), 2)];
    float wanted = hero > 0.0 ? -log(1.0 - square.y) / hero : FAR;
    float all = density_metres(origin, direction, t_max);
    bool scatters = wanted < all;
    vec3 left = exp(-extinction * min(wanted, all));
    if (scatters) {
        t = min(metres_at_density(origin, direction, wanted), t_max);
        float density = dot(extinction, left) / 3.0;
        weight = density > 0.0 ? fog.scattering * left / density : vec3(0.0);
    } else {
        float chance = (left.x + left.y + left.z) / 3.0;
        weight = chance > 0.0 ? left / chance : vec3(0.0);
    }
    return scatters;
}

#endif
