// One order of scattering, its first half: the radiance that arrives at each place from each direction.
//
// Bindings (set 0):
//   20  atmosphere       readonly buffer      see include/air.glsl
//   21  optical_depths   sampler2D            see include/transmittance.glsl
//   22  scattered        sampler2D            what the order before scatters on; see include/scattered.glsl
//   23  arriving         writeonly rgba32f    by the sun's cosine and azimuth, and by altitude and cosine; below it, for the
//                                             first order, light that aerosols scatter first, without the phase function
//       order            push constants       azimuths looked at
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/scattered.glsl"
#include "include/arriving.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 20) const bool FIRST = false;  // the sun's own light is scattered; else what was scattered before

layout(set = 0, binding = 23, rgba32f) writeonly uniform image2D arriving;
layout(push_constant, scalar) uniform Order { int azimuths; } order;

const int STEPS = 16;

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (at.x >= PLACES.x * order.azimuths || at.y >= PLACES.y * COSINES) return;
    vec2 x = vec2(at.x % PLACES.x, at.y / COSINES) / vec2(PLACES - 1);
    float altitude = AIR.thickness * x.y * x.y * x.y, mu_sun = place_mu_sun(x.x);
    Look look = look_from(altitude, at.y % COSINES, order.azimuths);
    float azimuth = (float(at.x / PLACES.x) + 0.5) * PI / float(order.azimuths);
    float across = look.sine * sqrt(max(1.0 - mu_sun * mu_sun, 0.0));
    SkyRay ray = SkyRay(altitude, look.mu, mu_sun, look.mu * mu_sun + across * cos(azimuth));
    float reach = look.below ? to_ground(altitude, look.mu) : to_top(altitude, look.mu);
    Gathered g = nothing_gathered();
    float from = 0.0, halo_at = halo_row(ray.nu);
    for (int i = 0; i < STEPS; ++i) {
        float to = step_end(ray, reach, i, STEPS);
        SkyRay at = walk(ray, 0.5 * (from + to));
        gather(g, at, to - from, FIRST ? nothing_again() : scattered_again(at, halo_at), FIRST);
        from = to;
    }
    if (look.below) g.smooth_part += g.left * ground_radiance(walk(ray, reach).mu_sun, FIRST, !FIRST);
    imageStore(arriving, at, vec4(g.smooth_part, 0.0));
    if (FIRST) imageStore(arriving, at + ivec2(0, PLACES.y * COSINES), vec4(g.mie, 0.0));
}
