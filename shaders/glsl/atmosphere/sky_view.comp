// The sky from the two eyes, by direction (H section 5.3): x is the azimuth, y the angle for one eye after the other.
//
// Bindings (set 0):
//   20  sky_tables   buffer   see include/atmosphere.glsl
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#define SKY_TABLES_ACCESS
#include "include/atmosphere.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

const int STEPS = 40;

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(at, ivec2(SKY_SIZE.x, 2 * SKY_SIZE.y)))) return;
    int eye = at.y / SKY_SIZE.y, row = at.y % SKY_SIZE.y, half_rows = SKY_SIZE.y / 2;
    bool below = row < half_rows;
    float angle = float(row % half_rows) / float(half_rows - 1);
    SkyRay ray = ray_of(AIR.eyes[eye], float(at.x) / float(SKY_SIZE.x - 1), angle, below);
    float begin, reach;
    way_through_air(ray, below, begin, reach);
    ray = walk(ray, begin);
    ray.altitude = min(ray.altitude, AIR.thickness);
    Gathered g = march(ray, reach, STEPS, true, ALL_ORDERS);
    if (below) g.smooth_part += exp(-g.depth) * ground_radiance(walk(ray, reach).mu_sun, true, ALL_ORDERS);
    int i = AT_SKY + eye * SKY_TEXELS + (row * SKY_SIZE.x + at.x) * 2;
    sky_tables.texels[i] = vec4(g.smooth_part, 0.0);
    sky_tables.texels[i + 1] = vec4(g.mie, 0.0);
}
