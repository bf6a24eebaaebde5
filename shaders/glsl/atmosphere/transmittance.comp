// Optical depth to the top of the air, by altitude and direction (H eq. 2).
//
// Bindings (set 0):
//   20  atmosphere       readonly buffer      see include/air.glsl
//   21  optical_depths   writeonly rgba32f    see include/transmittance.glsl, whose coordinates these are
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/air.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 21, rgba32f) writeonly uniform image2D optical_depths;

const int STEPS = 40;  // on each side of the ray's lowest point

vec3 depth_over(SkyRay ray, float begin, float length) {
    vec3 depth = vec3(0.0);
    for (int i = 0; i < STEPS; ++i) {
        float u = (float(i) + 0.5) / float(STEPS);
        // d(u^2) = 2 u du; the midpoint rule is exact for it.
        depth += air_here(walk(ray, begin + length * u * u).altitude).extinction * u;
    }
    return depth * abs(length) * 2.0 / float(STEPS);
}

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy), size = imageSize(optical_depths);
    if (any(greaterThanEqual(at, size))) return;
    vec2 x = vec2(at) / vec2(size - 1);
    float horizon = tangent(AIR.thickness), rho = x.y * horizon;
    float altitude = rho * rho / (sqrt(AIR.ground_radius * AIR.ground_radius + rho * rho) + AIR.ground_radius);
    float nearest = AIR.thickness - altitude;
    float reach = mix(nearest, rho + horizon, x.x);
    float mu = reach > 0.0 ? (horizon * horizon - rho * rho - reach * reach) / (2.0 * radius(altitude) * reach) : 1.0;
    SkyRay ray = SkyRay(altitude, clamp(mu, -1.0, 1.0), 0.0, 0.0);
    float lowest = clamp(-radius(altitude) * ray.mu, 0.0, reach);
    vec3 depth = depth_over(ray, lowest, -lowest) + depth_over(ray, lowest, reach - lowest);
    imageStore(optical_depths, at, vec4(depth, 0.0));
}
