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
//   89 amount     writeonly r32f     how much that counts for places: of the whole picture, the sum of its channels
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
layout(set = 0, binding = 89, r32f) writeonly uniform image2D amount;

// Where no circle is wider than the first, a mixed pixel is left whole; from the second on it is parted.
const float WHOLE = 1.5, PARTED = 2.5;  // pixels
// Between the circle of a pixel's centre and the mean over the pixel, from where on it is mixed: in pixels, or of its nearness
// if that is less.
const float MIXED = 0.05;
// By how much a neighbour before and one behind differ from a pixel between two surfaces: in pixels, and of its nearness, which
// counts where it is more. Beyond them nearness changes by less than such a share of that.
const float STEP = 0.05, STEP_OF_NEARNESS = 0.03, SLOPE = 0.3;
// Light that every pixel has as it counts for places, of that in the tile: a trace of light moves nothing dark. It is a mean of
// roots, which a lamp adds little to, summed in whole steps, so that no order tells.
const float TRACE = 0.05, ROOT_STEPS = 4096.0, ROOT_LARGEST = 1024.0;

// Floats of one sign are in the order of their bits.
shared uint nearest, farthest, least;
shared uint brightness;  // the sum of roots, in steps

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

float mean_at(ivec2 pixel, float scale) {
    return scale * imageLoad(inverse_distance, clamp(pixel, ivec2(0), frame.size - 1)).r;
}

// Whether a neighbour is nearer and the one across is farther, by a step and not on a slope that goes on: then what the pixel's
// centre looks at is no surface to blur by, but the side of the nearer one, seen from above.
bool between(ivec2 pixel, float scale, float mean) {
    float step = max(STEP, STEP_OF_NEARNESS * mean);
    for (int i = 0; i < 2; ++i) {
        ivec2 along = ivec2(1 - i, i);
        float there = mean_at(pixel - along, scale), across = mean_at(pixel + along, scale);
        if (max(there, across) < mean + step || min(there, across) > mean - step) continue;
        float beside = abs(mean_at(pixel - 2 * along, scale) - there) + abs(mean_at(pixel + 2 * along, scale) - across);
        if (beside < SLOPE * abs(there - across)) return true;
    }
    return false;
}

// Part a mixed pixel: leave in `light`, which is a part of all the light there is, that of what is in front. In `amount` is how
// much of it counts for places. Return its share of the pixel.
float part(ivec2 pixel, vec2 uv, float scale, vec3 all_light, inout float near, inout vec3 light, inout float amount) {
    float mean = scale * imageLoad(inverse_distance, pixel).r;
    if (abs(mean - near) <= MIXED * min(max(mean, near), 1.0) && !between(pixel, scale, mean)) return 1.0;
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
    near = nearest;
    float share = clamp((mean - farthest) / max(nearest - farthest, 1.0e-6), 0.0, 1.0);
    vec3 all_ahead = ahead, all_beyond = beyond;
    if (IS_PART) {
        all_ahead = imageLoad(picture, before).rgb;
        all_beyond = imageLoad(picture, behind).rgb;
    }
    float c = abs(circle(nearest, uv)), wider = max(c, abs(circle(farthest, uv)));
    float parted = smoothstep(WHOLE, PARTED, mix(wider, c, smoothstep(0.3, 0.6, c))), spread = mix(1.0, share, parted);
    // Errors of what is left move nothing dark: for its place it is as bright as beside.
    amount = mix(amount, dot(all_ahead, vec3(1.0)), parted);
    // What is left of the light is in front. A small share says little of it: there it may be between what is in front beside
    // and what is behind, but no more than there is, unless the pixel outshines them all. Parts of the light are mixed as the
    // whole is, so that they add up.
    float outshines = dot(all_light, vec3(1.0)) / max(dot(max(all_ahead, all_beyond), vec3(1.0)), 1.0e-12);
    float sure = max(smoothstep(0.25, 0.5, share), smoothstep(1.5, 3.0, outshines));
    vec3 bound = min(all_light / max(share * all_ahead, 1.0e-12), 1.0);
    ahead *= bound;
    all_ahead *= bound;
    float of_share = 1.0 / max(share, 0.02);
    vec3 left = of_share * (light - (1.0 - share) * beyond), all_left = of_share * (all_light - (1.0 - share) * all_beyond);
    left = mix(left, vec3(0.0), lessThan(all_left, vec3(0.0)));
    all_left = max(all_left, 0.0);
    vec3 likely = clamp(all_left, min(all_ahead, all_beyond), max(all_ahead, all_beyond)), apart = all_left - all_ahead;
    vec3 trust = mix((likely - all_ahead) / apart, vec3(0.0), lessThan(abs(apart), vec3(1.0e-6)));
    left = mix(ahead, left, mix(trust, vec3(1.0), sure));
    light = mix(light, share * left, parted) / max(spread, 1.0e-6);
    return spread;
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (gl_LocalInvocationIndex == 0u) {
        nearest = farthest = brightness = 0u;
        least = floatBitsToUint(LARGEST);
    }
    barrier();
    bool inside = all(lessThan(pixel, frame.size));
    float amount_here = 0.0;
    if (inside) {
        vec2 at = vec2(pixel) + 0.5;
        vec2 uv = camera_uv(at), grown = growth(uv);
        float near, scale = scale_at(uv);
        vec3 light = imageLoad(radiance, pixel).rgb, all_light = IS_PART ? imageLoad(picture, pixel).rgb : light;
        float share = 1.0;
        amount_here = max(dot(all_light, vec3(1.0)), 0.0);
        if (MINIATURE) near = band_at(at);
        else {
            near = scale * inverse_at(pixel);
            share = part(pixel, uv, scale, all_light, near, light, amount_here);
        }
        float c = circle(near, uv), farthest_out = min(abs(c) * grown.y / grown.x, LARGEST);
        imageStore(front, pixel, vec4(light, share));
        imageStore(nearness, pixel, vec4(near));
        atomicMax(nearest, floatBitsToUint(c > 0.0 ? farthest_out : 0.0));
        atomicMax(farthest, floatBitsToUint(c < 0.0 ? farthest_out : 0.0));
        atomicMin(least, floatBitsToUint(abs(c)));
        atomicAdd(brightness, uint(ROOT_STEPS * min(sqrt(amount_here), ROOT_LARGEST)));
    }
    barrier();
    // A trace of light moves nothing dark.
    float root = float(brightness) / (ROOT_STEPS * TILE * TILE);
    if (inside) imageStore(amount, pixel, vec4(amount_here + TRACE * root * root));
    if (gl_LocalInvocationIndex == 0u) {
        vec3 bounds = uintBitsToFloat(uvec3(nearest, farthest, least));
        imageStore(tiles, ivec2(gl_WorkGroupID.xy), vec4(bounds, 0.0));
    }
}
