// A layer of clouds: how dense it is at a point, and how much of the sun it lets through.
//
// Bindings (set 0):
//   35  clouds     readonly buffer   (for the reason in terrain.glsl)
//   36  cloud_map  sampler2D         noise whose values are spread evenly over 0 to 1; one row and column repeat the first
#ifndef VKFORGE_CLOUDS_GLSL
#define VKFORGE_CLOUDS_GLSL

layout(set = 0, binding = 35, scalar) readonly buffer CloudLayer {
    float coverage;
    float base;        // world z
    float thickness;   // metres
    float extinction;  // per metre at density 1
    float anisotropy;
    float period;      // metres after which the map repeats
} clouds;

layout(set = 0, binding = 36) uniform sampler2D cloud_map;

const float CLOUD_EDGE = 0.3;  // the noise rises by so much from a cloud's edge to its full height

float cloud_noise(vec2 at) {
    vec2 size = vec2(textureSize(cloud_map, 0) - 1);
    vec2 texel = fract(at) * size;
    ivec2 cell = min(ivec2(texel), ivec2(size) - 1);
    vec2 along = texel - vec2(cell);
    vec4 v = textureGather(cloud_map, vec2(cell + 1) / (size + 1.0));
    return mix(mix(v.w, v.z, along.x), mix(v.x, v.y, along.x), along.y);
}

// Finer noise in three dimensions, out of the map in three planes, turned so that none is upright or level.
float cloud_detail(vec3 at) {
    at = mat3(0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6) * at;
    return (cloud_noise(at.xy) + cloud_noise(at.yz + 0.37) + cloud_noise(at.zx + 0.71)) / 3.0;
}

// 0 to 1; 0 outside the layer. A flat base, and domes as high as the noise is over what the coverage asks for, gnawed at
// by finer noise, less at the base.
float cloud_density(vec3 world) {
    float up = (world.z - clouds.base) / clouds.thickness;
    if (up <= 0.0 || up >= 1.0 || clouds.coverage <= 0.0) return 0.0;
    vec2 at = world.xy / clouds.period;
    float over = (cloud_noise(at) - (1.0 - clouds.coverage)) / CLOUD_EDGE;
    if (over <= 0.0) return 0.0;
    float rest = min(over, 1.0) - up * up;  // a dome is a parabola lying on its side
    if (rest <= 0.0) return 0.0;
    vec3 fine = vec3(at, (world.z - clouds.base) / clouds.period) * 7.0;
    rest -= (0.15 + 0.65 * up) * (0.65 * cloud_detail(fine) + 0.35 * cloud_detail(fine * 3.1));
    return clamp(4.0 * rest, 0.0, 1.0) * smoothstep(0.0, 0.06, up);
}

// Where a ray is inside the layer, of [0, t]; x >= y for nowhere.
vec2 cloud_span(vec3 origin, vec3 direction, float t) {
    float z = abs(direction.z) < 1.0e-6 ? 1.0e-6 : direction.z;
    float a = (clouds.base - origin.z) / z, b = (clouds.base + clouds.thickness - origin.z) / z;
    return vec2(max(min(a, b), 0.0), min(max(a, b), t));
}

// The optical depth towards a light at infinity. `shift` in [0, 1) moves the points in their steps.
float cloud_depth(vec3 world, vec3 towards, int steps, float shift) {
    vec2 span = cloud_span(world, towards, 1.0e30);
    // Low lights go a long way: what is far along it is taken for as dense as what is near.
    float metres = span.y - span.x, looked_at = min(metres, 8.0 * clouds.thickness);
    if (metres <= 0.0) return 0.0;
    float sum = 0.0;
    for (int i = 0; i < steps; ++i)
        sum += cloud_density(world + (span.x + looked_at * (float(i) + shift) / float(steps)) * towards);
    return clouds.extinction * metres * sum / float(steps);
}

// Of the sun's light, what gets through: what is scattered by small angles goes on as if it had not been.
float cloud_transmittance(vec3 world, vec3 towards, float shift) {
    return exp(-(1.0 - 0.5 * clouds.anisotropy) * cloud_depth(world, towards, 12, shift));
}

#endif
