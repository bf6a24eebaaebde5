// Film grain: a factor on the light of the tone-mapped picture, from a Gaussian field. Twin of vkforge/post/grain.py.
//
// Bindings (set 0):
//   9  grain   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_GRAIN_GLSL
#define VKFORGE_GRAIN_GLSL

#include "include/sampling.glsl"

layout(set = 0, binding = 9, scalar) readonly buffer Grain {
    float deviation;   // of the factor's natural logarithm where it is dark
    float per_size;    // 1 over the pixels of a clump
    float shared_by_all; // what goes into a channel of the noise that all share, and of its own
    float single;
    float highlights;  // exponent
    uint key;          // of seed and frame
} grain;

const uint PURPOSE_GRAIN = 0x60u;  // and the next three

// Quadratic B-splines on a grid of random numbers: of mean 0, and of variance 1 at each pixel.
vec4 grain_noise(ivec2 pixel) {
    vec2 at = (vec2(pixel) + 0.5) * grain.per_size, node = floor(at), t = at - node;
    vec2 weights[3] = vec2[](0.5 * (1.0 - t) * (1.0 - t), 0.75 - (t - 0.5) * (t - 0.5), 0.5 * t * t);
    vec2 squares = weights[0] * weights[0] + weights[1] * weights[1] + weights[2] * weights[2];
    vec4 sum = vec4(0.0);
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 3; ++x) {
            for (uint channel = 0u; channel < 4u; ++channel) {
                uint bits = pixel_seed(uvec2(node) + uvec2(x, y), PURPOSE_GRAIN + channel, grain.key);
                uint parts = (bits & 255u) + (bits >> 8 & 255u) + (bits >> 16 & 255u) + (bits >> 24);
                sum[channel] += weights[x].x * weights[y].y * (float(parts) - 510.0);
            }
        }
    }
    return sum / (sqrt(squares.x * squares.y) * 147.8005413);  // the deviation of four bytes: sqrt(4 (256^2 - 1) / 12)
}

vec3 srgb_decode(vec3 encoded) {
    return mix(pow((encoded + 0.055) / 1.055, vec3(2.4)), encoded / 12.92, lessThanEqual(encoded, vec3(0.04045)));
}

// Display-linear light with its grain.
vec3 grained(vec3 light, ivec2 pixel) {
    float dark = clamp(1.0 - dot(light, vec3(0.2126, 0.7152, 0.0722)), 0.0, 1.0);
    float deviation = grain.deviation * pow(max(dark, 1.0e-8), grain.highlights);
    vec4 noise = grain_noise(pixel);
    vec3 field = grain.shared_by_all * noise.x + grain.single * noise.yzw;
    return min(light * exp(deviation * (field - 0.5 * deviation)), 1.0);
}

#endif
