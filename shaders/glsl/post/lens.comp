// What is left of a picture's light behind a lens: lateral chromatic aberration, vignette and mask, in linear light.
// Twin of Lens.aberrate and Lens.falloff in vkforge/post/lens.py. Distortion is done where rays start, in frame.glsl.
//
// Bindings (set 0):
//   3  frame      readonly buffer     see include/frame.glsl
//   4  radiance   readonly rgba32f    mean radiance
//   5  behind     writeonly rgba32f   likewise
//   6  lens       readonly buffer     below
//   7  picture    readonly rgba32f    all the light, of which `radiance` is a part
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 95) const bool ABERRATION = true;
layout(constant_id = 96) const bool VIGNETTE = true;

layout(constant_id = 97) const bool IS_PART = false;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, rgba32f) writeonly uniform image2D behind;
layout(set = 0, binding = 7, rgba32f) readonly uniform image2D picture;
layout(set = 0, binding = 6, scalar) readonly buffer Lens {
    vec2 axis;          // pixel coordinates of the camera's axis
    float red;          // by how much larger red's picture is than green's
    float blue;
    int taps;           // looks at red and at blue
    float vignette;     // share of the natural fall of light
    float mask_strength;
    float mask_radius;
    float mask_softness;
    vec2 mask_reach;    // pixels from the picture's middle at which the way is 1, to the right and down
} lens;

vec4 cubic(float t) {
    return vec4(
        t * (-0.5 + t * (1.0 - 0.5 * t)), 1.0 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2.0 - 1.5 * t)), t * t * (-0.5 + 0.5 * t));
}

// Catmull-Rom's cubic of one channel at `at`, held within the four pixels around, so that nothing rings about a lamp. A
// part gets the share of it that it has of these four, weighed bilinearly: parts add up, and none falls below zero.
float look_up(vec2 at, int channel) {
    vec2 base = floor(at - 0.5), t = at - 0.5 - base;
    vec4 across = cubic(t.x), down = cubic(t.y);
    float sum = 0.0, lowest = 1.0e30, highest = -1.0e30, around = 0.0, part_around = 0.0;
    for (int y = 0; y < 4; ++y) {
        for (int x = 0; x < 4; ++x) {
            ivec2 there = clamp(ivec2(base) + ivec2(x, y) - 1, ivec2(0), frame.size - 1);
            float value = imageLoad(picture, there)[channel];
            sum += down[y] * across[x] * value;
            if ((x == 1 || x == 2) && (y == 1 || y == 2)) {
                lowest = min(lowest, value);
                highest = max(highest, value);
                if (IS_PART) {
                    float weight = (x == 1 ? 1.0 - t.x : t.x) * (y == 1 ? 1.0 - t.y : t.y);
                    around += weight * value;
                    part_around += weight * imageLoad(radiance, there)[channel];
                }
            }
        }
    }
    float held = clamp(sum, lowest, highest);
    return IS_PART ? (around > 0.0 ? held * part_around / around : 0.0) : held;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 light = imageLoad(radiance, pixel);
    vec2 place = vec2(pixel) + 0.5;
    if (ABERRATION) {
        vec2 away = place - lens.axis, seen = vec2(0.0);
        float weights = 0.0;
        for (int i = 0; i < lens.taps; ++i) {
            float shift = float(2 * i + 1) / float(lens.taps), weight = 1.0 - abs(shift - 1.0);
            seen.x += weight * look_up(lens.axis + away / (1.0 + shift * lens.red), 0);
            seen.y += weight * look_up(lens.axis + away / (1.0 + shift * lens.blue), 2);
            weights += weight;
        }
        light.rb = seen / weights;
    }
    if (VIGNETTE) {
        vec2 tangents = camera_uv(place) * frame.lens_half + frame.lens_centre;
        float squared_secant = 1.0 + dot(tangents, tangents);
        float left = 1.0 + lens.vignette * (1.0 / (squared_secant * squared_secant) - 1.0);
        float way = length((place - 0.5 * vec2(frame.size)) / lens.mask_reach);
        float grown = clamp((way - lens.mask_radius) / lens.mask_softness, 0.0, 1.0);
        light.rgb *= left * (1.0 - lens.mask_strength * grown * grown * (3.0 - 2.0 * grown));
    }
    imageStore(behind, pixel, light);
}
