// What changes from frame to frame: camera, lights, and how far the accumulation is.
//
// Bindings (set 0):
//   3  frame   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_FRAME_GLSL
#define VKFORGE_FRAME_GLSL

layout(set = 0, binding = 3, scalar) readonly buffer Frame {
    vec3 origin;        // camera: o = origin + u origin_u + v origin_v, world metres,
    vec3 origin_u;      // d = normalize(direction + u direction_u + v direction_v),
    vec3 origin_v;      // u and v from -1 to 1, right and up
    vec3 direction;
    vec3 direction_u;
    vec3 direction_v;
    uint clamp_to_ground; // 1 for maps: rays of border pixels start over the outermost samples
    ivec2 size;         // pixels
    vec2 jitter;        // where in the pixel this sample looks, 0 to 1 from its upper left corner
    uint sample_index;  // this sample, from 0
    uint sample_count;  // of so many
    uint seed;
    uint sun_rays;      // a sample
    vec3 sun_direction; // unit, towards the sun
    vec3 sun_irradiance;// on a plane that faces it
    float sun_cos_radius; // cosine of the disc's angular radius
    uint sky_rays;      // a sample
    vec3 sky_zenith;    // radiance straight up
    vec3 sky_horizon;   // at the horizon
    vec3 sky_ground;    // below it
    uint has_background;// 1 where camera rays that miss see `background` instead of the sky
    vec3 background;
    float exposure_scale; // 2 to the exposure in stops
} frame;

// The camera's ray through `pixel` (in pixels from the upper left corner), world space.
void camera_ray(vec2 pixel, out vec3 origin, out vec3 direction) {
    vec2 uv = vec2(2.0, -2.0) * pixel / vec2(frame.size) + vec2(-1.0, 1.0);
    origin = frame.origin + uv.x * frame.origin_u + uv.y * frame.origin_v;
    direction = normalize(frame.direction + uv.x * frame.direction_u + uv.y * frame.direction_v);
}

#endif
