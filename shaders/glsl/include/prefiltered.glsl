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
const ivec2 TABLES_SIZE = ivec2(512, 832);  // of the image: passes/lighting/prefilter.py
// A texel is at most a fifth of its lobe wide; wide lobes end in a kink, at 90 degrees, that wants more.
const int TABLE_WIDTH[TABLES] = int[](512, 512, 256, 128, 128, 128);  // twice the height
const int TABLE_ROW[TABLES] = int[](0, 256, 512, 640, 704, 768);      // where in the image it begins

float table_alpha(int table) { return exp2(float(table - TABLES + 1)); }

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

// What a mirror of this roughness (alpha = roughness^2) shows in the direction r; the map itself at 0. Two tables mix so
// that the lobe is as high as it should be, which goes with 1 / alpha^2; beside the map, so that the image of a texel is.
vec3 prefiltered_radiance(sampler2D tables, vec3 direction, float roughness) {
    float alpha = roughness * roughness, first = table_alpha(0);
    vec2 uv = equirectangular(direction, environment.turn);
    if (alpha < first) {
        // A lobe is 1 / (4 PI alpha^2) high: in it a texel of w steradians looks 1 / (1 + 4 PI alpha^2 / w) as bright.
        int row = min(int(uv.y * float(environment.size.y)), environment.size.y - 1);
        vec2 blurred = 4.0 * PI * vec2(alpha, first) * vec2(alpha, first) * environment_texels_per_steradian(row);
        blurred /= 1.0 + blurred;
        vec3 mirrored = environment_texels(uv);
        return environment.intensity * mix(mirrored, table_radiance(tables, 0, uv), blurred.x / blurred.y);
    }
    int table = clamp(int(floor(log2(alpha / first))), 0, TABLES - 2);
    float ratio = table_alpha(table) / alpha;
    vec3 sharper = table_radiance(tables, table, uv), softer = table_radiance(tables, table + 1, uv);
    return environment.intensity * mix(sharper, softer, (1.0 - ratio * ratio) * 4.0 / 3.0);
}

#endif
