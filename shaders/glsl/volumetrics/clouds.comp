// Clouds as camera rays see them, and the shade that they cast on the ground.
//
// Bindings (set 0):
//   3   frame        readonly buffer    see include/frame.glsl
//   4   position     readonly rgba32f   world metres; w is the distance, infinite for the sky
//   20  atmosphere   readonly buffer    see include/air.glsl
//   21  optical_depths sampler2D          see include/transmittance.glsl
//   22  sky_view     sampler2D          see include/sight.glsl
//   40  environment  readonly buffer    see include/environment.glsl
//   41  environment_map  sampler2D
//   42  environment_rows  sampler2D
//   35  clouds       readonly buffer    see include/clouds.glsl
//   36  cloud_map    sampler2D
//   37  sun_light    rgba32f            what the ground reflects of the sun: less in the clouds' shade
//   38  cloud_light  writeonly rgba32f  radiance that clouds add
//   39  cloud_left   writeonly rgba32f  the share of what is behind that gets through; w is how far away they are
//
// A march with one light march a step. Higher orders of scattering are octaves of the first, each with less extinction,
// less light and a rounder phase function (Wrenninge, Kulla and Lundqvist 2013, "Oz: The Great and Volumetric"). Each
// step's light is integrated as in integrate.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/sampling.glsl"
#include "include/clouds.glsl"
#include "include/sky.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 31) const bool HAS_SUN = true;  // without one its image is not touched
layout(constant_id = 32) const bool HAS_SKY = true;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 37, rgba32f) uniform image2D sun_light;
layout(set = 0, binding = 38, rgba32f) writeonly uniform image2D cloud_light;
layout(set = 0, binding = 39, rgba32f) writeonly uniform image2D cloud_left;

const uint PURPOSE_CLOUDS = 0x33u;
const int STEPS = 64;
const int LIGHT_STEPS = 5;
const int OCTAVES = 4;
const float HORIZON = 30.0;  // metres of a ray inside the layer that are looked at, in thicknesses

float cloud_phase(float cosine, float g) {
    float base = 1.0 + g * g - 2.0 * g * cosine;
    return (1.0 - g * g) / (4.0 * PI * base * sqrt(base));
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 at = imageLoad(position, pixel);
    vec3 eye, direction;
    camera_ray(vec2(pixel) + frame.jitter, eye, direction);
    vec2 shift = sobol(frame.sample_index, pixel_seed(uvec2(pixel), PURPOSE_CLOUDS, frame.seed));
    bool day = HAS_SUN && frame.sun_direction.z > 0.0;

    vec3 light = vec3(0.0);
    float left = 1.0, place = 0.0, seen = 0.0;
    vec2 span = cloud_span(eye, direction, min(at.w, 1.0e30));
    float metres = min(span.y - span.x, HORIZON * clouds.thickness);
    if (metres > 0.0 && clouds.extinction > 0.0) {
        float cosine = dot(direction, frame.sun_direction), step_metres = metres / float(STEPS);
        vec3 sky_above = vec3(0.0);
        if (HAS_SKY) sky_above = 0.5 * (sky_radiance(vec3(0.0, 0.0, 1.0)) + sky_radiance(vec3(0.6, 0.76, 0.25)));
        for (int i = 0; i < STEPS && left > 0.003; ++i) {
            float t = span.x + (float(i) + shift.x) * step_metres;
            vec3 world = eye + t * direction;
            float density = cloud_density(world);
            if (density <= 0.0) continue;
            float up = (world.z - clouds.base) / clouds.thickness;
            vec3 source = sky_above * (0.2 + 0.4 * up);  // half of all directions at best, less the deeper it lies
            if (day) {
                float depth = cloud_depth(world, frame.sun_direction, LIGHT_STEPS, shift.y);
                float rounder = 1.0, brightness = 1.0;
                for (int octave = 0; octave < OCTAVES; ++octave) {
                    float scattered = cloud_phase(cosine, rounder * clouds.anisotropy) * exp(-rounder * depth);
                    source += brightness * scattered * frame.sun_irradiance;
                    rounder *= 0.5;
                    brightness *= 0.8;
                }
            }
            float through = exp(-clouds.extinction * density * step_metres);
            light += left * (1.0 - through) * source;
            place += left * (1.0 - through) * t;
            seen += left * (1.0 - through);
            left *= through;
        }
    }
    place = seen > 0.0 ? place / seen : 0.0;
    vec3 air_left, air = air_light(direction, place, air_left);  // of what is behind, the lit pixel has it already
    light = light * air_left + (1.0 - left) * air;
    imageStore(cloud_light, pixel, vec4(light, 0.0));
    imageStore(cloud_left, pixel, vec4(vec3(left), place));
    if (day && !isinf(at.w)) {
        vec4 lit = imageLoad(sun_light, pixel);
        float through = cloud_transmittance(at.xyz, frame.sun_direction, shift.y);
        imageStore(sun_light, pixel, vec4(lit.rgb * through, lit.w));
    }
}
