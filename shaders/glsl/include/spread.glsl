// How noisy a pixel is, by its neighbours alone. To be included after `vec3 value_at(ivec2 pixel)`.
//
// Bindings (set 0): those of gbuffer.glsl.
//
// The variance over a 5 x 5 neighbourhood would take the edge of a shadow for noise, and filter it away. So there are four
// windows of 3 x 3, with the pixel at their corners (Kuwahara et al. 1976), and the second quietest is believed: near
// an edge two windows or more lie on one side of it.
#ifndef VKFORGE_SPREAD_GLSL
#define VKFORGE_SPREAD_GLSL

#include "include/atrous.glsl"

const uint FEWEST_SAMPLES = 4u;  // of fewer, their own deviation says nothing

float spread(ivec2 pixel) {
    Guide here = guide_at(pixel);
    vec4 weights = vec4(0.0), sums = vec4(0.0), squares = vec4(0.0);  // by quadrant
    float centre = signal_level(value_at(pixel));
    for (int y = -2; y <= 2; ++y) {
        for (int x = -2; x <= 2; ++x) {
            ivec2 other = pixel + ivec2(x, y);
            if (!is_surface(other)) continue;
            // Of the difference to the middle: squares of large numbers would lose it.
            float value = signal_level(value_at(other)) - centre;
            vec4 quadrants = vec4(x <= 0 && y <= 0, x >= 0 && y <= 0, x <= 0 && y >= 0, x >= 0 && y >= 0);
            vec4 weight = same_surface(here, other) * quadrants;
            weights += weight;
            sums += weight * value;
            squares += weight * value * value;
        }
    }
    vec4 means = sums / weights;  // the pixel itself weighs 1
    vec4 spreads = max(squares / weights - means * means, 0.0);
    vec2 low = min(spreads.xz, spreads.yw), high = max(spreads.xz, spreads.yw);
    return min(max(low.x, low.y), min(high.x, high.y));
}

#endif
