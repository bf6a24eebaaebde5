// The lamps' light at each pixel, with a shadow ray to each.
//
// Bindings (set 0):
//   0   terrain       readonly buffer    see include/terrain.glsl
//   1   heights       sampler2D          elevations
//   2   pyramid       readonly r32ui     bounds
//   3   frame         readonly buffer    see include/frame.glsl
//   4   position      readonly rgba32f   G-buffer, see include/gbuffer.glsl
//   5   normal        readonly rgba16f
//   6   albedo        readonly rgba16f
//   10  split_sum     sampler2D          see include/brdf.glsl
//   15 material           readonly rgba16f   see include/pixel_surface.glsl
//   30  fog           readonly buffer    see include/medium.glsl
//   31  density_map   sampler2D
//   32  lights        readonly buffer    see include/lights.glsl
//   36  lamp_light    writeonly rgba32f  radiance towards the camera
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/terminator.glsl"
#include "include/frame.glsl"
#include "include/pixel_surface.glsl"
#include "include/medium.glsl"
#include "include/lights.glsl"

layout(local_size_x = 8, local_size_y = 4) in;

layout(set = 0, binding = 36, rgba32f) writeonly uniform image2D lamp_light;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec3 light = vec3(0.0);
    vec4 shading = imageLoad(normal, pixel);
    uint kind = uint(shading.w);
    if (kind != HIT_NOTHING) {
        vec3 at = imageLoad(position, pixel).xyz, n = normalize(shading.xyz), origin, view;
        camera_ray(vec2(pixel) + frame.jitter, origin, view);
        Surface surface = pixel_surface(pixel, n, -view);
        vec3 grid = start_from(kind, world_to_grid(at), n);
        for (uint i = 0u; i < lights.count; ++i) {
            Lamp lamp = lights.lamps[i];
            float distance = max(length(lamp.position - at), 1.0e-3);
            vec3 l = (lamp.position - at) / distance;
            vec3 intensity = lamp_intensity(lamp, -l);
            if (intensity == vec3(0.0) || dot(n, l) <= 0.0) continue;
            if (trace_to_light(grid, kind, n, l, distance).kind != HIT_NOTHING) continue;
            vec3 arriving = intensity * medium_transmittance(at, l, distance) / (distance * distance);
            light += brdf_cosine(surface, n, -view, l) * arriving;
        }
    }
    imageStore(lamp_light, pixel, vec4(light, 0.0));
}
