// How far what each pixel shows is spread, and the largest and the least of that in each tile.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  position   readonly rgba32f   G-buffer: w is the distance along the ray, infinite for the sky; not read for a band
//   5  radiance   readonly rgba32f   all the light of the picture or a part of it, a mean over each pixel
//   7  picture    readonly rgba32f   all of it
//   6  inverse_distance  readonly r32f  one over the distance, likewise; not read for a band
//   85 blur       readonly buffer    see include/blur.glsl
//   86 nearness   writeonly r32f     of what the pixel shows in front, see include/blur.glsl
//   87 tiles      writeonly rgba32f  largest circle before the plane in focus, largest behind it, least of all
//   88 front      writeonly rgba32f  light from there; w is the share of the pixel
//
// Light is a mean over the pixel, and the G-buffer is that of its centre. At a silhouette a pixel holds a share of what is
// in front and a share of what is behind it, and the mean of one over the distance tells how large they are. What is
// behind is taken out: its neighbours show the same.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/blur.glsl"

layout(local_size_x = TILE, local_size_y = TILE) in;

layout(constant_id = 85) const bool MINIATURE = false;  // circles by a band across the picture, or by depth
layout(constant_id = 97) const bool IS_PART = false;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 6, r32f) readonly uniform image2D inverse_distance;
layout(set = 0, binding = 7, rgba32f) readonly uniform image2D picture;
layout(set = 0, binding = 86, r32f) writeonly uniform image2D nearness;
layout(set = 0, binding = 87, rgba32f) writeonly uniform image2D tiles;
layout(set = 0, binding = 88, rgba32f) writeonly uniform image2D front;

// Where no circle is wider than the first, a mixed pixel is left whole; from the second on it is parted.
const float WHOLE = 1.5, PARTED = 2.5;  // pixels
// Between the circle of a pixel's centre and the mean over the pixel, from where on it is mixed: in pixels, or of its nearness
// if that is less.
const float MIXED = 0.1;

// Floats of one sign are in the order of their bits.
shared uint nearest, farthest, least;

float band_at(vec2 at) {
    float outside = abs(dot(blur.across, at) + blur.offset) - blur.half_width;
    return -blur.largest * smoothstep(0.0, blur.fade, outside);
}

// Nearness over one over the distance along a pixel's ray.
float scale_at(vec2 uv) {
    return blur.scale * length(frame.direction + uv.x * frame.direction_u + uv.y * frame.direction_v);  // 1 along the axis
}

float inverse_at(ivec2 pixel) {
    float distance = imageLoad(position, pixel).w;
    return isinf(distance) ? 0.0 : 1.0 / distance;
}

// Part a mixed pixel; return the light of what is in front, and in w its share of the pixel.
vec4 part(ivec2 pixel, vec2 uv, vec3 light, float scale, inout float near) {
    float mean = scale * imageLoad(inverse_distance, pixel).r;
    if (abs(mean - near) <= MIXED * min(max(mean, near), 1.0)) return vec4(light, 1.0);
    float nearest = near, farthest = near, most = -1.0e30, least = 1.0e30;
    ivec2 before = pixel, behind = pixel;
    vec3 ahead, beyond;
    for (int i = 0; i < 9; ++i) {
        ivec2 other = clamp(pixel + ivec2(i % 3 - 1, i / 3 - 1), ivec2(0), frame.size - 1);
        float there = scale * inverse_at(other), mixed = abs(scale * imageLoad(inverse_distance, other).r - there);
        vec3 light_there = imageLoad(radiance, other).rgb;
        nearest = max(nearest, there);
        farthest = min(farthest, there);
        // Their light is that of neighbours that show nothing else.
        if (there - mixed > most) {
            most = there - mixed;
            ahead = light_there;
            before = other;
        }
        if (there + mixed < least) {
            least = there + mixed;
            beyond = light_there;
            behind = other;
        }
    }
    float share = clamp((mean - farthest) / max(nearest - farthest, 1.0e-6), 0.0, 1.0);
    near = nearest;
    // What is left of the light is in front; a small share says little of it, and then it is as beside, but for no more than
    // there is: thin things may be in front, too, that look otherwise.
    vec3 all_light = light, all_ahead = ahead, left = light - (1.0 - share) * beyond, left_of_all = left;
    if (IS_PART) {
        all_light = imageLoad(picture, pixel).rgb;
        all_ahead = imageLoad(picture, before).rgb;
        left_of_all = all_light - (1.0 - share) * imageLoad(picture, behind).rgb;
    }
    ahead *= min(all_light / max(share * all_ahead, 1.0e-12), 1.0);
    left = mix(left, vec3(0.0), lessThan(left_of_all, vec3(0.0))) / max(share, 0.25);
    left = mix(ahead, left, smoothstep(0.25, 0.5, share));
    float c = max(abs(circle(nearest, uv)), abs(circle(farthest, uv))), parted = smoothstep(WHOLE, PARTED, c);
    float spread = mix(1.0, share, parted);
    return vec4(mix(light, share * left, parted) / max(spread, 1.0e-6), spread);
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (gl_LocalInvocationIndex == 0u) {
        nearest = farthest = 0u;
        least = floatBitsToUint(LARGEST);
    }
    barrier();
    if (all(lessThan(pixel, frame.size))) {
        vec2 at = vec2(pixel) + 0.5;
        vec2 uv = camera_uv(at), grown = growth(uv);
        float near, scale = scale_at(uv);
        vec4 seen = vec4(imageLoad(radiance, pixel).rgb, 1.0);
        if (MINIATURE) near = band_at(at);
        else {
            near = scale * inverse_at(pixel);
            seen = part(pixel, uv, seen.rgb, scale, near);
        }
        float c = circle(near, uv), farthest_out = min(abs(c) * grown.y / grown.x, LARGEST);
        imageStore(front, pixel, seen);
        imageStore(nearness, pixel, vec4(near));
        atomicMax(nearest, floatBitsToUint(c > 0.0 ? farthest_out : 0.0));
        atomicMax(farthest, floatBitsToUint(c < 0.0 ? farthest_out : 0.0));
        atomicMin(least, floatBitsToUint(abs(c)));
    }
    barrier();
    if (gl_LocalInvocationIndex == 0u) {
        vec3 bounds = uintBitsToFloat(uvec3(nearest, farthest, least));
        imageStore(tiles, ivec2(gl_WorkGroupID.xy), vec4(bounds, 0.0));
    }
}
