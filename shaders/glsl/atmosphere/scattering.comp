// One order of scattering: the moments of the radiance that arrives at each place, and its irradiance from above.
//
// Bindings (set 0):
//   20  sky_tables   buffer           see include/atmosphere.glsl
//       order        push constants   which order, from 1, and whether it is the last
//
// A work group is a place; each of its invocations looks in one direction: 8 azimuths by 8 Gauss-Legendre cosines on
// either side of the horizon. Where Hillaire sums a geometric series from the second order on (eqs. 5 to 10), the last
// order here is followed by such a series, with the ratio of the last two orders.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#define SKY_TABLES_ACCESS
#include "include/atmosphere.glsl"

const int AZIMUTHS = 8, COSINES = 16, DIRECTIONS = AZIMUTHS * COSINES;

layout(local_size_x = DIRECTIONS) in;

layout(push_constant, scalar) uniform Order { int number; int last; } order;

const int STEPS = 12;
// One over the integral of each harmonic's square over the sphere.
const float NORMS[6] = float[](1.0, 3.0, 3.0, 5.0, 15.0, 15.0);

shared vec3 arrived[DIRECTIONS];  // radiance times solid angle
shared vec2 looked[DIRECTIONS];   // its direction, as `harmonic` wants it

void main() {
    ivec2 cell = ivec2(gl_WorkGroupID.xy);
    int lane = int(gl_LocalInvocationID.x);
    vec2 x = vec2(cell) / vec2(MOMENTS_SIZE - 1);
    float altitude = AIR.thickness * x.y * x.y, mu_sun = moments_mu_sun(x.x);
    float mu_horizon = -tangent(altitude) / radius(altitude);

    int node = lane % COSINES;
    bool below = node < COSINES / 2;
    int i = node % (COSINES / 2);
    float range = below ? 1.0 + mu_horizon : 1.0 - mu_horizon;
    float mu = mu_horizon + (below ? -range : range) * gauss_node(i);
    float azimuth = (float(lane / COSINES) + 0.5) * PI / float(AZIMUTHS);
    float flat_part = sqrt(max(1.0 - mu * mu, 0.0)) * cos(azimuth);
    float nu = mu * mu_sun + flat_part * sqrt(1.0 - mu_sun * mu_sun);

    SkyRay ray = SkyRay(altitude, mu, mu_sun, nu);
    float reach = below ? to_ground(altitude, mu) : to_top(altitude, mu);
    bool first = order.number == 1;
    int before = first ? -1 : order.number & 1;  // the order before lies in the other table
    Gathered g = march(ray, reach, STEPS, first, before);
    vec3 light = g.smooth_part + g.mie * mie_phase(nu);
    if (below) light += exp(-g.depth) * ground_radiance(walk(ray, reach).mu_sun, first, before);
    float solid_angle = gauss_weight(i) * range * 2.0 * PI / float(AZIMUTHS);  // and its mirror image's
    arrived[lane] = light * solid_angle;
    looked[lane] = vec2(flat_part, mu);
    barrier();

    if (lane >= MOMENTS) return;
    vec3 sum = vec3(0.0);
    for (int k = 0; k < DIRECTIONS; ++k) {
        vec2 d = looked[k];
        sum += arrived[k] * (lane == 6 ? max(d.y, 0.0) : harmonic(lane, d.x, d.y));
    }
    if (lane < 6) sum *= NORMS[lane] / (4.0 * PI);
    int here = moments_at(1 - (order.number & 1), cell) + lane, all = moments_at(ALL_ORDERS, cell) + lane;
    vec3 total = first ? sum : texel(all) + sum;
    if (order.last == 1) {
        int previous = moments_at(before, cell);
        vec3 brightness = vec3(0.0);
        for (int k = 0; k < DIRECTIONS; ++k) brightness += arrived[k];
        vec3 ratio = clamp(brightness / (4.0 * PI) / max(texel(previous), 1.0e-30), 0.0, 0.9);
        total += sum * ratio / (1.0 - ratio);
    }
    if (cell.x == 0) sum = total = vec3(0.0);  // the darkest column stands for the rest of the night
    sky_tables.texels[here] = vec4(sum, 0.0);
    sky_tables.texels[all] = vec4(total, 0.0);
}
