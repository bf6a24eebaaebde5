// One level of the atlas: means over 2 x 2 texels of the one before, of what is spread far enough to matter there.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  front_light  readonly rgba32f   see post/dof_circles.comp; the first level is made of it
//   7  amount     readonly r32f      likewise: how much that counts for places
//   81 circles    r32f               atlas, goes with behind: the circle before the plane in focus, times the weight
//   84 behind     rgba32f            atlas: what may lie behind something near, times its weight, which is w
//   85 blur       readonly buffer    see include/blur.glsl
//   86 nearness   readonly r32f      see post/dof_circles.comp
//   87 near       rgba32f            atlas: light from before the plane in focus; w is its nearness
//   88 far        rgba32f            atlas: likewise from behind it
//   89 near_place rgba32f            atlas: where in the texel that light is, right and down of its middle in texels; z is how
//                                    much there is, and w the share of the texel's area
//   80 far_place  rgba32f            atlas: likewise
//
// Near and far are apart, so that no mean mixes them. What is sharp is in neither: it can't leak into a wide circle.
//
// The place of light is its centroid, so that circles move with what makes them and not from texel to texel. It is that of
// the whole picture also where a part of the light is spread: parts spread alike add up.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/blur.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 86) const int LEVEL = 1;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D front_light;
layout(set = 0, binding = 7, r32f) readonly uniform image2D amount;
layout(set = 0, binding = 86, r32f) readonly uniform image2D nearness;
layout(set = 0, binding = 87, rgba32f) uniform image2D near;
layout(set = 0, binding = 88, rgba32f) uniform image2D far;
layout(set = 0, binding = 89, rgba32f) uniform image2D near_place;
layout(set = 0, binding = 80, rgba32f) uniform image2D far_place;
layout(set = 0, binding = 81, r32f) uniform image2D circles;
layout(set = 0, binding = 84, rgba32f) uniform image2D behind;

const float DARKEST = 1.0e-12;  // light that decides on the place where there is none

// Add what is not behind `front`; `middle` is that of its texel, right and down of the coarser one's.
void add(vec4 light, vec4 place, vec2 middle, float front, inout vec4 light_sum, inout vec4 place_sum) {
    place.zw *= float(light.w > front);
    light_sum += place.w * light;
    place_sum += vec4(place.z * (middle + 0.5 * place.xy), place.zw);
}

// The place of four texels from the sums over them.
vec4 mean_place(vec4 sums) { return vec4(sums.xy / max(sums.z, 1.0e-30), 0.25 * sums.zw); }

void main() {
    ivec2 texel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(texel, level_size(LEVEL)))) return;
    ivec2 last = level_size(LEVEL - 1) - 1;
    int row = level_row(LEVEL - 1);
    float finer = float(1 << (LEVEL - 1));
    vec4 near_lights[4], far_lights[4], near_places[4], far_places[4], backs = vec4(0.0);
    float circle_sum = 0.0;
    vec2 front = vec2(-1.0e30);  // nearness of what is in front
    for (int i = 0; i < 4; ++i) {
        ivec2 at = min(2 * texel + ivec2(i & 1, i >> 1), last);
        vec2 uv = camera_uv((vec2(at) + 0.5) * finer);
        if (LEVEL == 1) {
            vec4 seen = imageLoad(front_light, at);
            near_lights[i] = far_lights[i] = vec4(seen.rgb, imageLoad(nearness, at).r);
            float light = max(imageLoad(amount, at).r, 0.0) + DARKEST;
            near_places[i] = far_places[i] = vec4(0.0, 0.0, seen.w * light, seen.w);
            // The nearer, the less it is what lies behind: even a little nearer counts.
            float c = max(circle(near_lights[i].w, uv), 0.0), weight = 16.0 / (1.0 + c);
            weight *= weight;
            weight *= weight;
            weight *= weight;
            weight *= weight * seen.w;
            backs += weight * vec4(seen.rgb, 1.0);
            circle_sum += weight * c;
        } else {
            at.y += row;
            near_lights[i] = imageLoad(near, at);
            far_lights[i] = imageLoad(far, at);
            near_places[i] = imageLoad(near_place, at);
            far_places[i] = imageLoad(far_place, at);
            backs += imageLoad(behind, at);
            circle_sum += imageLoad(circles, at).r;
        }
        vec2 found = vec2(near_lights[i].w, far_lights[i].w);
        float in_focus = nearness_in_focus(uv), least = least_circle(LEVEL) / growth(uv).y;
        near_places[i].zw *= float(found.x - in_focus > least);
        far_places[i].zw *= float(in_focus - found.y > least);
        front = max(front, mix(vec2(-1.0e30), found, greaterThan(vec2(near_places[i].w, far_places[i].w), vec2(0.0))));
    }
    // At a silhouette what is in front stays, with the circles it has. What is behind it shows beside.
    front -= 0.5 + STEEP * 2.0 * finer;
    vec4 near_sum = vec4(0.0), far_sum = vec4(0.0), near_at = vec4(0.0), far_at = vec4(0.0);
    for (int i = 0; i < 4; ++i) {
        vec2 middle = 0.5 * vec2(i & 1, i >> 1) - 0.25;
        add(near_lights[i], near_places[i], middle, front.x, near_sum, near_at);
        add(far_lights[i], far_places[i], middle, front.y, far_sum, far_at);
    }
    ivec2 to = texel + ivec2(0, level_row(LEVEL));
    imageStore(near, to, near_sum / max(near_at.w, 1.0e-6));
    imageStore(far, to, far_sum / max(far_at.w, 1.0e-6));
    imageStore(near_place, to, mean_place(near_at));
    imageStore(far_place, to, mean_place(far_at));
    imageStore(behind, to, 0.25 * backs);
    imageStore(circles, to, vec4(0.25 * circle_sum));
}
