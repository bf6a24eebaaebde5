// The environment map as rough mirrors see it: tables over directions, one for each alpha from 1/32 to 1, in one image.
//
// Bindings (set 0): those of environment.glsl.
//
// A table holds, for a direction r, the mean of the radiance about r weighted by D(h) n.l with n = v = r: the first factor
// of the split sum (Karis 2013, "Real Shading in Unreal Engine 4"). The weight depends on the angle between l and r alone,
// and at alpha = 1 it is the cosine, so that the last table times pi is the irradiance.
#ifndef VKFORGE_PREFILTERED_GLSL
#define VKFORGE_PREFILTERED_GLSL

#include "include/environment.glsl"

const int TABLES = 6;
const ivec2 TABLES_SIZE = ivec2(512, 768);  // of the image: passes/lighting/prefilter.py
const int TABLE_WIDTH[TABLES] = int[](512, 512, 256, 128, 64, 64);  // twice the height
const int TABLE_ROW[TABLES] = int[](0, 256, 512, 640, 704, 736);    // where in the image it begins

float table_alpha(int table) { return exp2(float(table - TABLES + 1)); }

// The weight of light from `chord` (the distance between the unit vectors l and r), up to a factor. cos^2 of h's angle is
// 1 - chord^2 / 4.
float mirror_weight(float chord2, float alpha2) {
    float sine2 = 0.25 * chord2;
    float spread = sine2 + (1.0 - sine2) * alpha2;
    return max(0.0, 1.0 - 0.5 * chord2) / (spread * spread);
}

vec3 table_radiance(sampler2D tables, int table, vec2 uv) {
    ivec2 size = ivec2(TABLE_WIDTH[table], TABLE_WIDTH[table] / 2);
    vec2 p = uv * vec2(size) - 0.5;
    ivec2 first = ivec2(floor(p));
    vec2 f = p - vec2(first);
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; ++i) {
        ivec2 corner = ivec2(i & 1, i >> 1);
        vec2 weight = mix(1.0 - f, f, vec2(corner));
        ivec2 at = equirectangular_texel(first + corner, size) + ivec2(0, TABLE_ROW[table]);
        sum += weight.x * weight.y * texelFetch(tables, at, 0).rgb;
    }
    return sum;
}

// What a mirror of this roughness (alpha = roughness^2) shows in the direction r; the map itself at 0. Between two tables
// the weights mix so that their second moments, which go with alpha^2, do.
vec3 prefiltered_radiance(sampler2D tables, vec3 direction, float roughness) {
    float alpha = roughness * roughness;
    vec2 uv = equirectangular(direction, environment.turn);
    float smallest = table_alpha(0);
    if (alpha <= smallest) {
        float part = alpha * alpha / (smallest * smallest);
        return environment.intensity * mix(environment_texels(uv), table_radiance(tables, 0, uv), part);
    }
    int table = clamp(int(floor(log2(alpha / smallest))), 0, TABLES - 2);
    float ratio = alpha / table_alpha(table);
    vec3 sharper = table_radiance(tables, table, uv), softer = table_radiance(tables, table + 1, uv);
    return environment.intensity * mix(sharper, softer, (ratio * ratio - 1.0) / 3.0);
}

#endif
