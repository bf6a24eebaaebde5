// Radiance from all directions by an equirectangular map, and directions drawn in proportion to it.
//
// Bindings (set 0):
//   40  environment        readonly buffer   the map's size, how it is turned, what it is multiplied by
//   41  environment_map    sampler2D         radiance; w is the share of the row's light in the texels up to this one
//   42  environment_rows   sampler2D         share of the map's light in the rows up to this one
//
// Row 0 is the zenith, the middle column looks north, columns go clockwise. Texels are fetched and weighted here and not by
// a sampler: its weights have 8 bits, it would need a border of its own to go round the seam and over the poles, and
// drivers differ.
#ifndef VKFORGE_ENVIRONMENT_GLSL
#define VKFORGE_ENVIRONMENT_GLSL

#include "include/sampling.glsl"

layout(set = 0, binding = 40, scalar) readonly buffer Environment {
    ivec2 size;       // texels
    float turn;       // clockwise from above, in full turns, 0 to 1
    float intensity;
} environment;

layout(set = 0, binding = 41) uniform sampler2D environment_map;
layout(set = 0, binding = 42) uniform sampler2D environment_rows;

// Where on any equirectangular map a unit direction lies, 0 to 1: to the right from its left end, and down from the zenith.
vec2 equirectangular(vec3 direction, float turn) {
    float across = direction.xy == vec2(0.0) ? 0.0 : atan(direction.x, direction.y) / (2.0 * PI);
    return vec2(fract(0.5 + across - turn), atan(length(direction.xy), direction.z) / PI);
}

// The direction at (across, cosine of the zenith angle) of such a map.
vec3 equirectangular_direction(float across, float cos_zenith, float turn) {
    float bearing = 2.0 * PI * (across - 0.5 + turn);
    return vec3(sqrt(max(0.0, 1.0 - cos_zenith * cos_zenith)) * vec2(sin(bearing), cos(bearing)), cos_zenith);
}

// Any texel of a map of `size`, around its seam and over its poles.
ivec2 equirectangular_texel(ivec2 at, ivec2 size) {
    if (at.y < 0 || at.y >= size.y) at = ivec2(at.x + size.x / 2, at.y < 0 ? -1 - at.y : 2 * size.y - 1 - at.y);
    return ivec2((at.x + size.x) % size.x, at.y);
}

// The map's own radiance at `uv`, bilinear, neither turned nor scaled.
vec3 environment_texels(vec2 uv) {
    vec2 p = uv * vec2(environment.size) - 0.5;
    ivec2 first = ivec2(floor(p));
    vec2 f = p - vec2(first);
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; ++i) {
        ivec2 corner = ivec2(i & 1, i >> 1);
        vec2 weight = mix(1.0 - f, f, vec2(corner));
        ivec2 at = equirectangular_texel(first + corner, environment.size);
        sum += weight.x * weight.y * texelFetch(environment_map, at, 0).rgb;
    }
    return sum;
}

// The radiance that comes from a unit direction.
vec3 environment_radiance(vec3 direction) {
    return environment.intensity * environment_texels(equirectangular(direction, environment.turn));
}

float environment_row_share(int row) {
    return row < 0 ? 0.0 : texelFetch(environment_rows, ivec2(0, row), 0).r;
}

float environment_texel_share(int column, int row) {
    return column < 0 ? 0.0 : texelFetch(environment_map, ivec2(column, row), 0).a;
}

// What one over the solid angle of a texel is.
float environment_texels_per_steradian(int row) {
    vec2 size = vec2(environment.size);
    // The difference of the cosines at the row's two edges, as a product: near the poles they are all but the same.
    float height = 2.0 * sin(PI * (float(row) + 0.5) / size.y) * sin(0.5 * PI / size.y);
    return size.x / (2.0 * PI * height);
}

// Probability density, per steradian, with which `sample_environment` draws a unit direction. It is above 0 wherever the
// radiance is, constant over a texel, and integrates to 1.
float environment_density(vec3 direction) {
    vec2 uv = equirectangular(direction, environment.turn);
    ivec2 at = min(ivec2(uv * vec2(environment.size)), environment.size - 1);
    float row = environment_row_share(at.y) - environment_row_share(at.y - 1);
    float column = environment_texel_share(at.x, at.y) - environment_texel_share(at.x - 1, at.y);
    return row * column * environment_texels_per_steradian(at.y);
}

// A unit direction drawn in proportion to the map's luminance, from a point of the unit square, and its density.
vec3 sample_environment(vec2 square, out float density) {
    int row = 0;  // the first whose share is above square.y
    for (int count = environment.size.y - 1; count > 0;) {
        int half_way = row + count / 2;
        if (environment_row_share(half_way) <= square.y) {
            count -= half_way + 1 - row;
            row = half_way + 1;
        } else {
            count = half_way - row;
        }
    }
    int column = 0;
    for (int count = environment.size.x - 1; count > 0;) {
        int half_way = column + count / 2;
        if (environment_texel_share(half_way, row) <= square.x) {
            count -= half_way + 1 - column;
            column = half_way + 1;
        } else {
            count = half_way - column;
        }
    }
    float row_before = environment_row_share(row - 1);
    float column_before = environment_texel_share(column - 1, row);
    vec2 chosen = vec2(environment_texel_share(column, row) - column_before, environment_row_share(row) - row_before);
    vec2 inside = clamp((square - vec2(column_before, row_before)) / chosen, 0.0, 1.0);
    vec2 size = vec2(environment.size);
    float top = cos(PI * float(row) / size.y), bottom = cos(PI * float(row + 1) / size.y);
    density = chosen.x * chosen.y * environment_texels_per_steradian(row);
    float across = (float(column) + inside.x) / size.x;
    return equirectangular_direction(across, mix(top, bottom, inside.y), environment.turn);
}

#endif
