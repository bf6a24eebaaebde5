// What does this ray hit? The tracer of every pass: exact bilinear patches under a conservative min/max pyramid.
//
// Bindings (set 0): those of terrain.glsl, and
//   2  pyramid   readonly r32ui   conservative bounds, packed by terrain/pyramid.comp
//
// A cell is the bilinear patch of its four samples, or the triangle of three where one is missing, and f(s) = ray z - patch z is a quadratic along the ray, and its first
// root is the hit (Ramsey, Potter and Hansen 2004, "Ray bilinear patch intersections", specialised to a grid). The
// pyramid is walked without a stack as in maximum mipmaps (Tevs, Ihrke and Seidel 2008): step over a node that the ray
// passes above or below, descend into one it may touch, ascend when a step leaves the parent. The planes between nodes
// have integer coordinates, so the same plane gives the same float t on every level and steps never disagree.
//
// The pyramid's levels lie in one image of R rows as in a binary heap: a node's number is its texel, level l begins at
// column 0 and row R >> l, and the children of node n are 2 n and 2 n + 1 along both axes, so that a walk knows where to look
// without working it out. Cells, level 0, follow after the last row. A storage image, because Mesa's llvmpipe calls a
// function for a texel of a texture and saves all registers around that: a tenth of the path tracer's time.
//
// Watertightness comes from `side`: whether the ray is known to be above (+1) or below (-1) the surface. A ray that was
// above and finds itself below at a cell's entry has crossed in between, in what rounding hid: that is a hit.
#ifndef VKFORGE_HEIGHTFIELD_GLSL
#define VKFORGE_HEIGHTFIELD_GLSL

#include "include/terrain.glsl"

layout(set = 0, binding = 2, r32ui) readonly uniform uimage2D pyramid;
ivec2 first_cell = ivec2(0, imageSize(pyramid).y);  // the node that is cell (0, 0)

// Whether the block is closed by side walls and a base plane; false leaves out their code.
layout(constant_id = 8) const bool HAS_SKIRT = true;

// Whether any sample is missing; false leaves out what holes need.
layout(constant_id = 7) const bool HAS_HOLES = true;

// Whether the base plane lies under holes too, as their floor; else the block ends at their walls. Only read with both.
layout(constant_id = 17) const bool HAS_FLOOR = true;

// Whether points may lie on water, which is no part of the heightfield; see water.glsl.
layout(constant_id = 70) const bool HAS_WATER = false;

// How rays of a group keep together, see trace_grid; the host says what suits the device.
layout(constant_id = 9) const bool WALK_TOGETHER = false;

const uint HIT_NOTHING = 0u;
const uint HIT_GROUND = 1u;
const uint HIT_SKIRT = 2u;
const uint HIT_WATER = 3u;  // in the G-buffer, where lighting/water_surface.comp puts it; the tracer meets none

struct Hit {
    float t;      // metres along a unit direction
    uint kind;    // HIT_NOTHING, HIT_GROUND or HIT_SKIRT
    ivec2 cell;   // ground: which cell
    vec2 uv;      // ground: where in it, 0 to 1 along columns and rows
    vec3 normal;  // skirt: the outward normal in the world
};

struct Patch {
    float h00, a, b, c;  // height = h00 + a u + b v + c u v
    vec3 within;         // there is ground where the dot product of this and (u, v, 1) is positive
};

Patch make_patch(float h00, float h10, float h01, float h11) {
    Patch p;
    p.within = vec3(0.0, 0.0, 1.0);
    if (HAS_HOLES) {
        // Of three samples the plane, up to the diagonal; fewer make no ground.
        bool no_00 = is_hole(h00), no_10 = is_hole(h10), no_01 = is_hole(h01), no_11 = is_hole(h11);
        bool bare = int(no_00) + int(no_10) + int(no_01) + int(no_11) > 1;
        p.within = no_00 ? vec3(1.0, 1.0, -1.0) : no_10 ? vec3(-1.0, 1.0, 0.0) : p.within;
        p.within = no_01 ? vec3(1.0, -1.0, 0.0) : no_11 ? vec3(-1.0, -1.0, 1.0) : p.within;
        p.within = bare ? vec3(0.0, 0.0, -1.0) : p.within;
        h00 = no_00 ? h10 + h01 - h11 : h00;
        h10 = no_10 ? h00 + h11 - h01 : h10;
        h01 = no_01 ? h00 + h11 - h10 : h01;
        h11 = no_11 ? h10 + h01 - h00 : h11;
    }
    p.h00 = h00;
    p.a = h10 - h00;
    p.b = h01 - h00;
    p.c = (h11 - h10) - p.b;
    return p;
}

Patch load_patch(ivec2 cell) {
    // One gather at the corner that the four samples share: a tenth less of a CPU driver's frame than four fetches.
    vec4 corners = grid_height(textureGather(heights, vec2(cell + 1) / vec2(grid_cells + 1)));
    return make_patch(corners.w, corners.z, corners.x, corners.y);
}

float patch_height(Patch p, vec2 uv) { return p.h00 + p.a * uv.x + (p.b + p.c * uv.x) * uv.y; }
bool has_ground(Patch p, vec2 uv) { return !HAS_HOLES || dot(p.within, vec3(uv, 1.0)) > 0.0; }
vec2 patch_slopes(Patch p, vec2 uv) { return vec2(p.a + p.c * uv.y, p.b + p.c * uv.x); }

// The first s in [0, end] at which A s^2 + B s + C, positive just before 0, is no longer so; -1 for none.
// `tolerance` is how far below zero C may be from rounding alone.
float first_crossing(float A, float B, float C, float end, float tolerance) {
    bool under = C <= 0.0;
    if (under && (B < 0.0 || C < -tolerance)) return 0.0;
    // From above the smaller positive root without cancellation; from the surface a ray leaves and may come back.
    float discriminant = B * B - 4.0 * A * C, denominator = sqrt(discriminant) - B;
    bool meets = under ? A < 0.0 : discriminant >= 0.0 && denominator > 0.0;
    float s = (under ? -B : 2.0 * C) / (under ? A : denominator);
    return meets && s <= end ? s : -1.0;
}

// The earlier and the later of two times that are no NaN, at most one of them negative. As integers they have the same
// order; a CPU driver spends three times as long on the minimum of floats, of which either may be NaN.
float earlier(float a, float b) { return intBitsToFloat(min(floatBitsToInt(a), floatBitsToInt(b))); }
float later(float a, float b) { return intBitsToFloat(max(floatBitsToInt(a), floatBitsToInt(b))); }

const int FIRST_LEVEL = 5;  // where rays from outside begin: they are seldom above larger nodes; a CPU's cleared ones at 1
const int LEFT = -1;  // the level of a ray that has left the terrain

// The child, on `level`, of a node that the ray enters at `t`.
ivec2 child_at(ivec2 node, int level, vec3 origin, vec2 inverse, float t, ivec2 towards) {
    vec2 t_middle = (vec2(((2 * node + 1) << level) - first_cell) - origin.xy) * inverse;
    return 2 * node + ivec2(equal(greaterThanEqual(vec2(t), t_middle), equal(towards, ivec2(1))));
}

// Step over a node into its neighbour, which a ray that has not reached its exit always has. Returns the level to go on
// at: one higher (but at most `top`) where the step has left the parent, which is a step into an even node going up or an
// odd one going down. Rays that keep together rise at every step: fewer turns for the slowest of them.
int step_over(inout ivec2 node, int level, int top, bool along_x, ivec2 towards) {
    node += along_x ? ivec2(2 * towards.x - 1, 0) : ivec2(0, 2 * towards.y - 1);
    int moved = along_x ? node.x ^ towards.x : node.y ^ towards.y;
    int up = (moved | int(WALK_TOGETHER)) & int(level < top);
    node >>= up;
    return level + up;
}

// The normal, in the world, of a wall that a ray meets going along `direction` (grid space, where rows count south).
vec3 wall_normal(bool east_west, vec3 direction) {
    return east_west ? vec3(-sign(direction.x), 0.0, 0.0) : vec3(0.0, sign(direction.y), 0.0);
}

// Likewise of the wall along a patch's diagonal.
vec3 diagonal_normal(Patch p) { return vec3(normalize(-p.within.xy * grid_scale.xy), 0.0); }

// Where a ray that leaves a surface starts: `at` (grid space) has been rounded, but what lies on a wall or the base of the
// skirt lies exactly on its plane, which the ray then can't meet again. `normal` is that of the surface, in the world.
vec3 start_from(uint kind, vec3 at, vec3 normal) {
    if (!HAS_SKIRT || kind != HIT_SKIRT) return at;
    if (abs(normal.z) > 0.5) return vec3(at.xy, terrain.base);
    vec2 across = normal.xy / grid_scale.xy;  // in grid space: along an axis or both alike
    vec2 along = step(0.5 * max(abs(across.x), abs(across.y)), abs(across)) * sign(across);
    float off = dot(along, at.xy);
    return vec3(at.xy - along * ((off - round(off)) / dot(along, along)), max(at.z, terrain.base));
}

// Trace from `origin` (grid space) along `direction` (grid units per metre), up to `t_end` metres.
// `from`: what the ray leaves at its origin. The ground: upwards, and the origin's z is taken from the patch itself; the
// skirt: outwards, from where `start_from` says; water: the origin is above the ground, or would be but for rounding;
// HIT_NOTHING: it starts anywhere.
// `t_clear`: up to there the ray is known to be above the ground; a hit is the same to the bit as if it were not.
Hit trace_grid(vec3 origin, vec3 direction, float t_end, uint from, float t_clear) {
    bool on_surface = from == HIT_GROUND;
    Hit hit;
    hit.t = t_end;
    hit.kind = HIT_NOTHING;
    ivec2 cells = grid_cells;
    vec2 extent = vec2(cells);

    // A component too small to matter is nudged towards the middle, so that nothing below divides by zero and a ray
    // along the outermost samples stays inside.
    vec2 inward = mix(vec2(1.0), vec2(-1.0), greaterThan(origin.xy, 0.5 * extent));
    direction.xy = mix(direction.xy, inward * 1.0e-12, lessThan(abs(direction.xy), vec2(1.0e-12)));
    vec2 inverse = 1.0 / direction.xy;

    // Clip to the box. Where the ray leaves it through floor or ceiling there is slack for the rounding of its z, so that
    // ground at the lowest or highest elevation is never left unseen.
    float floor_z = HAS_SKIRT ? terrain.base : 0.0;
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
        float t_enter = down ? t_high : HAS_SKIRT ? t_floor : t_low;
        if (!down && t_enter > t) t_side = -1.0;  // it comes up through the base
        t = max(t, t_enter);
        t_exit = min(t_exit, down ? t_low : t_high);
    } else if (origin.z < floor_z - slack || origin.z > 65535.0 + slack) {
        return hit;
    }
    float t_box = t;
    bool cleared = t_clear > t;
    t = max(t, t_clear);
    if (!(t <= t_exit)) return hit;

    if (HAS_SKIRT && !on_surface && !cleared && t > 0.0) {
        vec3 at = origin + direction * t;
        bool from_below = !down && t_floor == t;
        ivec2 cell = clamp(ivec2(floor(at.xy)), ivec2(0), cells - 1);
        Patch p = load_patch(cell);
        vec2 uv = clamp(at.xy - vec2(cell), 0.0, 1.0);
        bool solid = has_ground(p, uv) && (from_below || (t == t_side && at.z < patch_height(p, uv)));
        if (solid || (HAS_FLOOR && from_below)) {
            hit.t = t;
            hit.kind = HIT_SKIRT;
            hit.normal = from_below ? vec3(0.0, 0.0, -1.0) : wall_normal(t_near.x > t_near.y, direction);
            return hit;
        }
    }

    int top = terrain.top_level;
    int level = on_surface ? 0 : WALK_TOGETHER && cleared ? 1 : min(top, FIRST_LEVEL);
    ivec2 node = clamp(ivec2(floor(origin.xy + direction.xy * t)), ivec2(0), cells - 1) + first_cell;
    ivec2 towards = ivec2(greaterThan(direction.xy, vec2(0.0)));  // 1 where the ray moves up that axis
    if (cleared) {  // where the walk from the box would have entered this cell
        vec2 t_entry = (vec2(node - first_cell + 1 - towards) - origin.xy) * inverse;
        t = max(t_box, max(t_entry.x, t_entry.y));
    }
    float side = on_surface || cleared ? 1.0 : 0.0;
    float position_rounding = 4.0e-7 * max(extent.x, extent.y);
    float furthest = max(abs(direction.x), abs(direction.y));
    float t_begin = t, crossing = -1.0;
    bool outside = HAS_HOLES && (from == HIT_SKIRT || t_box > 0.0);  // where it starts there is no ground above it
    bool starting = on_surface;
    bool under_edge = false;
    node >>= level;

    // "While-while" or "if-if" (Aila and Laine 2009, "Understanding the efficiency of ray traversal on GPUs"). A CPU driver
    // runs both sides of every branch, so its rays walk the nodes together until each is at a patch: a quarter faster
    // there. A GPU does better when each turn takes every ray a node or a patch further: a third faster on an H200.
    while (true) {
        while (level > 0) {
            vec2 t_plane = (vec2(((node + towards) << level) - first_cell) - origin.xy) * inverse;
            float t_next = later(earlier(earlier(t_plane.x, t_plane.y), t_exit), t);
            float z = origin.z + direction.z * t, z_next = origin.z + direction.z * t_next;
            uint bounds = imageLoad(pyramid, node).r;
            uint low = bounds & 0xffffu;  // 0 says that a hole is among the cells
            float lowest = float(low), highest = float(bounds >> 16);
            bool above = z > highest && z_next > highest;
            // A ray that was above and meets no hole is above until it hits; below, it has crossed in what rounding hid.
            bool below = side <= 0.0 && (!HAS_HOLES || low > 0u) && z < lowest && z_next < lowest;
            if (HAS_SKIRT && HAS_HOLES && side == 0.0) below = false;  // it may be about to meet a hole's wall
            bool over = above || below;
            float side_over = HAS_HOLES && low == 0u ? 0.0 : above ? 1.0 : -1.0;
            if (!WALK_TOGETHER) {
                if (over) {
                    side = side_over;
                    t = t_next;
                    level = t < t_exit ? step_over(node, level, top, t_plane.x < t_plane.y, towards) : LEFT;
                } else {
                    --level;
                    node = child_at(node, level, origin, inverse, t, towards);
                }
                break;
            }
            // With no branch, both outcomes are worked out while the bounds are on their way: a turn takes as long as its
            // longest chain of results. A GPU is 7 % slower with that (an H200, the whole lit frame).
            ivec2 beside = node;
            int level_beside = step_over(beside, level, top, t_plane.x < t_plane.y, towards);
            ivec2 child = child_at(node, level - 1, origin, inverse, t, towards);
            side = over ? side_over : side;
            level = over ? (t_next < t_exit ? level_beside : LEFT) : level - 1;
            node = over ? beside : child;
            t = over ? t_next : t;
        }
        if (level == LEFT) break;
        if (!WALK_TOGETHER && level > 0) continue;

        ivec2 cell = node - first_cell;
        vec2 t_plane = (vec2(cell + towards) - origin.xy) * inverse;
        float t_next = later(earlier(earlier(t_plane.x, t_plane.y), t_exit), t);
        Patch p = load_patch(cell);
        vec2 uv = (origin.xy - vec2(cell)) + direction.xy * t;
        float t_in = t, t_over = t_next;  // where in this cell it is over ground or under it
        bool bare = false;
        if (HAS_HOLES) {
            float inside = dot(p.within, vec3(uv, 1.0)), more = dot(p.within.xy, direction.xy);
            // What starts on a wall along the diagonal is on it but for rounding, and goes away from it.
            if (HAS_SKIRT && from == HIT_SKIRT && t == t_begin && inside <= position_rounding && more < 0.0) inside = 0.0;
            float t_diagonal = t - inside / (more == 0.0 ? -1.0e-12 : more);
            if (more > 0.0) t_in = clamp(t_diagonal, t, t_next);
            else t_over = clamp(t_diagonal, t, t_next);
            bare = inside <= 0.0 && (more <= 0.0 || t_diagonal >= t_next);
            uv += direction.xy * (t_in - t);
        }
        if (starting && (t_over - t) * furthest <= position_rounding) {
            // The point lies on this cell's edge and the ray leaves it at once: the patch it starts over is the next,
            // unless the terrain ends there.
            under_edge = !bare && direction.z < dot(patch_slopes(p, clamp(uv, 0.0, 1.0)), direction.xy);
            if (HAS_HOLES) starting = (t_next - t) * furthest <= position_rounding;  // or it goes on over a hole
        } else if (bare) {
            starting = false;
        } else {
            if (HAS_HOLES && t_in > t && !starting) side = 0.0;
            float C = origin.z + direction.z * t_in - patch_height(p, uv);
            float B = direction.z - p.a * direction.x - p.b * direction.y
                    - p.c * (uv.x * direction.y + uv.y * direction.x);
            float A = -p.c * direction.x * direction.y;
            if (starting || (HAS_WATER && from == HIT_WATER && t == t_begin && C < 0.0)) {
                origin.z -= C;
                C = 0.0;
                starting = false;
            }
            // It comes out of a hole below the surface of a closed block: that is the hole's wall. What of its first cell
            // is no longer than rounding may be the other side of the wall that it starts at.
            bool enters = HAS_SKIRT && HAS_HOLES && side == 0.0 && C < 0.0 && (outside || t_in > t_begin);
            if (enters && (t_in > t_begin || (t_over - t_in) * furthest > position_rounding)) {
                vec2 t_entry = (vec2(cell + 1 - towards) - origin.xy) * inverse;
                hit.t = t_in;
                hit.kind = HIT_SKIRT;
                hit.normal = t_in > t ? diagonal_normal(p) : wall_normal(t_entry.x > t_entry.y, direction);
                return hit;
            }
            if (side == 0.0 && !enters) side = C < 0.0 ? -1.0 : 1.0;
            float tolerance = 0.02 + position_rounding * (abs(p.a) + abs(p.b) + abs(p.c));
            crossing = first_crossing(A * side, B * side, C * side, t_over - t_in, tolerance);
            if (HAS_HOLES && crossing >= 0.0) crossing += t_in - t;
        }
        if (crossing >= 0.0) break;
        if (HAS_HOLES && t_over < t_next) side = 0.0;
        t = t_next;
        if (t >= t_exit) break;
        level = step_over(node, 0, 0, t_plane.x < t_plane.y, towards);
        if (!starting) {  // the bounds of the next cells cost less than their patches
            level = 1;
            node >>= 1;
        }
    }

    if (crossing >= 0.0) {
        hit.t = t + crossing;
        hit.kind = HIT_GROUND;
        hit.cell = node - first_cell;
        hit.uv = clamp((origin.xy - vec2(hit.cell)) + direction.xy * t + direction.xy * crossing, 0.0, 1.0);
        return hit;
    }
    if (starting && under_edge) {
        hit.t = 0.0;
        hit.kind = HIT_GROUND;
        return hit;
    }
    if (HAS_SKIRT && HAS_FLOOR && down && t_floor > 0.0 && t_floor <= min(t_end, t_out) && side >= 0.0) {
        hit.t = t_floor;  // the base plane, seen through a hole
        hit.kind = HIT_SKIRT;
        hit.normal = vec3(0.0, 0.0, 1.0);
    }
    return hit;
}

Hit trace_grid(vec3 origin, vec3 direction, float t_end, uint from) {
    return trace_grid(origin, direction, t_end, from, 0.0);
}

// Whether anything stands between a surface point and `metres` away. `grid` is where `start_from` says, `kind` what it lies
// on, `direction` a unit vector in the world that leaves the surface.
bool occluded(vec3 grid, uint kind, vec3 direction, float metres) {
    uint from = HAS_SKIRT || HAS_WATER ? kind : HIT_GROUND;
    return trace_grid(grid, direction * grid_scale, metres, from).kind != HIT_NOTHING;
}

vec3 ground_normal(ivec2 cell, vec2 uv) {
    return normal_from_slopes(patch_slopes(load_patch(cell), uv));
}

// The slope between two samples on either side of `here`: a central difference, one-sided at the border (where the
// sampler gives `here` again, so `edge` doubles it) and beside a hole.
vec4 central_differences(vec4 before, vec4 here, vec4 after, vec4 edge) {
    if (!HAS_HOLES) return (after - before) * (0.5 * edge);
    bvec4 no_before = lessThan(before, vec4(HOLE_BELOW * height_scale));
    bvec4 no_after = lessThan(after, vec4(HOLE_BELOW * height_scale));
    vec4 weight = mix(0.5 * edge, vec4(1.0), max(vec4(no_before), vec4(no_after)));
    return (mix(after, here, no_after) - mix(before, here, no_before)) * weight;
}

// A cell's patch, its four samples (upper left, upper right, lower left, lower right; a lone missing one is put onto the plane of
// the others), and their slopes by central differences.
void corner_slopes(ivec2 cell, out Patch p, out vec4 here, out vec4 slope_x, out vec4 slope_y) {
    // The 4 x 4 samples around the cell by four gathers; components w z / x y lie as upper left, upper right / lower ...
    vec2 texel = 1.0 / vec2(grid_cells + 1), corner = vec2(cell + 1);
    vec4 a = grid_height(textureGather(heights, (corner + vec2(-1.0, -1.0)) * texel));
    vec4 b = grid_height(textureGather(heights, (corner + vec2(1.0, -1.0)) * texel));
    vec4 c = grid_height(textureGather(heights, (corner + vec2(-1.0, 1.0)) * texel));
    vec4 d = grid_height(textureGather(heights, (corner + vec2(1.0, 1.0)) * texel));
    here = vec4(a.y, b.x, c.z, d.w);  // upper left, upper right, lower left, lower right
    p = make_patch(here.x, here.y, here.z, here.w);
    if (HAS_HOLES) {
        bvec4 missing = lessThan(here, vec4(HOLE_BELOW * height_scale));
        here = mix(here, p.h00 + vec4(0.0, p.a, p.b, p.a + p.b + p.c), missing);
    }
    bvec2 first = equal(cell, ivec2(0)), last = equal(cell, grid_cells - 1);
    vec2 at_first = 1.0 + vec2(first), at_last = 1.0 + vec2(last);
    slope_x = central_differences(
        vec4(a.x, a.y, c.w, c.z), here, vec4(b.x, b.y, d.w, d.z), vec4(at_first.x, at_last.x, at_first.x, at_last.x));
    slope_y = central_differences(
        vec4(a.z, b.w, a.y, b.x), here, vec4(c.z, d.w, c.y, d.x), vec4(at_first.y, at_first.y, at_last.y, at_last.y));
}

// The shading normal: the slopes of the four samples, interpolated over the cell. The samples around have the cell's own
// among them, so its patch comes with them.
vec3 shading_normal(ivec2 cell, vec2 uv, out Patch p) {
    vec4 here, slope_x, slope_y;
    corner_slopes(cell, p, here, slope_x, slope_y);
    vec4 weights = vec4((1.0 - uv.x) * (1.0 - uv.y), uv.x * (1.0 - uv.y), (1.0 - uv.x) * uv.y, uv.x * uv.y);
    return normal_from_slopes(vec2(dot(slope_x, weights), dot(slope_y, weights)));
}

#endif
