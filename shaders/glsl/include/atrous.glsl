// What the passes of the à-trous filter share: which neighbours belong to a pixel's surface, and the albedo that light is
// divided by while it is filtered.
//
// Bindings (set 0): those of gbuffer.glsl.
//
// A filtered signal is an rgba32f image: the value in rgb (a share has it in all three), its variance in w.
#ifndef VKFORGE_ATROUS_GLSL
#define VKFORGE_ATROUS_GLSL

#include "include/gbuffer.glsl"

// A normal counts by its cosine to this power, and a neighbour off the tangent plane by e to the minus of sine / SLANT.
const float NORMAL_POWER = 48.0;
const float SLANT = 0.25;
const float DARKEST_ALBEDO = 0.01;  // blacker ground is divided by this, so that its highlights stay in range

float signal_level(vec3 signal) { return dot(signal, vec3(0.2126, 0.7152, 0.0722)); }

vec3 demodulator(ivec2 pixel) { return max(imageLoad(albedo, pixel).rgb, DARKEST_ALBEDO); }

bool is_surface(ivec2 pixel) {
    bool inside = all(greaterThanEqual(pixel, ivec2(0))) && all(lessThan(pixel, imageSize(normal)));
    return inside && imageLoad(normal, pixel).w > 0.0;
}

struct Guide {
    vec3 position;
    vec3 normal;
};

Guide guide_at(ivec2 pixel) { return Guide(imageLoad(position, pixel).xyz, imageLoad(normal, pixel).xyz); }

// How much `other` belongs to the surface at `here`, 0 to 1: by its normal, and by the angle under which it lies off the
// tangent plane, which knows no scale.
float same_surface(Guide here, ivec2 other) {
    Guide there = guide_at(other);
    vec3 offset = there.position - here.position;
    float sine = abs(dot(offset, here.normal)) * inversesqrt(max(dot(offset, offset), 1.0e-20));
    return pow(max(dot(here.normal, there.normal), 0.0), NORMAL_POWER) * exp(-sine / SLANT);
}

#endif
