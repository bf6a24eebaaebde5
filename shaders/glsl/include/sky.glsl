// What the sky sends from each direction.
//
// Bindings (set 0): those of frame.glsl.
#ifndef VKFORGE_SKY_GLSL
#define VKFORGE_SKY_GLSL

#include "include/frame.glsl"

// The sky's radiance: linear in the sine of the elevation above the horizon, constant below it.
vec3 sky_radiance(vec3 direction) {
    return direction.z > 0.0 ? mix(frame.sky_horizon, frame.sky_zenith, direction.z) : frame.sky_ground;
}

#endif
