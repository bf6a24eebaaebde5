// One order of scattering: what molecules and aerosols scatter on at each place, and its irradiance from above.
//
// Bindings (set 0):
//   20  sky_tables   buffer           see include/atmosphere.glsl
//       order        push constants   which order, from 1, and whether it is the last
//
// A work group is a place; each of its invocations looks in one direction: 8 azimuths by 8 Gauss-Legendre cosines on
// either side of the horizon, and then sums what aerosols scatter in one direction about the sun. Where Hillaire sums a
// geometric series from the second order on (eqs. 5 to 10), the last order here is followed by such a series, with the
// ratio of the last two orders.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#define SKY_TABLES_ACCESS
#include "include/atmosphere.glsl"

const int AZIMUTHS = 8, COSINES = 16, DIRECTIONS = AZIMUTHS * COSINES;  // as many as the halo has, HALO_SIZE

layout(local_size_x = DIRECTIONS) in;

layout(push_constant, scalar) uniform Order { int number; int last; } order;

const int STEPS = 16;
const int DEGREES = 64;
const float CLEAR = 10.0;  // scale heights over which there are no aerosols to speak of
// One over the integral of each harmonic's square over the sphere.
const float NORMS[4] = float[](1.0, 5.0, 15.0, 15.0);

shared vec3 arrived[DIRECTIONS];  // radiance times solid angle, less that of `glare`
shared vec4 glare[DIRECTIONS];    // likewise, of light that aerosols scattered first; w is that phase function's weight
shared vec4 looked[DIRECTIONS];   // the direction, from the sun's azimuth; w is the solid angle

// The phase function of two scatterings by aerosols: the squares of their Legendre moments. As (1 + nu^2) times Henyey
// and Greenstein's, whose moments are g^l, they have these, by the recurrence for nu P_l.
float mie_phase_twice(float nu) {
    float g = AIR.mie_anisotropy, g2 = g * g, sum = 0.0;
    float p = 1.0, p_before = 0.0, power = 1.0, power_before = 0.0;  // P_l, g^l and, two degrees before, g^(l - 2)
    float power_between = 0.0;
    for (int i = 0; i < DEGREES; ++i) {
        float l = float(i), n = 2.0 * l + 1.0;
        float same = (2.0 * l * (l + 1.0) - 1.0) / ((n - 2.0) * (n + 2.0));
        float up = (l + 1.0) * (l + 2.0) / (n * (n + 2.0)), down = l * (l - 1.0) / (n * (n - 2.0));
        float m = 1.5 / (2.0 + g2) * (power * (1.0 + same + up * g2) + power_before * down);
        sum += n * m * m * p;
        float p_next = (n * nu * p - l * p_before) / (l + 1.0);
        p_before = p;
        p = p_next;
        power_before = power_between;
        power_between = power;
        power *= g;
    }
    return max(sum, 0.0) / (4.0 * PI);
}

// Cornette and Shanks' phase function up to a factor.
float mie_weight(float nu) {
    float g = AIR.mie_anisotropy, r = inversesqrt(max(1.0 + g * g - 2.0 * g * nu, 1.0e-6));
    return (1.0 + nu * nu) * (r * r * r);
}

// Adds to the tables; `ratio` is that of the series that follows.
void keep(ivec2 cell, int k, vec3 sum, vec3 ratio) {
    int here = moments_at(1 - (order.number & 1), cell) + k, all = moments_at(ALL_ORDERS, cell) + k;
    vec3 total = (order.number == 1 ? vec3(0.0) : texel(all)) + sum / (1.0 - ratio);
    if (cell.x == 0) sum = total = vec3(0.0);  // the darkest column stands for the rest of the night
    sky_tables.texels[here] = vec4(sum, 0.0);
    sky_tables.texels[all] = vec4(total, 0.0);
}

void main() {
    ivec2 cell = ivec2(gl_WorkGroupID.xy);
    int lane = int(gl_LocalInvocationID.x);
    vec2 x = vec2(cell) / vec2(MOMENTS_SIZE - 1);
    float altitude = AIR.thickness * x.y * x.y * x.y, mu_sun = moments_mu_sun(x.x);
    float sun_sine = sqrt(max(1.0 - mu_sun * mu_sun, 0.0));
    float mu_horizon = -tangent(altitude) / radius(altitude);

    int node = lane % COSINES;
    bool below = node < COSINES / 2;
    int i = node % (COSINES / 2);
    float range = below ? 1.0 + mu_horizon : 1.0 - mu_horizon;
    float mu = mu_horizon + (below ? -range : range) * gauss_node(i);
    float azimuth = (float(lane / COSINES) + 0.5) * PI / float(AZIMUTHS);
    vec2 flat_part = sqrt(max(1.0 - mu * mu, 0.0)) * vec2(cos(azimuth), sin(azimuth));
    float nu = mu * mu_sun + flat_part.x * sun_sine;

    SkyRay ray = SkyRay(altitude, mu, mu_sun, nu);
    float reach = below ? to_ground(altitude, mu) : to_top(altitude, mu);
    bool first = order.number == 1;
    int before = first ? -1 : order.number & 1;  // the order before lies in the other table
    Gathered g = march(ray, reach, STEPS, first, before);
    if (below) g.smooth_part += exp(-g.depth) * ground_radiance(walk(ray, reach).mu_sun, first, before);
    float solid_angle = gauss_weight(i) * range * 2.0 * PI / float(AZIMUTHS);  // and its mirror image's
    arrived[lane] = g.smooth_part * solid_angle;
    glare[lane] = vec4(g.mie, 1.0) * (mie_phase(nu) * solid_angle);
    looked[lane] = vec4(flat_part, mu, solid_angle);
    barrier();

    vec3 ratio = vec3(0.0);
    if (order.last == 1) {
        vec3 brightness = vec3(0.0);
        for (int k = 0; k < DIRECTIONS; ++k) brightness += arrived[k] + glare[k].rgb;
        ratio = clamp(brightness / (4.0 * PI) / max(texel(moments_at(before, cell)), 1.0e-30), 0.0, 0.9);
    }
    if (lane < MOMENTS) {
        bool irradiance = lane == MOMENTS - 1;
        vec3 sum = vec3(0.0);
        for (int k = 0; k < DIRECTIONS; ++k) {
            vec4 d = looked[k];
            sum += (arrived[k] + glare[k].rgb) * (irradiance ? max(d.z, 0.0) : harmonic(lane, d.x, d.z));
        }
        keep(cell, lane, irradiance ? sum : sum * NORMS[lane] / (4.0 * PI), ratio);
    }

    // Means weighted by the phase function, which is narrower than the directions are apart. In the first order a second
    // function is as narrow; the integral of their product is known.
    float angle = halo_angle(lane / HALO_SIZE.x);
    float turn = 2.0 * float(lane % HALO_SIZE.x) / float(HALO_SIZE.x - 1) - 1.0;
    vec3 away = vec3(-turn * mu_sun, sqrt(max(1.0 - turn * turn, 0.0)), turn * sun_sine);
    vec3 toward = cos(angle) * vec3(sun_sine, 0.0, mu_sun) + sin(angle) * away;
    vec4 sum = vec4(0.0, 0.0, 0.0, 1.0e-30), peaked = sum;
    int count = altitude < CLEAR * AIR.mie_height ? DIRECTIONS : 0;
    for (int k = 0; k < count; ++k) {
        vec4 d = looked[k];
        float in_plane = d.x * toward.x + d.z * toward.z, across = d.y * toward.y;
        float weight = mie_weight(in_plane + across) + mie_weight(in_plane - across);
        sum += vec4(arrived[k], d.w) * weight;
        if (first) peaked += glare[k] * weight;
    }
    vec3 source = sum.rgb / sum.w;
    if (first) source += mie_phase_twice(cos(angle)) * peaked.rgb / peaked.w;
    keep(cell, MOMENTS + lane, source, ratio);
}
