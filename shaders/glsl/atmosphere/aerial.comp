// The air between the camera's eye and anything, by direction and distance (H section 5.4; by direction, not by froxel,
// so that it serves every kind of camera).
//
// Bindings (set 0):
//   20  sky_tables   buffer   see include/atmosphere.glsl
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#define SKY_TABLES_ACCESS
#include "include/atmosphere.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

const int STEPS = 2;  // a slice

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(at, HAZE_SIZE.xy))) return;
    int half_rows = HAZE_SIZE.y / 2;
    bool below = at.y < half_rows;
    float angle = float(at.y % half_rows) / float(half_rows - 1);
    SkyRay ray = ray_of(AIR.eyes[CAMERA_EYE], float(at.x) / float(HAZE_SIZE.x - 1), angle, below);
    float begin, reach;
    way_through_air(ray, below, begin, reach);
    ray = walk(ray, begin);
    ray.altitude = min(ray.altitude, AIR.thickness);
    Gathered g = Gathered(vec3(0.0), vec3(0.0), vec3(0.0));
    float before = 0.0;
    for (int slice = 0; slice < HAZE_SIZE.z; ++slice) {
        float after = reach * slice_distance(float(slice) / float(HAZE_SIZE.z - 1), below);
        for (int i = 0; i < STEPS; ++i) {
            float middle = mix(before, after, (float(i) + 0.5) / float(STEPS));
            gather(g, walk(ray, middle), (after - before) / float(STEPS), true, ALL_ORDERS);
        }
        before = after;
        int texel_at = AT_HAZE + ((slice * HAZE_SIZE.y + at.y) * HAZE_SIZE.x + at.x) * 2;
        sky_tables.texels[texel_at] = vec4(g.smooth_part, 0.0);
        sky_tables.texels[texel_at + 1] = vec4(g.mie, 0.0);
    }
}
