// One order of scattering, its second half: what molecules and aerosols scatter on of the light that arrives at each place,
// and its irradiance from above.
//
// Bindings (set 0):
//   20  atmosphere       readonly buffer      see include/air.glsl
//   22  before           sampler2D            what the order before scattered on, for the last order's series
//   23  arriving         sampler2D            see atmosphere/arriving.comp
//   24  on               writeonly rgba32f    what this order scatters on; see include/scattered.glsl
//   25  all_orders       rgba32f              the sum of them
//       order            push constants       whether it is the last, and the azimuths looked at
//
// Where Hillaire sums a geometric series from the second order on (eqs. 5 to 10), the last order here is followed by such a
// series, with the ratio of the last two orders.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/places.glsl"
#include "include/arriving.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 20) const bool FIRST = false;  // the first order, of which aerosols' part comes apart

layout(set = 0, binding = 22) uniform sampler2D before;
layout(set = 0, binding = 23) uniform sampler2D arriving;
layout(set = 0, binding = 24, rgba32f) writeonly uniform image2D on;
layout(set = 0, binding = 25, rgba32f) uniform image2D all_orders;
layout(push_constant, scalar) uniform Order { int last; int azimuths; } order;

const int DEGREES = 64;
// One over the integral of each harmonic's square over the sphere.
const float NORMS[4] = float[](1.0, 5.0, 15.0, 15.0);

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

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (at.x >= PLACES.x || at.y >= SCATTERED_ROWS) return;
    int k = at.y / PLACES.y;
    ivec2 place = ivec2(at.x, at.y % PLACES.y);
    vec2 x = vec2(place) / vec2(PLACES - 1);
    float altitude = AIR.thickness * x.y * x.y * x.y, mu_sun = place_mu_sun(x.x);
    float sun_sine = sqrt(max(1.0 - mu_sun * mu_sun, 0.0));
    bool for_aerosols = k >= MOMENTS;

    // The direction about the sun in which aerosols scatter.
    float angle = halo_angle((k - MOMENTS) / HALO_SIZE.x);
    float turn = 2.0 * float((k - MOMENTS) % HALO_SIZE.x) / float(HALO_SIZE.x - 1) - 1.0;
    vec3 away = vec3(-turn * mu_sun, sqrt(max(1.0 - turn * turn, 0.0)), turn * sun_sine);
    vec3 toward = cos(angle) * vec3(sun_sine, 0.0, mu_sun) + sin(angle) * away;

    // Moments are integrals over the directions. Of aerosols it is a mean weighted by the phase function, which is narrower
    // than the directions are apart; in the first order a second function is as narrow, and the integral of their product
    // is known.
    vec3 integral = vec3(0.0), brightness = vec3(0.0);
    vec4 mean = vec4(0.0, 0.0, 0.0, 1.0e-30), peaked = mean;
    int cosines = for_aerosols && !has_aerosols(altitude) || at.x == 0 ? 0 : COSINES;  // the darkest column is that of all night
    float phase = mie_phase(0.0) / mie_weight(0.0), step = PI / float(order.azimuths);
    vec2 turn_by = vec2(cos(step), sin(step)), half_turn = vec2(cos(0.5 * step), sin(0.5 * step));
    for (int node = 0; node < cosines; ++node) {
        Look look = look_from(altitude, node, order.azimuths);
        ivec2 from = ivec2(place.x, place.y * COSINES + node);
        vec2 around = half_turn;  // cosine and sine of the azimuth
        for (int i = 0; i < order.azimuths; ++i, from.x += PLACES.x) {
            vec2 flat_part = look.sine * around;
            around = vec2(around.x * turn_by.x - around.y * turn_by.y, around.x * turn_by.y + around.y * turn_by.x);
            vec3 light = texelFetch(arriving, from, 0).rgb * look.solid_angle, glare = vec3(0.0);
            float glare_weight = 0.0;
            if (FIRST) {
                glare_weight = mie_weight(look.mu * mu_sun + flat_part.x * sun_sine) * phase * look.solid_angle;
                glare = texelFetch(arriving, from + ivec2(0, PLACES.y * COSINES), 0).rgb * glare_weight;
            }
            brightness += light + glare;
            if (for_aerosols) {
                float in_plane = flat_part.x * toward.x + look.mu * toward.z, across = flat_part.y * toward.y;
                float weight = mie_weight(in_plane + across) + mie_weight(in_plane - across);
                mean += vec4(light, look.solid_angle) * weight;
                peaked += vec4(glare, glare_weight) * weight;
            } else {
                integral += (light + glare) * (k == MOMENTS - 1 ? max(look.mu, 0.0) : harmonic(k, flat_part.x, look.mu));
            }
        }
    }
    if (for_aerosols) {
        integral = mean.rgb / mean.w;
        if (FIRST) integral += mie_phase_twice(cos(angle)) * peaked.rgb / peaked.w;
    } else if (k < MOMENTS - 1) {
        integral *= NORMS[k] / (4.0 * PI);
    }
    vec3 total = integral;
    if (order.last == 1) {
        vec3 ratio = clamp(brightness / (4.0 * PI) / max(texelFetch(before, place, 0).rgb, 1.0e-30), 0.0, 0.9);
        total /= 1.0 - ratio;
    }
    if (!FIRST) total += imageLoad(all_orders, at).rgb;
    imageStore(on, at, vec4(integral, 0.0));
    imageStore(all_orders, at, vec4(total, 0.0));
}
