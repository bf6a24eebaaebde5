// What does each pixel see? Fills the G-buffer by tracing one camera ray a pixel.
//
// Bindings (set 0):
//   0  terrain            readonly buffer    see include/terrain.glsl
//   1  heights            sampler2D          elevations
//   2  pyramid            usampler2D         bounds
//   3  frame              readonly buffer    see include/frame.glsl
//   4  position           writeonly rgba32f  world metres; w is the distance, infinite for a miss
//   5  normal             writeonly rgba16f  shading normal; w is the kind of hit
//   6  geometric_normal   writeonly rgba16f
//   7  albedo             writeonly rgba16f  linear
//   8  albedo_map         sampler2D          texture over the DEM's outer extent, or ramp over elevation
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/frame.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) writeonly uniform image2D position;
layout(set = 0, binding = 5, rgba16f) writeonly uniform image2D normal;
layout(set = 0, binding = 6, rgba16f) writeonly uniform image2D geometric_normal;
layout(set = 0, binding = 7, rgba16f) writeonly uniform image2D albedo;
layout(set = 0, binding = 8) uniform sampler2D albedo_map;

// `grid` is the hit in grid space. Textures are pixel-is-area: sample (0, 0) lies half a cell inside their corner.
vec3 ground_albedo(vec3 grid) {
    if (terrain.albedo_kind == 0u) return terrain.albedo;
    if (terrain.albedo_kind == 1u)
        return textureLod(albedo_map, (grid.xy + 0.5) / vec2(terrain.cells + 1), 0.0).rgb;
    float elevation = (grid.z - LOWEST) / terrain.height_scale + terrain.height_low;
    float x = clamp((elevation - terrain.ramp_low) / (terrain.ramp_high - terrain.ramp_low), 0.0, 1.0);
    float n = float(textureSize(albedo_map, 0).x);
    return textureLod(albedo_map, vec2((x * (n - 1.0) + 0.5) / n, 0.5), 0.0).rgb;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec3 origin, direction;
    camera_ray(vec2(pixel) + frame.jitter, origin, direction);
    vec3 grid_origin = world_to_grid(origin);
    if (frame.clamp_to_ground == 1u) {
        // A map's border pixels reach half a cell over the outermost samples, and see those.
        vec2 inside = clamp(grid_origin.xy, vec2(0.0), vec2(terrain.cells));
        if (all(lessThan(abs(grid_origin.xy - inside), vec2(0.501)))) grid_origin.xy = inside;
    }
    vec3 grid_direction = direction * terrain.scale;
    Hit hit = trace_grid(grid_origin, grid_direction, 1.0e30, false);

    vec4 at = vec4(0.0, 0.0, 0.0, uintBitsToFloat(0x7f800000u));
    // The sky faces the viewer: every normal of a picture has unit length, which filters and denoisers rely on.
    vec3 shading = -direction, geometric = -direction, colour = vec3(0.0);
    if (hit.kind == HIT_GROUND) {
        Patch p = load_patch(hit.cell);
        vec3 grid = vec3(vec2(hit.cell) + hit.uv, patch_height(p, hit.uv));
        at = vec4(grid_to_world(grid), hit.t);
        geometric = normal_from_slopes(patch_slopes(p, hit.uv));
        shading = shading_normal(hit.cell, hit.uv);
        colour = ground_albedo(grid);
    } else if (hit.kind == HIT_SKIRT) {
        at = vec4(grid_to_world(grid_origin + grid_direction * hit.t), hit.t);
        geometric = shading = hit.normal;
        colour = terrain.skirt_albedo;
    }
    imageStore(position, pixel, at);
    imageStore(normal, pixel, vec4(shading, float(hit.kind)));
    imageStore(geometric_normal, pixel, vec4(geometric, 0.0));
    imageStore(albedo, pixel, vec4(colour, 0.0));
}
