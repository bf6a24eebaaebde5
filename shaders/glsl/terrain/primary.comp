// What does each pixel see? Fills the G-buffer by tracing one camera ray a pixel.
//
// Bindings (set 0):
//   0  terrain            readonly buffer    see include/terrain.glsl
//   1  heights            sampler2D          elevations
//   2  pyramid            readonly r32ui     bounds
//   3  frame              readonly buffer    see include/frame.glsl
//   4  position           writeonly rgba32f  world metres; w is the distance, infinite for a miss
//   5  normal             writeonly rgba16f  shading normal; w is the kind of hit
//   6  geometric_normal   writeonly rgba16f
//   7  albedo             writeonly rgba16f  linear
//   8  albedo_map         sampler2D          see include/surface.glsl
//   17 albedo_overlay     sampler2D          likewise
//   11 metallic_roughness_map, 12 normal_map, 13 detail_normal_map, 14 emission_map   sampler2D   likewise
//   15 material           writeonly rgba16f  roughness, metallic; written where KEEPS_MATERIAL
//   16 emission           writeonly rgba32f  radiance; written where KEEPS_EMISSION
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/view.glsl"
#include "include/surface.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) writeonly uniform image2D position;
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
    vec3 origin, direction;
    camera_ray(vec2(pixel) + frame.jitter, origin, direction);
    vec3 grid_origin = view_origin(origin);
    vec3 grid_direction = direction * terrain.scale;
    Hit hit = trace_grid(grid_origin, grid_direction, 1.0e30, HIT_NOTHING);

    vec4 at = vec4(0.0, 0.0, 0.0, uintBitsToFloat(0x7f800000u));
    // The sky faces the viewer: every normal of a picture has unit length, which filters and denoisers rely on.
    SurfacePoint point = SurfacePoint(vec3(0.0), -direction, -direction, vec3(0.0), 0.0, 0.0, vec3(0.0));
    if (hit.kind != HIT_NOTHING) {
        point = surface_at(hit, grid_origin, grid_direction);
        at = vec4(grid_to_world(point.grid), hit.t);
    }
    imageStore(position, pixel, at);
    imageStore(normal, pixel, vec4(point.normal, float(hit.kind)));
    imageStore(geometric_normal, pixel, vec4(point.geometric_normal, 0.0));
    imageStore(albedo, pixel, vec4(point.albedo, 0.0));
    if (KEEPS_MATERIAL) imageStore(material, pixel, vec4(point.roughness, point.metallic, 0.0, 0.0));
    if (KEEPS_EMISSION) imageStore(emission, pixel, vec4(point.emission, 0.0));
}
