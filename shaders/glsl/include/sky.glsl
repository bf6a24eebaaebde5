// What the sky sends from each direction.
//
// Bindings (set 0): those of frame.glsl, sky_view.glsl and environment.glsl.
#ifndef VKFORGE_SKY_GLSL
#define VKFORGE_SKY_GLSL

#include "include/frame.glsl"
#include "include/sky_view.glsl"
#include "include/environment.glsl"

const uint SKY_GRADIENT = 0u;  // linear in the sine of the elevation above the horizon, constant below it
const uint SKY_PHYSICAL = 1u;  // the tables of sky_view.glsl
const uint SKY_ENVIRONMENT = 2u;  // the map of environment.glsl
layout(constant_id = 20) const uint SKY_KIND = SKY_GRADIENT;

// The sky's radiance as it lights the ground, without the sun's disc.
vec3 sky_radiance(vec3 direction) {
    if (SKY_KIND == SKY_PHYSICAL) return AIR.sun_irradiance * sky_from(GROUND_EYE, direction);
    if (SKY_KIND == SKY_ENVIRONMENT) return environment_radiance(direction);
    return direction.z > 0.0 ? mix(frame.sky_horizon, frame.sky_zenith, direction.z) : frame.sky_ground;
}

// What the camera sees of it, the sun's disc included where that is part of the sky.
vec3 sky_seen(vec3 direction) {
    if (SKY_KIND == SKY_PHYSICAL)
        return AIR.sun_irradiance * sky_from(CAMERA_EYE, direction) + sun_disc(CAMERA_EYE, direction);
    return sky_radiance(direction);
}

// Aerial perspective: the light that the air adds between the camera and what is `distance` metres away, and the share
// of that thing's light that it lets through.
vec3 air_light(vec3 direction, float distance, out vec3 left) {
    left = vec3(1.0);
    if (SKY_KIND != SKY_PHYSICAL) return vec3(0.0);
    return AIR.sun_irradiance * air_between(direction, distance, left);
}

#endif
