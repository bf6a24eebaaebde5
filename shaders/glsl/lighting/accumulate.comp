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
//   10 deviation        r32f               sum of squared deviations of the samples' luminance from their mean
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/sky.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 0) const bool HAS_SUN = true;  // without one its image is not read
layout(constant_id = 1) const bool HAS_SKY = true;
layout(constant_id = 2) const bool HAS_DEVIATION = true;  // where nobody asks for it, something else is bound

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D sun_light;
layout(set = 0, binding = 6, rgba32f) readonly uniform image2D sky_light;
layout(set = 0, binding = 7, rgba32f) uniform image2D radiance;
layout(set = 0, binding = 8, r32f) uniform image2D sun_visibility;
layout(set = 0, binding = 9, r32f) uniform image2D sky_visibility;
layout(set = 0, binding = 10, r32f) uniform image2D deviation;

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    bool hit = !isinf(imageLoad(position, pixel).w);
    vec4 sun = HAS_SUN ? imageLoad(sun_light, pixel) : vec4(0.0);
    vec4 sky = HAS_SKY ? imageLoad(sky_light, pixel) : vec4(0.0);
    vec4 seen = vec4(sun.rgb + sky.rgb, 1.0);
    if (!hit) {
        vec3 origin, direction;
        camera_ray(vec2(pixel) + frame.jitter, origin, direction);
        seen = vec4(frame.has_background == 1u ? frame.background : sky_radiance(direction), 0.0);
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
    vec3 change = seen.rgb - mean.rgb;
    mean += (seen - mean) / (before + 1.0);
    if (HAS_DEVIATION) {  // Welford 1962
        const vec3 luminance = vec3(0.2126, 0.7152, 0.0722);
        float squares = frame.sample_index > 0u ? imageLoad(deviation, pixel).r : 0.0;
        squares += dot(change, luminance) * dot(seen.rgb - mean.rgb, luminance);
        imageStore(deviation, pixel, vec4(squares));
    }
    imageStore(radiance, pixel, mean);
    imageStore(sun_visibility, pixel, vec4(visibility.x));
    imageStore(sky_visibility, pixel, vec4(visibility.y));
}
