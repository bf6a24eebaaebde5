// How much light comes through the air.
//
// Bindings (set 0): that of air.glsl, and
//   21  optical_depths   sampler2D   to the top of the air, by altitude and direction
//
// H eq. 2, in the coordinates of Bruneton and Neyret 2008, "Precomputed Atmospheric Scattering", section 4.
#ifndef VKFORGE_TRANSMITTANCE_GLSL
#define VKFORGE_TRANSMITTANCE_GLSL

#include "include/air.glsl"

layout(set = 0, binding = 21) uniform sampler2D optical_depths;

const ivec2 DEPTH_SIZE = ivec2(256, 64);

// Optical depth from inside the air to its top, for a ray that does not meet the ground.
vec3 optical_depth(float altitude, float mu) {
    float rho = tangent(altitude), horizon = tangent(AIR.thickness), nearest = AIR.thickness - altitude;
    vec2 at = vec2((to_top(altitude, mu) - nearest) / max(rho + horizon - nearest, 1.0), rho / horizon);
    at = clamp(at, 0.0, 1.0) * vec2(DEPTH_SIZE - 1);
    ivec2 low = min(ivec2(at), DEPTH_SIZE - 2);
    vec2 f = at - vec2(low);
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; ++i) {
        ivec2 corner = ivec2(i & 1, i >> 1);
        vec2 weight = mix(1.0 - f, f, vec2(corner));
        sum += weight.x * weight.y * texelFetch(optical_depths, low + corner, 0).rgb;
    }
    return sum;
}

// Transmittance from anywhere to space; 0 where the ground is in the way.
vec3 transmittance_to_space(float altitude, float mu) {
    float t = to_air(altitude, mu);
    if (t < 0.0) return vec3(1.0);
    if (meets_ground(altitude, mu)) return vec3(0.0);
    SkyRay ray = walk(SkyRay(altitude, mu, 0.0, 0.0), t);
    return exp(-optical_depth(min(ray.altitude, AIR.thickness), ray.mu));
}

// Irradiance from the sun inside the air, on a plane that faces it: the disc goes down behind the ground.
vec3 sunlight(float altitude, float mu_sun) {
    float mu_horizon = -tangent(altitude) / radius(altitude);
    float soft = max(AIR.sun_radius, 1.0e-4);
    float above = smoothstep(-soft, soft, mu_sun - mu_horizon);
    return above == 0.0 ? vec3(0.0) : above * exp(-optical_depth(altitude, max(mu_sun, mu_horizon)));
}

#endif
