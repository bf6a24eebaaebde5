// How far what each pixel shows moves in the picture while the shutter is open, by the camera's movement.
//
// A point p lies at M (p - o) of a camera with the origin o: M is the inverse of (direction_u, direction_v, direction),
// and u and v the first two over the third; of (origin_u, origin_v, direction) where its rays are parallel.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  position   readonly rgba32f   world point at the pixel's centre in the middle of the exposure; w is infinite at the sky
//   5  motion     writeonly rgba32f  pixels rightwards and downwards; one over the distance; 0
//   90 shutter    readonly buffer    the cameras as the shutter opens and closes
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/shutter.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba32f) writeonly uniform image2D motion;

// Where the lens shows what a pinhole would see at `uv`: see undistorted() in include/frame.glsl.
vec2 distorted(vec2 uv, vec2 lens_half, vec2 lens_centre) {
    if (frame.lens_steps == 0u) return uv;
    vec2 at = uv * lens_half + lens_centre, p = frame.lens_tangential;
    vec3 k = frame.lens_radial;
    float r2 = dot(at, at);
    at = at * (1.0 + r2 * (k.x + r2 * (k.y + r2 * k.z))) + p * (2.0 * at.x * at.y) + p.yx * (r2 + 2.0 * at * at);
    return (at - lens_centre) / lens_half;
}

// The pixel at which a camera sees a point, or a direction where it is infinitely far; false if it is behind it.
bool pixel_of(vec3 point, bool is_direction, Projector camera, out vec2 pixel) {
    vec3 offset = is_direction ? point : point - camera.origin;
    vec3 at = vec3(dot(camera.u, offset), dot(camera.v, offset), dot(camera.w, offset));
    if (shutter.parallel == 0u) at.xy /= at.z;
    pixel = (distorted(at.xy, camera.lens_half, camera.lens_centre) * vec2(0.5, -0.5) + 0.5) * vec2(frame.size);
    return shutter.parallel == 1u || at.z > 0.0;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 at = imageLoad(position, pixel);
    bool sky = isinf(at.w);
    vec3 point = at.xyz;
    if (sky) {
        vec3 origin;
        camera_ray(vec2(pixel) + 0.5, origin, point);
    }
    vec2 from, to, moved = vec2(0.0);
    bool seen = pixel_of(point, sky, shutter.opening, from) && pixel_of(point, sky, shutter.closing, to);
    if (seen && !(sky && shutter.parallel == 1u)) moved = to - from;
    imageStore(motion, pixel, vec4(moved, sky ? 0.0 : 1.0 / at.w, 0.0));
}
