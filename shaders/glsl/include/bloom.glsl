// What bloom scatters, and how far.
//
// Bindings (set 0):
//   6  bloom   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_BLOOM_GLSL
#define VKFORGE_BLOOM_GLSL

layout(set = 0, binding = 6, scalar) readonly buffer Bloom {
    float intensity;     // share of light that is scattered
    float threshold;     // luminance that scatters nothing
    float onwards[16];   // by level from 1: share of its light that the coarser levels spread
} bloom;

// What of a pixel's light scatters, if all of that did, where `whole` is all the light there.
vec3 scattered(vec3 light, vec3 whole) {
    if (bloom.threshold == 0.0) return light;
    float luminance = max(dot(whole, vec3(0.2126, 0.7152, 0.0722)), 1.0e-30);
    return light * max(1.0 - bloom.threshold / luminance, 0.0);
}

#endif
