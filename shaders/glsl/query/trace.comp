// Any rays against the terrain: what `Renderer.trace` runs.
//
// Bindings (set 0):
//   0  terrain   readonly buffer  see include/terrain.glsl
//   1  heights   sampler2D        elevations
//   2  pyramid   readonly r32ui   bounds
//   3  rays      readonly buffer  origin and unit direction of each ray, world metres
//   4  results   writeonly buffer normal (zero for a miss) and distance (infinite for a miss) of each ray
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"

layout(local_size_x = 64) in;

struct Ray { vec3 origin; vec3 direction; };
struct Result { vec3 normal; float t; };

layout(set = 0, binding = 3, scalar) readonly buffer Rays { uint count; Ray items[]; } rays;
layout(set = 0, binding = 4, scalar) writeonly buffer Results { Result items[]; } results;

void main() {
    uint index = gl_GlobalInvocationID.x;
    if (index >= rays.count) return;
    Ray ray = rays.items[index];
    Hit hit = trace_grid(world_to_grid(ray.origin), ray.direction * terrain.scale, 1.0e30, HIT_NOTHING);
    Result result;
    result.t = hit.kind == HIT_NOTHING ? uintBitsToFloat(0x7f800000u) : hit.t;
    result.normal = vec3(0.0);
    if (hit.kind == HIT_GROUND) result.normal = ground_normal(hit.cell, hit.uv);
    if (hit.kind == HIT_SKIRT) result.normal = hit.normal;
    results.items[index] = result;
}
