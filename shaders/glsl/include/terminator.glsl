// Light that grazes coarse ground: where the smooth ground that its shading normals tell of still faces a light and the
// patch, a facet of it, does not.
//
// Bindings (set 0): those of heightfield.glsl.
//
// From such a patch a ray to the light would meet the patch itself, and light would end in steps, cell by cell, before it
// has faded. So the ray starts from the smooth ground, as Hanika 2021, "Hacking the Shadow Terminator" (Ray Tracing Gems II,
// chapter 4), lifts points onto the tangent planes of a triangle's vertices. Of a parabola's chord the mean of the planes at
// its ends stands twice as high as the parabola, so half of it is the smooth ground, to the third order in the size of a cell.
// A ray that leaves a parabola from there meets none of its chords. Wherever a patch faces the light, what other ground casts
// on it is as it was.
#ifndef VKFORGE_TERMINATOR_GLSL
#define VKFORGE_TERMINATOR_GLSL

#include "include/heightfield.glsl"

const float LEAST_BULGE = 0.05;  // in grid z: less may be rounding, of ground that is even

// How far the smooth ground stands above a cell's patch, in grid z.
float bulge(ivec2 cell, vec2 uv) {
    Patch p;
    vec4 here, slope_x, slope_y;
    corner_slopes(cell, p, here, slope_x, slope_y);
    vec4 u = uv.x - vec4(0.0, 1.0, 0.0, 1.0), v = uv.y - vec4(0.0, 0.0, 1.0, 1.0);
    vec4 weights = (1.0 - abs(u)) * (1.0 - abs(v));
    vec4 above = here + slope_x * u + slope_y * v - dot(weights, here);
    return 0.5 * dot(weights, max(above, 0.0));
}

// Whether all of a patch faces a light: a bilinear one, which is twisted, may be in the way of itself.
bool faces_light(Patch p, vec3 l) {
    vec3 along = l * grid_scale;
    vec2 least = vec2(p.a, p.b), most = least + p.c;
    vec2 rise = max(least * along.xy, most * along.xy);
    return along.z > rise.x + rise.y;
}

// How far above its patch, in grid z, a ray to a light starts that the shading normal `n` faces; 0 where it starts on it.
float terminator_lift(Patch p, ivec2 cell, vec2 uv, vec3 n, vec3 l) {
    if (!has_ground(p, uv) || dot(n, l) <= 0.0 || faces_light(p, l)) return 0.0;
    float lift = bulge(cell, uv);
    return lift > LEAST_BULGE ? lift : 0.0;
}

// Likewise from a point of the ground in grid space, for a light along `l` that it is asked of whether anything is between.
Hit trace_to_light(vec3 grid, uint kind, vec3 n, vec3 l, float reach) {
    uint from = HAS_SKIRT || HAS_WATER ? kind : HIT_GROUND;  // there is nothing else: the compiler may know
    if (from == HIT_GROUND && dot(n, l) > 0.0) {
        ivec2 cell = clamp(ivec2(floor(grid.xy)), ivec2(0), grid_cells - 1);
        vec2 uv = clamp(grid.xy - vec2(cell), 0.0, 1.0);
        Patch p = load_patch(cell);
        float lift = terminator_lift(p, cell, uv, n, l);
        if (lift > 0.0) {
            grid.z = patch_height(p, uv) + lift;
            from = HIT_NOTHING;
        }
    }
    return trace_grid(grid, l * grid_scale, reach, from);
}

#endif
