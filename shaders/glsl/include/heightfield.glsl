// What does this ray hit? The tracer of every pass: exact bilinear patches under a conservative min/max pyramid.
//
// Bindings (set 0): those of terrain.glsl, and
//   2  pyramid   usampler2D   conservative bounds, packed by terrain/pyramid.comp: mip m holds level m + 1
//
// A cell is the bilinear patch of its four samples, f(s) = ray z - patch z is a quadratic along the ray, and its first
// root is the hit (Ramsey, Potter and Hansen 2004, "Ray bilinear patch intersections", specialised to a grid). The
// pyramid is walked without a stack as in maximum mipmaps (Tevs, Ihrke and Seidel 2008): step over a node that the ray
// passes above or below, descend into one it may touch, ascend when a step leaves the parent. The planes between nodes
// have integer coordinates, so the same plane gives the same float t on every level and steps never disagree.
//
// Watertightness comes from `side`: whether the ray is known to be above (+1) or below (-1) the surface. A ray that was
// above and finds itself below at a cell's entry has crossed in between, in what rounding hid: that is a hit.
#ifndef VKFORGE_HEIGHTFIELD_GLSL
#define VKFORGE_HEIGHTFIELD_GLSL

#include "include/terrain.glsl"

layout(set = 0, binding = 2) uniform usampler2D pyramid;

const uint HIT_NOTHING = 0u;
const uint HIT_GROUND = 1u;
const uint HIT_SKIRT = 2u;

struct Hit {
    float t;      // metres along a unit direction
    uint kind;    // HIT_NOTHING, HIT_GROUND or HIT_SKIRT
    ivec2 cell;   // ground: which cell
    vec2 uv;      // ground: where in it, 0 to 1 along columns and rows
    vec3 normal;  // skirt: the outward normal in the world
};

struct Patch {
    float h00, a, b, c;  // height = h00 + a u + b v + c u v
    bool hole;
};

Patch load_patch(ivec2 cell) {
    // One gather at the corner that the four samples share: a tenth less of a CPU driver's frame than four fetches.
    vec4 corners = grid_height(textureGather(heights, vec2(cell + 1) / vec2(terrain.cells + 1)));
    float h00 = corners.w, h10 = corners.z, h01 = corners.x, h11 = corners.y;
    Patch p;
    p.hole = is_hole(min(min(h00, h10), min(h01, h11)));
    p.h00 = h00;
    p.a = h10 - h00;
    p.b = h01 - h00;
    p.c = (h11 - h10) - p.b;
    return p;
}

float patch_height(Patch p, vec2 uv) { return p.h00 + p.a * uv.x + (p.b + p.c * uv.x) * uv.y; }
vec2 patch_slopes(Patch p, vec2 uv) { return vec2(p.a + p.c * uv.y, p.b + p.c * uv.x); }

// The first s in [0, end] at which A s^2 + B s + C, positive just before 0, is no longer so; -1 for none.
// `tolerance` is how far below zero C may be from rounding alone.
float first_crossing(float A, float B, float C, float end, float tolerance) {
    if (C <= 0.0) {
        if (B < 0.0 || C < -tolerance) return 0.0;
        float s = A < 0.0 ? -B / A : -1.0;  // it leaves the surface and may come back
        return s <= end ? s : -1.0;
    }
    float discriminant = B * B - 4.0 * A * C;
    if (discriminant < 0.0) return -1.0;
    float denominator = sqrt(discriminant) - B;  // the smaller positive root without cancellation
    if (denominator <= 0.0) return -1.0;
    float s = 2.0 * C / denominator;
    return s <= end ? s : -1.0;
}

// Trace from `origin` (grid space) along `direction` (grid units per metre), up to `t_end` metres.
// `on_surface`: the origin lies on the ground and leaves it upwards; its z is taken from the patch itself.
Hit trace_grid(vec3 origin, vec3 direction, float t_end, bool on_surface) {
    Hit hit;
    hit.t = t_end;
    hit.kind = HIT_NOTHING;
    ivec2 cells = terrain.cells;
    vec2 extent = vec2(cells);

    // A component too small to matter is nudged towards the middle, so that nothing below divides by zero and a ray
    // along the outermost samples stays inside.
    vec2 inward = mix(vec2(1.0), vec2(-1.0), greaterThan(origin.xy, 0.5 * extent));
    direction.xy = mix(direction.xy, inward * 1.0e-12, lessThan(abs(direction.xy), vec2(1.0e-12)));
    vec2 inverse = 1.0 / direction.xy;

    // Clip to the box. Where the ray leaves it through floor or ceiling there is slack for the rounding of its z, so that
    // ground at the lowest or highest elevation is never left unseen.
    float floor_z = terrain.has_skirt == 1u ? terrain.base : 0.0;
    vec2 ta = (vec2(0.0) - origin.xy) * inverse, tb = (extent - origin.xy) * inverse;
    vec2 t_near = min(ta, tb), t_far = max(ta, tb);
    float t_side = max(t_near.x, t_near.y);
    float t = max(t_side, 0.0);
    float t_out = min(t_far.x, t_far.y);
    float t_exit = min(t_out, t_end);
    float slack = 1.0 + 1.0e-6 * max(abs(origin.z), abs(origin.z + direction.z * t_out));
    bool down = direction.z < 0.0;
    float t_floor = t_end;
    if (abs(direction.z) > 1.0e-20) {
        t_floor = (floor_z - origin.z) / direction.z;
        float t_low = (floor_z - slack - origin.z) / direction.z;
        float t_high = (65535.0 + slack - origin.z) / direction.z;
        float t_enter = down ? t_high : terrain.has_skirt == 1u ? t_floor : t_low;
        if (!down && t_enter > t) t_side = -1.0;  // it comes up through the base
        t = max(t, t_enter);
        t_exit = min(t_exit, down ? t_low : t_high);
    } else if (origin.z < floor_z - slack || origin.z > 65535.0 + slack) {
        return hit;
    }
    if (!(t <= t_exit)) return hit;

    if (terrain.has_skirt == 1u && !on_surface && t > 0.0) {
        vec3 at = origin + direction * t;
        bool from_below = !down && t_floor == t;
        ivec2 cell = clamp(ivec2(floor(at.xy)), ivec2(0), cells - 1);
        Patch p = load_patch(cell);
        if (from_below || (t == t_side && !p.hole && at.z < patch_height(p, clamp(at.xy - vec2(cell), 0.0, 1.0)))) {
            hit.t = t;
            hit.kind = HIT_SKIRT;
            bool east_west = t_near.x > t_near.y;
            vec2 axis = east_west ? vec2(-sign(direction.x), 0.0) : vec2(0.0, sign(direction.y));
            hit.normal = from_below ? vec3(0.0, 0.0, -1.0) : vec3(axis, 0.0);
            return hit;
        }
    }

    int top = terrain.top_level;
    int level = on_surface ? 0 : top;
    ivec2 cell = clamp(ivec2(floor(origin.xy + direction.xy * t)), ivec2(0), cells - 1);
    ivec2 towards = ivec2(greaterThan(direction.xy, vec2(0.0)));  // 1 where the ray moves up that axis
    ivec2 stride = 2 * towards - 1;
    float side = on_surface ? 1.0 : 0.0;
    float position_rounding = 4.0e-7 * max(extent.x, extent.y);
    bool starting = on_surface;
    bool under_edge = false;
    cell >>= level;

    while (true) {
        vec2 t_plane = (vec2((cell + towards) << level) - origin.xy) * inverse;
        float t_next = max(min(min(t_plane.x, t_plane.y), t_exit), t);
        float z = origin.z + direction.z * t;
        if (level > 0) {
            uint bounds = texelFetch(pyramid, cell, level - 1).r;
            float z_next = origin.z + direction.z * t_next;
            uint low = bounds & 0xffffu;  // 0 says that a hole is among the cells
            bool above = min(z, z_next) > float(bounds >> 16);
            if (!above && !(low > 0u && max(z, z_next) < float(low))) {
                --level;
                vec2 t_middle = (vec2((2 * cell + 1) << level) - origin.xy) * inverse;
                cell = 2 * cell + ivec2(equal(greaterThanEqual(vec2(t), t_middle), equal(towards, ivec2(1))));
                continue;
            }
            side = low == 0u ? 0.0 : above ? 1.0 : -1.0;
        } else {
            Patch p = load_patch(cell);
            if (starting && (t_next - t) * max(abs(direction.x), abs(direction.y)) <= position_rounding) {
                // The point lies on this cell's edge and the ray leaves it at once: the patch it starts over is the next,
                // unless the terrain ends there.
                vec2 uv = clamp((origin.xy - vec2(cell)) + direction.xy * t, 0.0, 1.0);
                under_edge = direction.z < dot(patch_slopes(p, uv), direction.xy);
            } else if (p.hole) {
                side = 0.0;
                starting = false;
            } else {
                vec2 uv = (origin.xy - vec2(cell)) + direction.xy * t;
                float C = z - patch_height(p, uv);
                float B = direction.z - p.a * direction.x - p.b * direction.y
                        - p.c * (uv.x * direction.y + uv.y * direction.x);
                float A = -p.c * direction.x * direction.y;
                if (starting) {
                    origin.z -= C;
                    C = 0.0;
                    starting = false;
                }
                if (side == 0.0) side = C < 0.0 ? -1.0 : 1.0;
                float tolerance = 0.02 + position_rounding * (abs(p.a) + abs(p.b) + abs(p.c));
                float s = first_crossing(A * side, B * side, C * side, t_next - t, tolerance);
                if (s >= 0.0) {
                    hit.t = t + s;
                    hit.kind = HIT_GROUND;
                    hit.cell = cell;
                    hit.uv = clamp(uv + direction.xy * s, 0.0, 1.0);
                    return hit;
                }
            }
        }
        if (t_next >= t_exit) break;
        t = t_next;
        bool along_x = t_plane.x < t_plane.y;
        int moved;
        if (along_x) { cell.x += stride.x; moved = cell.x ^ towards.x; }
        else { cell.y += stride.y; moved = cell.y ^ towards.y; }
        ivec2 last = (cells - 1) >> level;
        if (any(lessThan(cell, ivec2(0))) || any(greaterThan(cell, last))) break;
        // A step into an even cell going up, or an odd one going down, has left the parent.
        if (level < top && (moved & 1) == 1 && !starting) {
            ++level;
            cell >>= 1;
        }
    }

    if (starting && under_edge) {
        hit.t = 0.0;
        hit.kind = HIT_GROUND;
        return hit;
    }
    if (terrain.has_skirt == 1u && down && t_floor > 0.0 && t_floor <= min(t_end, t_out) && side >= 0.0) {
        hit.t = t_floor;  // the base plane, seen through a hole
        hit.kind = HIT_SKIRT;
        hit.normal = vec3(0.0, 0.0, 1.0);
    }
    return hit;
}

// Whether anything stands between a surface point and infinity. `grid` is the point in grid space, `kind` what it lies
// on, `direction` a unit vector in the world that leaves the surface.
bool occluded(vec3 grid, uint kind, vec3 direction) {
    return trace_grid(grid, direction * terrain.scale, 1.0e30, kind == HIT_GROUND).kind != HIT_NOTHING;
}

vec3 ground_normal(ivec2 cell, vec2 uv) {
    return normal_from_slopes(patch_slopes(load_patch(cell), uv));
}

// The slope at a sample along one axis: a central difference, one-sided at the border and beside a hole.
float slope_at(ivec2 at, ivec2 step, float here) {
    ivec2 last = terrain.cells;
    bool has_before = all(greaterThanEqual(at - step, ivec2(0)));
    bool has_after = all(lessThanEqual(at + step, last));
    float before = has_before ? sample_height(at - step) : here;
    float after = has_after ? sample_height(at + step) : here;
    has_before = has_before && !is_hole(before);
    has_after = has_after && !is_hole(after);
    if (!has_before) before = here;
    if (!has_after) after = here;
    return (after - before) * (has_before && has_after ? 0.5 : 1.0);
}

// The shading normal: slopes of the four samples by central differences, interpolated over the cell.
vec3 shading_normal(ivec2 cell, vec2 uv) {
    vec2 slopes[4];
    for (int i = 0; i < 4; ++i) {
        ivec2 at = cell + ivec2(i & 1, i >> 1);
        float here = sample_height(at);
        slopes[i] = vec2(slope_at(at, ivec2(1, 0), here), slope_at(at, ivec2(0, 1), here));
    }
    return normal_from_slopes(mix(mix(slopes[0], slopes[1], uv.x), mix(slopes[2], slopes[3], uv.x), uv.y));
}

#endif
