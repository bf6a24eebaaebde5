// How deep all camera rays through a tile of pixels are above the ground: where the paths' first rays begin.
//
// Bindings (set 0):
//   0  terrain   readonly buffer   see include/terrain.glsl
//   1  heights   sampler2D         not read
//   2  pyramid   readonly r32ui    bounds
//   3  frame     readonly buffer   see include/frame.glsl
//   50 path      readonly buffer   see include/path.glsl
//   51 beams     writeonly r32f    a tile of the band's depth: the camera's directions, before they get unit length, so often
//
// A beam is all rays of a tile, over its pixels, the lens and the time that the shutter is open. A linear camera's rays have
// points o + s d with o and d linear in the pixel, the place on the lens and the time, so those of one depth s lie in a box
// that is known, and those between two depths in the box around both. The beam marches on while that box is above the highest
// ground under it, of which four nodes of the pyramid tell. Other cameras' rays, and those that a lens distorts, begin at 0.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/heightfield.glsl"
#include "include/frame.glsl"
#include "include/path.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 51, r32f) writeonly uniform image2D beams;

const uint MOST_STEPS = 96u;
const float FINEST_STEP = 1.0 / 512.0;  // of the depth
const float ROUNDING = 1.0e-6;  // of a coordinate, after some arithmetic

struct Box {
    vec3 low, high;  // grid space
};

Box around(Box a, Box b) { return Box(min(a.low, b.low), max(a.high, b.high)); }

// The points at depth `s` of the rays from o + u o_u + v o_v along d + u d_u + v d_v, (u, v) from uv - reach to uv + reach.
Box slice(float s, vec2 uv, vec2 reach, vec3 o, vec3 o_u, vec3 o_v, vec3 d, vec3 d_u, vec3 d_v) {
    vec3 middle = world_to_grid(o + uv.x * o_u + uv.y * o_v + s * (d + uv.x * d_u + uv.y * d_v));
    vec3 half_size = abs(grid_scale) * (reach.x * abs(o_u + s * d_u) + reach.y * abs(o_v + s * d_v));
    return Box(middle - half_size, middle + half_size);
}

Box beam_at(float s, vec2 uv, vec2 reach) {
    Box box = slice(
        s, uv, reach, frame.origin, frame.origin_u, frame.origin_v, frame.direction, frame.direction_u, frame.direction_v);
    if (SHUTTER) {
        Box end = slice(s, uv, reach, path.end_origin, path.end_origin_u, path.end_origin_v, path.end_direction,
            path.end_direction_u, path.end_direction_v);
        box = around(box, end);
    }
    if (THIN_LENS) {
        // A point of the lens moves a ray by itself, and turns it by as much as its focus is near: see paths.comp.
        vec3 lens = abs(grid_scale) * sqrt(path.lens_u * path.lens_u + path.lens_v * path.lens_v);
        vec3 focus = path.inverse_focus;
        lens *= abs(1.0 - s * dot(focus, vec3(1.0, uv))) + s * dot(abs(focus.yz), reach);
        box = Box(box.low - lens, box.high + lens);
    }
    return box;
}

// The highest ground under a box, or more.
float highest_under(Box box, vec2 margin) {
    ivec2 last = grid_cells - 1;
    ivec2 low = ivec2(floor(clamp(box.low.xy - margin, vec2(0.0), vec2(last))));
    ivec2 high = ivec2(floor(clamp(box.high.xy + margin, vec2(0.0), vec2(last))));
    int level = max(findMSB(max(high.x - low.x, high.y - low.y)) + 1, 1);  // on it the box meets two by two nodes at most
    if (level > terrain.top_level) return 65535.0;
    low = (low + first_cell) >> level;
    high = (high + first_cell) >> level;
    uint a = imageLoad(pyramid, low).r, b = imageLoad(pyramid, ivec2(high.x, low.y)).r;
    uint c = imageLoad(pyramid, ivec2(low.x, high.y)).r, d = imageLoad(pyramid, high).r;
    return max(float(max(max(a, b), max(c, d)) >> 16), LOWEST);  // where there is no ground, there may be the skirt's base
}

void main() {
    ivec2 tile = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(tile, imageSize(beams)))) return;
    float s = 0.0;
    if (CAMERA_KIND == CAMERA_LINEAR && frame.lens_steps == 0u) {
        vec2 reach = vec2(TILE) / vec2(frame.size);
        vec2 uv = camera_uv((vec2(tile) + 0.5) * float(TILE) + vec2(0.0, float(path.first_row)));
        Box here = beam_at(0.0, uv, reach);
        vec3 size = vec3(grid_cells, 65535.0), eye = max(abs(here.low), abs(here.high));
        vec3 margin = vec3(0.02, 0.02, 1.0) + ROUNDING * (eye + size);
        vec3 d = frame.direction + uv.x * frame.direction_u + uv.y * frame.direction_v;
        float end = 2.0 * length((eye + size) / grid_scale) / length(d);  // behind the terrain
        float step = end / 16.0;
        for (uint i = 0u; i < MOST_STEPS && s < end && step > FINEST_STEP * s; ++i) {
            Box next = beam_at(s + step, uv, reach), box = around(here, next);
            if (box.low.z - margin.z > highest_under(box, margin.xy)) {
                s += step;
                step *= 1.5;
                here = next;
            } else step *= 0.5;
        }
    }
    imageStore(beams, tile, vec4(s));
}
