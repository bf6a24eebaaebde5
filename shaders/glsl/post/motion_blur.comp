// The mean of what each pixel sees while the shutter is open, out of one picture and its motion vectors.
//
// At the time t after the middle, in shares of the exposure, a pixel x sees what is at y in the middle with y + t m(y) =
// x, solved by iteration from two starts (Bowles et al. 2012, "Iterative Image Warping"): with the pixel's own motion,
// and with the longest that gets to its tile, by which near things pass before far ones. Of those that arrive the
// nearer is seen. Where none does, what was hidden behind something comes into view, and the farthest of what was met on
// the way stands in for it.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  placed     readonly rgba32f   the picture of the middle, see post/motion_edges.comp
//   5  followed   readonly rgba32f   likewise
//   6  reach      readonly rgba32f   see post/motion_reach.comp
//   7  blurred    writeonly rgba32f  w is 1
//   90 shutter    readonly buffer    see include/shutter.glsl
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/sampling.glsl"
#include "include/shutter.glsl"
#include "include/wrap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D placed;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D followed;
layout(set = 0, binding = 6, rgba32f) readonly uniform image2D reach;
layout(set = 0, binding = 7, rgba32f) writeonly uniform image2D blurred;

const int TILE = 16;          // pixels, as in passes/post/motion_blur.py
const float MOST_TIMES = 48.0;
const float ARRIVES = 0.5;    // pixels
const float SAME = 0.98;      // times as near is one surface
const float STILL = 0.02;     // pixels
const float LONG = 16.0;      // pixels: where in a pixel its light is tells less than a hundredth then

// The nearest place that the camera sees, all of whose neighbours it sees too.
vec2 seen(vec2 at) {
    if (CAMERA_KIND < CAMERA_EQUIDISTANT) return at;
    vec2 away = at - 0.5 * vec2(frame.size);
    float beyond = max(1.0 - depth_in_circle(at), 0.0), far = max(length(away), 1.0e-6);
    return at - away * min(beyond / far, 1.0);
}

ivec2 within(vec2 at) {
    ivec2 pixel = ivec2(floor(at)), inside = clamp(pixel, ivec2(0), frame.size - 1);
    return WRAPS ? ivec2(around(pixel.x, frame.size.x), inside.y) : inside;
}

// What of a pixel's light lies right of and below a line that crosses it, along both axes; the lines are `cut` from its middle.
// Beside an edge along pixels light fills a box about its place; aslant, it falls off towards the edge. Where its place is the
// middle, or is left out of account, it fills the pixel.
vec2 beyond(vec4 light, vec2 cut, bool placed_light) {
    uint packed = floatBitsToUint(light.w);
    if (packed == 0u || !placed_light) return 0.5 - cut;
    vec2 place = unpackHalf2x16(packed), far = abs(place);
    vec2 even = 1.0 - min(far.x, far.y) / max(far.x, far.y) * min(6.0 * far, 1.0);  // 1 is a box, 0 falls off to nothing
    vec2 wide = max((0.5 - far) / (1.0 / 3.0 + even / 6.0), 0.02);
    vec2 across = clamp((sign(place) * cut - 0.5 + wide) / wide, 0.0, 1.0), before = across * (even + (1.0 - even) * across);
    return mix(1.0 - before, before, lessThan(place, vec2(0.0)));
}

// The mean over a pixel around `at`.
vec3 picture(vec2 at, bool placed_light) {
    vec2 corner = seen(at) - 0.5, cut = fract(corner) - 0.5;
    vec4 a = imageLoad(placed, within(corner)), b = imageLoad(placed, within(corner + vec2(1.0, 0.0)));
    vec4 c = imageLoad(placed, within(corner + vec2(0.0, 1.0))), d = imageLoad(placed, within(corner + 1.0));
    vec2 in_a = beyond(a, cut, placed_light), in_b = beyond(b, cut, placed_light);
    vec2 in_c = beyond(c, cut, placed_light), in_d = beyond(d, cut, placed_light);
    return in_a.x * in_a.y * a.rgb + (1.0 - in_b.x) * in_b.y * b.rgb + in_c.x * (1.0 - in_c.y) * c.rgb +
           (1.0 - in_d.x) * (1.0 - in_d.y) * d.rgb;
}

// Follow the motion back from x, to y, which is `off` the mark by so much; return how near what is found there is, or -1 if it does
// not arrive. `far` becomes what is farthest of all that is met on the way: position, and how near it is.
float follow(vec2 x, vec2 start, float t, out vec2 y, out float off, inout vec3 far) {
    y = x - t * start;
    vec4 there = imageLoad(followed, within(seen(y)));
    if (there.z < far.z) far = vec3(y, there.z);
    y = x - t * there.xy;
    there = imageLoad(followed, within(seen(y)));
    if (there.z < far.z) far = vec3(y, there.z);
    off = distance(y + t * there.xy, x);
    return off < ARRIVES ? there.z : -1.0;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    vec2 x = vec2(pixel) + 0.5;
    vec4 here = imageLoad(followed, pixel);
    vec2 own = here.xy, fastest = imageLoad(reach, pixel / TILE).xy;
    float farthest = max(length(own), length(fastest));
    vec3 light = imageLoad(placed, pixel).rgb;
    if (farthest > STILL) {
        // One time a pixel of motion, and at least a few; where that is not enough they are shifted from pixel to pixel.
        float times = clamp(ceil(farthest), 8.0, MOST_TIMES), shift = 0.5;
        if (farthest > MOST_TIMES) shift = float(pixel_seed(uvec2(pixel), PURPOSE_SHUTTER, frame.seed) >> 8) / 16777216.0;
        bool apart = distance(own, fastest) > 0.5;  // or one start is as good as two
        light = vec3(0.0);
        for (float i = 0.0; i < times; ++i) {
            float t = exposure_time((i + shift) / times) - 0.5;
            vec2 y, other;
            vec3 far = vec3(x, here.z);
            float off, other_off, near = follow(x, own, t, y, off, far);
            if (apart) {
                float nearer = follow(x, fastest, t, other, other_off, far);
                // Of two ways to one surface the closer counts.
                if (nearer > (other_off < off ? SAME : 1.0) * near) {
                    near = nearer;
                    y = other;
                }
            }
            light += picture(near < 0.0 ? far.xy : y, farthest < LONG);
        }
        light /= times;
        if (CAMERA_KIND >= CAMERA_EQUIDISTANT) light *= clamp(depth_in_circle(x) + 0.5, 0.0, 1.0);
    }
    imageStore(blurred, pixel, vec4(light, 1.0));
}
