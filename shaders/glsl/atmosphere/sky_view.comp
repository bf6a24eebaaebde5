// What is seen from the two eyes: the sky by direction (H section 5.3) and, from the camera's, the air between it and anything
// by direction and distance (section 5.4).
//
// Bindings (set 0):
//   20  atmosphere       readonly buffer      see include/air.glsl
//   21  optical_depths   sampler2D            see include/transmittance.glsl
//   22  scattered        sampler2D            see include/scattered.glsl
//   23  sky_view         writeonly rgba32f    see include/sight.glsl
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/scattered.glsl"
#include "include/sight.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 20) const bool HAZE = false;  // the air between; else the sky

layout(set = 0, binding = 23, rgba32f) writeonly uniform image2D sky_view;

const int STEPS = 32;  // for the sky
const int APART = 4;   // in steps: what was scattered before changes less along a ray than the air does, and costs most

// Where step number i along a ray ends.
float end_of(int i, SkyRay ray, float reach, bool below) {
    return HAZE ? reach * slice_distance(float(i) / float(SLICES - 1), below) : step_end(ray, reach, i, STEPS);
}

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    int rows = HAZE ? HAZE_ROWS : SKY_ROWS, steps = HAZE ? SLICES : STEPS;
    if (at.x >= AZIMUTHS || at.y >= (HAZE ? 1 : 2) * rows) return;
    int eye = HAZE || at.y >= rows ? CAMERA_EYE : GROUND_EYE, row = at.y % rows;
    // As a bound of loops: a CPU driver executes the rest of a branch that nobody takes.
    if (!HAZE && eye == GROUND_EYE && AIR.ground_seen == 1u) steps = 0;
    bool below = row < rows / 2;
    float angle = float(row % (rows / 2)) / float(rows / 2 - 1);
    SkyRay ray = ray_of(AIR.eyes[eye], float(at.x) / float(AZIMUTHS - 1), angle, below);
    float begin, reach;
    way_through_air(ray, below, begin, reach);
    ray = walk(ray, begin);
    ray.altitude = min(ray.altitude, AIR.thickness);

    Gathered g = nothing_gathered();
    float from = 0.0, halo_at = halo_row(ray.nu), phase = rayleigh_phase(ray.nu);
    Again again_before = scattered_again(ray, halo_at);
    for (int i = 0; i < steps; i += APART) {
        float begins = from, ends = end_of(i + APART - 1, ray, reach, below);
        Again again_after = scattered_again(walk(ray, ends), halo_at);
        for (int k = i; k < i + APART; ++k) {
            float to = end_of(k, ray, reach, below), middle = 0.5 * (from + to);
            Again again = between(again_before, again_after, (middle - begins) / max(ends - begins, 1.0e-3));
            gather(g, walk(ray, middle), to - from, again, true);
            from = to;
            if (HAZE) {
                ivec2 texel = ivec2(at.x, 2 * SKY_ROWS + k * HAZE_ROWS + row);
                imageStore(sky_view, texel, vec4(g.smooth_part / phase, 0.0));
                imageStore(sky_view, texel + ivec2(AZIMUTHS, 0), vec4(g.mie, 0.0));
            }
        }
        again_before = again_after;
    }
    if (HAZE || steps == 0) return;
    if (below) g.smooth_part += g.left * ground_radiance(walk(ray, reach).mu_sun, true, true);
    imageStore(sky_view, at, vec4(g.smooth_part / phase, 0.0));
    imageStore(sky_view, at + ivec2(AZIMUTHS, 0), vec4(g.mie, 0.0));
}
