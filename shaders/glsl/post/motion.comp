// How far what each pixel shows moves in the picture while the shutter is open, by the camera's movement.
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

// A point, or a direction where it is infinitely far, in the frame of a camera; false where it can't be seen.
bool enters(Projector camera, vec3 point, bool is_direction, out vec3 at) {
    vec3 offset = is_direction ? point : point - camera.origin;
    at = vec3(dot(camera.u, offset), dot(camera.v, offset), dot(camera.w, offset));
    if (CAMERA_KIND == CAMERA_LINEAR) return shutter.parallel == 1u ? !is_direction : at.z > 0.0;
    return dot(at, at) > 0.0;
}

// (u, v) of what enters a camera with straight rays or a fish-eye: the inverse of view_direction in include/frame.glsl.
// Of a fish-eye it goes on outside of the circle.
vec2 uv_of(Projector camera, vec3 at) {
    if (CAMERA_KIND == CAMERA_LINEAR) {
        if (shutter.parallel == 0u) at.xy /= at.z;
        return distorted(at.xy, camera.lens_half, camera.lens_centre);
    }
    float aside = length(at.xy), radius_over_aside;
    if (CAMERA_KIND == CAMERA_EQUIDISTANT) {
        radius_over_aside = atan(aside, at.z) / max(aside, 1.0e-20) / camera.angles.x;
    } else {
        // sin(a / 2) / sin(a), by the half angle whose cosine or sine is far from 0
        float whole = length(at), cosine = at.z / whole;
        float half_over_whole = cosine > 0.0 ? inversesqrt(2.0 + 2.0 * cosine)
                                             : sqrt(0.5 - 0.5 * cosine) * whole / max(aside, 1.0e-20);
        radius_over_aside = half_over_whole / (whole * sin(0.5 * camera.angles.x));
    }
    return at.xy * radius_over_aside / camera.angles.yz;
}

// The angle from one vector to another, anticlockwise, by at most half a turn; exact where it is small.
float angle_between(vec2 from, vec2 to) {
    float along = dot(from, to), across = from.x * to.y - from.y * to.x;
    return along == 0.0 && across == 0.0 ? 0.0 : atan(across, along);
}

// How far (u, v) of a panorama moves: around by the shorter way, wherever its left and right border are.
vec2 uv_moved_around(vec3 from, vec3 to) {
    vec2 from_level = from.zx, to_level = to.zx;
    vec2 from_risen = vec2(length(from_level), from.y), to_risen = vec2(length(to_level), to.y);
    vec2 turned = vec2(angle_between(from_level, to_level), angle_between(from_risen, to_risen));
    vec2 began = vec2(angle_between(vec2(1.0, 0.0), from_level), angle_between(vec2(1.0, 0.0), from_risen));
    vec3 before = shutter.opening.angles, after = shutter.closing.angles;
    vec2 moved = turned / after.xy + began * (1.0 / after.xy - 1.0 / before.xy);
    moved.y -= after.z / after.y - before.z / before.y;
    return moved;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec4 at = imageLoad(position, pixel);
    bool sky = isinf(at.w), seen = true;
    vec3 point = at.xyz;
    if (sky) {
        vec3 origin;
        seen = camera_ray(vec2(pixel) + 0.5, origin, point);
    }
    vec3 from, to;
    seen = enters(shutter.opening, point, sky, from) && enters(shutter.closing, point, sky, to) && seen;
    vec2 moved = vec2(0.0);
    if (seen && CAMERA_KIND == CAMERA_PANORAMA) moved = uv_moved_around(from, to);
    else if (seen) moved = uv_of(shutter.closing, to) - uv_of(shutter.opening, from);
    moved *= vec2(0.5, -0.5) * vec2(frame.size);
    imageStore(motion, pixel, vec4(moved, sky ? 0.0 : 1.0 / at.w, 0.0));
}
