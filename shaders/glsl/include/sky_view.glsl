// Looking up what is seen from an eye: the sky, the air between, and the sun's disc.
//
// Bindings (set 0): those of air.glsl and transmittance.glsl, and
//   22  sky_view   sampler2D   see include/sight.glsl
#ifndef VKFORGE_SKY_VIEW_GLSL
#define VKFORGE_SKY_VIEW_GLSL

#include "include/sight.glsl"
#include "include/transmittance.glsl"

layout(set = 0, binding = 22) uniform sampler2D sky_view;

// Light between four texels, of which `low` is the first.
vec3 seen_light(ivec2 low, vec2 f, float nu) {
    vec3 smooth_part = vec3(0.0), mie = vec3(0.0);
    for (int i = 0; i < 4; ++i) {
        ivec2 corner = ivec2(i & 1, i >> 1), at = low + corner;
        vec2 weights = mix(1.0 - f, f, vec2(corner));
        float weight = weights.x * weights.y;
        smooth_part += weight * texelFetch(sky_view, at, 0).rgb;
        mie += weight * texelFetch(sky_view, at + ivec2(AZIMUTHS, 0), 0).rgb;
    }
    return smooth_part * rayleigh_phase(nu) + mie * mie_phase(nu);
}

// Light from where the air ends, or from the ground, to an eye (without the sun's disc); for irradiance 1.
vec3 sky_from(int eye, vec3 direction) {
    Sight s = sight(AIR.eyes[eye], direction);
    if (!s.below && s.angle > 1.0 && s.ray.altitude > AIR.thickness) return vec3(0.0);
    int half_rows = SKY_ROWS / 2;
    vec2 at = vec2(min(s.azimuth, 1.0) * float(AZIMUTHS - 1), min(s.angle, 1.0) * float(half_rows - 1));
    ivec2 low = min(ivec2(at), ivec2(AZIMUTHS, half_rows) - 2);
    vec2 f = at - vec2(low);
    low.y += eye * SKY_ROWS + (s.below ? 0 : half_rows);
    return seen_light(low, f, s.ray.nu);
}

// Optical depth of the ray from one distance to another, both inside the air; the points are dense at the lower end.
vec3 depth_between(SkyRay ray, float from, float to) {
    bool sinks = radius(ray.altitude) * ray.mu < -0.5 * (from + to);
    float low = sinks ? to : from, high = sinks ? from : to;
    vec3 depth = vec3(0.0);
    for (int i = 0; i < 8; ++i) {
        float u = gauss_node(i);
        depth += air_here(walk(ray, mix(low, high, u * u)).altitude).extinction * u * gauss_weight(i);
    }
    return depth * (to - from) * 2.0;
}

// The air between the camera's eye and what lies `distance` metres away: light scattered in on the way, for irradiance
// 1, and transmittance.
vec3 air_between(vec3 direction, float distance, out vec3 transmittance) {
    Sight s = sight(AIR.eyes[CAMERA_EYE], direction);
    transmittance = vec3(1.0);
    if (!s.below && s.angle > 1.0 && s.ray.altitude > AIR.thickness) return vec3(0.0);
    float begin, reach;
    way_through_air(s.ray, s.below, begin, reach);
    float way = clamp((distance - begin) * AIR.haze / max(reach, 1.0e-3), 0.0, 1.0);
    int half_rows = HAZE_ROWS / 2;
    vec3 at = vec3(min(s.azimuth, 1.0), min(s.angle, 1.0), slice_of(way, s.below)) *
              vec3(AZIMUTHS - 1, half_rows - 1, SLICES - 1);
    ivec3 low = min(ivec3(at), ivec3(AZIMUTHS, half_rows, SLICES) - 2);
    vec3 f = at - vec3(low);
    ivec2 near = ivec2(low.x, 2 * SKY_ROWS + low.z * HAZE_ROWS + (s.below ? 0 : half_rows) + low.y);
    transmittance = exp(-depth_between(s.ray, begin, begin + way * reach));
    return mix(seen_light(near, f.xy, s.ray.nu),
               seen_light(near + ivec2(0, HAZE_ROWS), f.xy, s.ray.nu), f.z);
}

// Radiance of the sun's disc at a direction, through the air, in the sun's unit. Its limb is darker: mu^alpha of
// Hestroffer and Magnan 1998, scaled so that the disc as a whole gives the irradiance.
vec3 sun_disc(int eye, vec3 direction) {
    float sine = length(cross(direction, AIR.sun_direction));
    float edge = sin(AIR.sun_radius);
    if (edge == 0.0 || sine >= edge || dot(direction, AIR.sun_direction) <= 0.0) return vec3(0.0);
    float mu = sqrt(max(1.0 - sine * sine / (edge * edge), 0.0));
    vec3 limb = 0.5 * (AIR.limb_exponent + 2.0) * pow(vec3(mu), AIR.limb_exponent);
    Eye from = AIR.eyes[eye];
    return AIR.sun_irradiance / (PI * edge * edge) * limb * transmittance_to_space(from.altitude, dot(direction, from.up));
}

#endif
