// Puts the water's surface into the G-buffer, where camera rays meet it before the ground.
//
// Bindings (set 0):
//   0   terrain           readonly buffer    see include/terrain.glsl
//   1   heights           sampler2D          elevations
//   2   pyramid           readonly r32ui     bounds
//   3   frame             readonly buffer    see include/frame.glsl
//   4   position          rgba32f            G-buffer, see terrain/primary.comp
//   5   normal            writeonly rgba16f
//   6   geometric_normal  writeonly rgba16f  out of the water: up, or out of a side
//   7   albedo            writeonly rgba16f  1: there is none to divide light by; on a map its colour
//   15  material          writeonly rgba16f  written where KEEPS_MATERIAL
//   16  emission          writeonly rgba32f  written where KEEPS_EMISSION
//   70  water             readonly buffer    see include/water.glsl
//   71  water_mask        sampler2D
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/view.glsl"
#include "include/water.glsl"
#include "include/water_view.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) uniform image2D position;
layout(set = 0, binding = 5, rgba16f) writeonly uniform image2D normal;
layout(set = 0, binding = 6, rgba16f) writeonly uniform image2D geometric_normal;
layout(set = 0, binding = 7, rgba16f) writeonly uniform image2D albedo;
layout(set = 0, binding = 15, rgba16f) writeonly uniform image2D material;
layout(set = 0, binding = 16, rgba32f) writeonly uniform image2D emission;

layout(constant_id = 14) const bool KEEPS_MATERIAL = true;
layout(constant_id = 15) const bool KEEPS_EMISSION = true;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec3 origin, direction, out_of_water;
    camera_ray(vec2(pixel) + frame.jitter, origin, direction);
    vec3 grid = view_origin(origin);
    float t;
    if (!water_hit(grid, direction, imageLoad(position, pixel).w, t, out_of_water)) return;
    vec3 at = grid_to_world(grid + direction * terrain.scale * t);
    vec3 n = out_of_water, colour = vec3(1.0);
    float alpha = 1.0;
    if (MAP_WATER) colour = map_water_albedo((grid + direction * terrain.scale * t).xy);
    else seen_water(at, direction, t, out_of_water, n, alpha);
    imageStore(position, pixel, vec4(at, t));
    imageStore(normal, pixel, vec4(n, float(HIT_WATER)));
    imageStore(geometric_normal, pixel, vec4(out_of_water, 0.0));
    imageStore(albedo, pixel, vec4(colour, 0.0));
    if (KEEPS_MATERIAL) imageStore(material, pixel, vec4(sqrt(alpha), 0.0, 0.0, 0.0));
    if (KEEPS_EMISSION) imageStore(emission, pixel, vec4(0.0));
}
