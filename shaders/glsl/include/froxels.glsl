// The froxels: columns along camera rays, cut into slices by distance, that hold what fog adds and takes away.
//
// Bindings (set 0): those of frame.glsl, and
//   33  volume   readonly buffer   (for the reason in terrain.glsl)
//
// Column (x, y) looks through the pixel coordinate ((x, y) - 1 + jitter) * tile: one column more than the picture needs
// on every side, and the grid shifts with the jitter of the samples, so that their mean is a tent filter and shows no
// grid. The first APPROACH slices share the way from the eye to where the scene begins; the last reaches from where it
// ends to infinity; those between grow exponentially. In images they lie side by side, `across` of them in a row.
#ifndef VKFORGE_FROXELS_GLSL
#define VKFORGE_FROXELS_GLSL

#include "include/frame.glsl"

const int APPROACH = 4;

layout(set = 0, binding = 33, scalar) readonly buffer Volume {
    ivec2 columns;
    int slices;
    int across;
    int tile;     // pixels a column
    float near;   // metres along the ray at which the scene begins
    float far;    // and ends
    float rate;   // logarithm of the growth from the first of those between to the last
} volume;

ivec2 froxel_texel(ivec2 column, int slice) {
    return ivec2(slice % volume.across, slice / volume.across) * volume.columns + column;
}

// The pixel coordinate of a column's ray, and the other way.
vec2 froxel_pixel(ivec2 column) { return (vec2(column) - 1.0 + frame.jitter) * float(volume.tile); }
vec2 froxel_column(vec2 pixel) { return pixel / float(volume.tile) + 1.0 - frame.jitter; }

// Where slice `i` begins; that of the slice behind the last is infinite.
float slice_start(int i) {
    if (i < APPROACH) return volume.near * (float(i) / float(APPROACH));
    if (i == volume.slices) return 1.0e30;
    float share = float(i - APPROACH) / float(volume.slices - 1 - APPROACH);
    return volume.near + (volume.far - volume.near) * ((exp(volume.rate * share) - 1.0) / (exp(volume.rate) - 1.0));
}

int slice_at(float t) {
    if (t < volume.near) return min(int(t / volume.near * float(APPROACH)), APPROACH - 1);
    float share = log(1.0 + (t - volume.near) / (volume.far - volume.near) * (exp(volume.rate) - 1.0)) / volume.rate;
    return clamp(APPROACH + int(share * float(volume.slices - 1 - APPROACH)), APPROACH, volume.slices - 1);
}

// 1 - exp(-x), also of small x.
vec3 one_minus_exp(vec3 x) {
    return mix(1.0 - exp(-x), x * (1.0 - x * (0.5 - x / 6.0)), lessThan(x, vec3(0.01)));
}

#endif
