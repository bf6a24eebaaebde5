// What the radiance of a pixel is made of, as means over its samples beside that of the whole.
//
// Bindings (set 0), where nobody asks for them something else is bound and neither read nor written:
//   60 direct          rgba32f   what sun, sky and lamps send by way of the ground, as it arrives at the camera
//   61 indirect        rgba32f   what comes by more than one bounce, and by way of water
//   62 emitted         rgba32f   what the ground itself sends
//   63 air             rgba32f   what air, fog and the sky behind add
//   64 water_coverage  r32f      the share of the pixel that is water, whatever is in the air
#ifndef VKFORGE_PARTS_GLSL
#define VKFORGE_PARTS_GLSL

layout(constant_id = 5) const bool KEEPS_PARTS = true;
layout(constant_id = 6) const bool KEEPS_WATER = true;

layout(set = 0, binding = 60, rgba32f) uniform image2D direct;
layout(set = 0, binding = 61, rgba32f) uniform image2D indirect;
layout(set = 0, binding = 62, rgba32f) uniform image2D emitted;
layout(set = 0, binding = 63, rgba32f) uniform image2D air;
layout(set = 0, binding = 64, r32f) uniform image2D water_coverage;

// Where the squares of light too bright to square add up to more (the disc of a sun that is all but a point), they are this.
const float MOST_SQUARES = 1.0e36;

struct Parts {
    vec3 direct;
    vec3 indirect;
    vec3 emitted;
    vec3 air;
};

const Parts NO_PARTS = Parts(vec3(0.0), vec3(0.0), vec3(0.0), vec3(0.0));

// Join new means, `share` of all samples, to those of the samples before, of which there are none where it is 1.
void join_parts(Parts parts, float water, float share, ivec2 pixel) {
    if (KEEPS_PARTS) {
        if (share < 1.0) {
            parts.direct = mix(imageLoad(direct, pixel).rgb, parts.direct, share);
            parts.indirect = mix(imageLoad(indirect, pixel).rgb, parts.indirect, share);
            parts.emitted = mix(imageLoad(emitted, pixel).rgb, parts.emitted, share);
            parts.air = mix(imageLoad(air, pixel).rgb, parts.air, share);
        }
        imageStore(direct, pixel, vec4(parts.direct, 0.0));
        imageStore(indirect, pixel, vec4(parts.indirect, 0.0));
        imageStore(emitted, pixel, vec4(parts.emitted, 0.0));
        imageStore(air, pixel, vec4(parts.air, 0.0));
    }
    if (KEEPS_WATER) {
        if (share < 1.0) water = mix(imageLoad(water_coverage, pixel).r, water, share);
        imageStore(water_coverage, pixel, vec4(water));
    }
}

#endif
