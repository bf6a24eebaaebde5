// One level of the atlas: means over 2 x 2 texels of the one before, of what is spread far enough to matter there.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  front_light  readonly rgba32f   see post/dof_circles.comp; the first level is made of it
//   85 blur       readonly buffer    see include/blur.glsl
//   86 nearness   readonly r32f      see post/dof_circles.comp
//   87 near       rgba32f            atlas: light from before the plane in focus; w is its nearness
//   88 far        rgba32f            atlas: likewise from behind it
//   89 shares     rgba32f            atlas: the share of a texel's area that is in near, and in far; z goes with behind
//   84 behind     rgba32f            atlas: what may lie behind something near, times its weight; w is the weight, and z
//                                    of shares the circle before the plane in focus, times the weight
//
// Near and far are apart, so that no mean mixes them. What is sharp is in neither: it can't leak into a wide circle.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/blur.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 86) const int LEVEL = 1;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D front_light;
layout(set = 0, binding = 86, r32f) readonly uniform image2D nearness;
layout(set = 0, binding = 87, rgba32f) uniform image2D near;
layout(set = 0, binding = 88, rgba32f) uniform image2D far;
layout(set = 0, binding = 89, rgba32f) uniform image2D shares;
layout(set = 0, binding = 84, rgba32f) uniform image2D behind;

void main() {
    ivec2 texel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(texel, level_size(LEVEL)))) return;
    ivec2 last = level_size(LEVEL - 1) - 1;
    int row = level_row(LEVEL - 1);
    float finer = float(1 << (LEVEL - 1));
    vec4 near_lights[4], far_lights[4], backs = vec4(0.0);
    float circles = 0.0;
    vec2 there[4], front = vec2(-1.0e30);  // nearness of what is in front
    for (int i = 0; i < 4; ++i) {
        ivec2 at = min(2 * texel + ivec2(i & 1, i >> 1), last);
        vec2 uv = camera_uv((vec2(at) + 0.5) * finer);
        if (LEVEL == 1) {
            vec4 seen = imageLoad(front_light, at);
            near_lights[i] = far_lights[i] = vec4(seen.rgb, imageLoad(nearness, at).r);
            there[i] = seen.ww;
            // The nearer, the less it is what lies behind: even a little nearer counts.
            float c = max(circle(near_lights[i].w, uv), 0.0), weight = 1.0 / (1.0 + c);
            weight *= weight;
            weight *= weight * seen.w;
            backs += weight * vec4(seen.rgb, 1.0);
            circles += weight * c;
        } else {
            at.y += row;
            near_lights[i] = imageLoad(near, at);
            far_lights[i] = imageLoad(far, at);
            there[i] = imageLoad(shares, at).xy;
            backs += imageLoad(behind, at);
            circles += imageLoad(shares, at).z;
        }
        vec2 found = vec2(near_lights[i].w, far_lights[i].w);
        float in_focus = nearness_in_focus(uv), least = least_circle(LEVEL) / growth(uv).y;
        there[i] *= vec2(found.x - in_focus > least, in_focus - found.y > least);
        front = max(front, mix(vec2(-1.0e30), found, greaterThan(there[i], vec2(0.0))));
    }
    // At a silhouette what is in front stays, with the circles it has. What is behind it shows beside.
    front -= 0.5 + STEEP * 2.0 * finer;
    vec4 nears = vec4(0.0), fars = vec4(0.0);
    vec2 share = vec2(0.0);
    for (int i = 0; i < 4; ++i) {
        vec2 kept = there[i] * vec2(greaterThan(vec2(near_lights[i].w, far_lights[i].w), front));
        nears += kept.x * near_lights[i];
        fars += kept.y * far_lights[i];
        share += kept;
    }
    ivec2 to = texel + ivec2(0, level_row(LEVEL));
    imageStore(near, to, nears / max(share.x, 1.0e-6));
    imageStore(far, to, fars / max(share.y, 1.0e-6));
    imageStore(shares, to, 0.25 * vec4(share, circles, 0.0));
    imageStore(behind, to, 0.25 * backs);
}
