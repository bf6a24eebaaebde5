// What fog does to each pixel: the light it adds, the share it lets through, and what it keeps from the ground.
//
// Bindings (set 0):
//   3   frame         readonly buffer    see include/frame.glsl
//   4   position      readonly rgba32f   world metres; w is the distance, infinite for the sky
//   5   cloud_light   readonly rgba32f   see clouds.comp
//   6   cloud_left    readonly rgba32f
//   30  fog           readonly buffer    see include/medium.glsl
//   31  density_map   sampler2D
//   33  volume        readonly buffer    see include/froxels.glsl
//   35  fog_volume    readonly rgba32f   see integrate.comp
//   36  sun_light     rgba32f            what the ground reflects of the sun: less by what fog takes on the way there
//   37  sky_light     rgba32f            and of the sky: less by what is absorbed straight above
//   38  fog_light     writeonly rgba32f  radiance that fog adds, and clouds in it
//   39  fog_left      writeonly rgba32f  the share of what is behind that gets through
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/froxels.glsl"
#include "include/medium.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 31) const bool HAS_SUN = true;  // without one its image is not touched
layout(constant_id = 32) const bool HAS_SKY = true;
layout(constant_id = 35) const bool HAS_CLOUDS = true;  // without them their images are not read

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D cloud_light;
layout(set = 0, binding = 6, rgba32f) readonly uniform image2D cloud_left;
layout(set = 0, binding = 35, rgba32f) readonly uniform image2D fog_volume;
layout(set = 0, binding = 36, rgba32f) uniform image2D sun_light;
layout(set = 0, binding = 37, rgba32f) uniform image2D sky_light;
layout(set = 0, binding = 38, rgba32f) writeonly uniform image2D fog_light;
layout(set = 0, binding = 39, rgba32f) writeonly uniform image2D fog_left;

// The volume at the end of a slice, between its columns; nothing before the first.
vec4 volume_at(vec2 column, int slice) {
    if (slice < 0) return vec4(0.0);
    ivec2 first = clamp(ivec2(floor(column)), ivec2(0), volume.columns - 2);
    vec2 along = clamp(column - vec2(first), 0.0, 1.0);
    vec4 a = imageLoad(fog_volume, froxel_texel(first, slice));
    vec4 b = imageLoad(fog_volume, froxel_texel(first + ivec2(1, 0), slice));
    vec4 c = imageLoad(fog_volume, froxel_texel(first + ivec2(0, 1), slice));
    vec4 d = imageLoad(fog_volume, froxel_texel(first + ivec2(1, 1), slice));
    return mix(mix(a, b, along.x), mix(c, d, along.x), along.y);
}

// The light that fog adds over the first t metres of a camera ray, and the share that it lets through.
void fog_between(vec3 eye, vec3 direction, vec2 column, float t, out vec3 light, out vec3 left) {
    int slice = slice_at(t);
    vec4 before = volume_at(column, slice - 1), after = volume_at(column, slice);

    // Inside the slice the light that is scattered into the ray is taken for constant, and the integral is again exact.
    float begin = slice_start(slice), end = slice_start(slice + 1);
    float met, inside, whole;
    if (MEDIUM_KIND == MEDIUM_FIELD) {
        whole = max(after.w - before.w, 0.0);
        inside = whole * clamp((t - begin) / max(end - begin, 1.0e-6), 0.0, 1.0);
        met = before.w + inside;
    } else {
        vec3 start = eye + begin * direction;
        whole = density_metres(start, direction, end - begin);
        inside = density_metres(start, direction, t - begin);
        met = density_metres(eye, direction, t);
    }
    vec3 of_whole = one_minus_exp(fog.extinction * whole);
    vec3 share = one_minus_exp(fog.extinction * min(inside, whole)) / max(of_whole, vec3(1.0e-20));
    light = mix(before.rgb, after.rgb, min(share, 1.0));
    left = exp(-fog.extinction * met);
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 at = imageLoad(position, pixel);
    vec3 eye, direction, light, left;
    camera_ray(vec2(pixel) + frame.jitter, eye, direction);
    vec2 column = froxel_column(vec2(pixel) + frame.jitter);
    fog_between(eye, direction, column, min(at.w, FAR), light, left);
    if (HAS_CLOUDS) {
        // Fog before the clouds lies over them; of what is behind, they let as much through as of the ground.
        vec4 through = imageLoad(cloud_left, pixel);
        vec3 light_before, left_before;
        fog_between(eye, direction, column, through.w, light_before, left_before);
        light = light_before + left_before * imageLoad(cloud_light, pixel).rgb + through.rgb * (light - light_before);
        left *= through.rgb;
    }
    imageStore(fog_light, pixel, vec4(light, 0.0));
    imageStore(fog_left, pixel, vec4(left, 0.0));

    if (MEDIUM_KIND == MEDIUM_UNIFORM || isinf(at.w)) return;
    if (HAS_SUN) {
        vec4 lit = imageLoad(sun_light, pixel);
        imageStore(sun_light, pixel, vec4(lit.rgb * light_transmittance(at.xyz, frame.sun_direction), lit.w));
    }
    if (HAS_SKY) {
        vec4 lit = imageLoad(sky_light, pixel);
        imageStore(sky_light, pixel, vec4(lit.rgb * light_absorbed(at.xyz, vec3(0.0, 0.0, 1.0)), lit.w));
    }
}
