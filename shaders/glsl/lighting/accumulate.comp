// Adds this sample to the running means, so that after the last one they are the picture and its visibilities.
//
// Bindings (set 0):
//   3  frame            readonly buffer    see include/frame.glsl
//   4  position         readonly rgba32f   w is infinite where the ray missed
//   5  sun_light        readonly rgba32f   radiance and visibility of this sample
//   6  sky_light        readonly rgba32f   likewise
//   7  radiance         rgba32f            mean radiance; w is the mean coverage
//   8  sun_visibility   r32f               mean over the samples that hit
//   9  sky_visibility   r32f               likewise
//   20 atmosphere       readonly buffer    see include/air.glsl
//   21 optical_depths   sampler2D          see include/transmittance.glsl
//   22 sky_view         sampler2D          see include/sight.glsl
//   36 lamp_light       sampler2D          radiance of this sample
//   38 fog_light        sampler2D          radiance that fog adds
//   39 fog_left         sampler2D          the share of all else that gets through it
//   16 emission         sampler2D          radiance of the surface itself
//   72 water_light      sampler2D          radiance of this sample where w is 1, instead of what the ground sends
//   10 deviation        r32f               sum of squared deviations of the samples' luminance from their mean
//   68 normal           sampler2D          w is the kind of hit; read where MAP_WATER
//   60 direct          rgba32f            see include/parts.glsl, as for the next four
//   61 indirect        rgba32f
//   62 emitted         rgba32f
//   63 air             rgba32f
//   64 water_coverage  r32f
//   65 inverse_distance  r32f             mean of one over the distance along the ray, 0 for the sky
//   67 light_place     rgba32f            where in the pixel its light is: the centroid, right and down of the mean over all
//                                         places that samples looked at, in pixels; and that mean, of the pixel's middle
//   40 environment      readonly buffer    see include/environment.glsl
//   41 environment_map  sampler2D
//   42 environment_rows  sampler2D
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/parts.glsl"
#include "include/sky.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 0) const bool HAS_SUN = true;  // without one its image is not read
layout(constant_id = 1) const bool HAS_SKY = true;
layout(constant_id = 33) const bool HAS_LAMPS = true;
layout(constant_id = 34) const bool HAS_FOG = true;
layout(constant_id = 15) const bool KEEPS_EMISSION = true;
layout(constant_id = 70) const bool HAS_WATER = true;
layout(constant_id = 73) const bool MAP_WATER = false;  // water that is lit as the ground is
layout(constant_id = 2) const bool HAS_DEVIATION = true;  // where nobody asks for it, something else is bound
layout(constant_id = 7) const bool KEEPS_DISTANCE = true;
layout(constant_id = 4) const bool KEEPS_PLACE = true;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D sun_light;
layout(set = 0, binding = 6, rgba32f) readonly uniform image2D sky_light;
layout(set = 0, binding = 7, rgba32f) uniform image2D radiance;
layout(set = 0, binding = 8, r32f) uniform image2D sun_visibility;
layout(set = 0, binding = 9, r32f) uniform image2D sky_visibility;
layout(set = 0, binding = 10, r32f) uniform image2D deviation;
layout(set = 0, binding = 16) uniform sampler2D emission;
layout(set = 0, binding = 36) uniform sampler2D lamp_light;
layout(set = 0, binding = 38) uniform sampler2D fog_light;
layout(set = 0, binding = 39) uniform sampler2D fog_left;
layout(set = 0, binding = 65, r32f) uniform image2D inverse_distance;
layout(set = 0, binding = 67, rgba32f) uniform image2D light_place;
layout(set = 0, binding = 68) uniform sampler2D normal;
layout(set = 0, binding = 72) uniform sampler2D water_light;

const uint HIT_WATER = 3u;    // include/heightfield.glsl
const float LEAST = 1.0e-12;  // light that decides on the place where there is none

// How much light there is, for its place.
float amount(vec3 light) { return max(dot(light, vec3(1.0)), 0.0) + LEAST; }

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    float distance = imageLoad(position, pixel).w;
    bool hit = !isinf(distance);
    vec4 sun = HAS_SUN ? imageLoad(sun_light, pixel) : vec4(0.0);
    vec4 sky = HAS_SKY ? imageLoad(sky_light, pixel) : vec4(0.0);
    vec4 seen = vec4(sun.rgb + sky.rgb, 1.0);
    Parts parts = Parts(seen.rgb, vec3(0.0), vec3(0.0), vec3(0.0));
    bool on_water = false;
    if (KEEPS_EMISSION && hit) {
        parts.emitted = texelFetch(emission, pixel, 0).rgb;
        seen.rgb += parts.emitted;
    }
    if (HAS_LAMPS && hit) {
        vec3 lamps = texelFetch(lamp_light, pixel, 0).rgb;
        seen.rgb += lamps;
        parts.direct += lamps;
    }
    if (HAS_WATER) {
        vec4 water = texelFetch(water_light, pixel, 0);
        on_water = water.w > 0.0;
        if (on_water) {
            seen = water;
            parts = Parts(vec3(0.0), water.rgb, vec3(0.0), vec3(0.0));
        }
    }
    if (MAP_WATER) on_water = uint(texelFetch(normal, pixel, 0).w) == HIT_WATER;
    vec3 origin, direction;
    bool sees = camera_ray(vec2(pixel) + frame.jitter, origin, direction);
    if (hit) {
        vec3 left, haze = air_light(direction, distance, left);
        seen.rgb = seen.rgb * left + haze;
        parts = Parts(parts.direct * left, parts.indirect * left, parts.emitted * left, haze);
    } else {
        seen = vec4(frame.background_kind == BACKGROUND_SKY ? sky_seen(direction) : frame.background, 0.0);
        parts.air = seen.rgb;
    }
    if (HAS_FOG && (hit || frame.background_kind != BACKGROUND_NONE)) {
        vec3 left = texelFetch(fog_left, pixel, 0).rgb, glow = texelFetch(fog_light, pixel, 0).rgb;
        seen.rgb = seen.rgb * left + glow;
        parts = Parts(parts.direct * left, parts.indirect * left, parts.emitted * left, parts.air * left + glow);
    }
    if (!sees) {
        seen = vec4(0.0);
        parts = Parts(vec3(0.0), vec3(0.0), vec3(0.0), vec3(0.0));
    }
    vec4 mean = vec4(0.0);
    vec2 visibility = vec2(0.0);
    float before = float(frame.sample_index);
    if (frame.sample_index > 0u) {
        mean = imageLoad(radiance, pixel);
        visibility = vec2(imageLoad(sun_visibility, pixel).r, imageLoad(sky_visibility, pixel).r);
    }
    if (hit) {
        float hits_before = round(mean.w * before);
        visibility += (vec2(sun.w, sky.w) - visibility) / (hits_before + 1.0);
    }
    if (KEEPS_PLACE) {
        vec2 aside = frame.jitter - 0.5, lit_at = aside, middle = aside;
        if (frame.sample_index > 0u) {
            vec4 last = imageLoad(light_place, pixel);
            float light = amount(seen.rgb);
            middle = mix(last.zw, aside, 1.0 / (before + 1.0));
            lit_at = mix(last.xy + last.zw, aside, light / (before * amount(mean.rgb) + light));
        }
        imageStore(light_place, pixel, vec4(lit_at - middle, middle));
    }
    vec3 change = seen.rgb - mean.rgb;
    mean += (seen - mean) / (before + 1.0);
    if (HAS_DEVIATION) {  // Welford 1962
        const vec3 luminance = vec3(0.2126, 0.7152, 0.0722);
        float squares = frame.sample_index > 0u ? imageLoad(deviation, pixel).r : 0.0;
        squares += dot(change, luminance) * dot(seen.rgb - mean.rgb, luminance);
        imageStore(deviation, pixel, vec4(min(squares, MOST_SQUARES)));
    }
    if (KEEPS_DISTANCE) {
        float inverse = hit ? 1.0 / distance : 0.0;
        if (frame.sample_index > 0u) inverse = mix(imageLoad(inverse_distance, pixel).r, inverse, 1.0 / (before + 1.0));
        imageStore(inverse_distance, pixel, vec4(inverse));
    }
    join_parts(parts, on_water ? 1.0 : 0.0, 1.0 / (before + 1.0), pixel);
    imageStore(radiance, pixel, mean);
    imageStore(sun_visibility, pixel, vec4(visibility.x));
    imageStore(sky_visibility, pixel, vec4(visibility.y));
}
