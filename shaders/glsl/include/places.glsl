// The places at which it is known what is scattered again, and what is known there.
//
// Bindings (set 0): that of air.glsl.
//
// A column of the table is a cosine of the sun's zenith angle; its rows are one number at all altitudes, then the next.
#ifndef VKFORGE_PLACES_GLSL
#define VKFORGE_PLACES_GLSL

#include "include/air.glsl"

const ivec2 PLACES = ivec2(48, 16);         // sun's cosine, altitude
const int MOMENTS = 5;                      // four of the radiance, and the irradiance from above
const ivec2 HALO_SIZE = ivec2(8, 16);       // of aerosols' source: direction about the sun, angle from the sun
const int SCATTERED_ROWS = (MOMENTS + HALO_SIZE.x * HALO_SIZE.y) * PLACES.y;  // all altitudes of the first, of the second, ...

// Sun's cosines: even steps of 0.7 degrees in the night, where light falls off fast, and by day squares, which are dense
// at the horizon. Altitudes are cubes, dense at the ground, where aerosols are.
const float NIGHT = 20.0 / 47.0;   // the share of a row that has the sun below the horizontal
const float DARKEST = -0.25;

float place_mu_sun(float x) {
    float day = max(x - NIGHT, 0.0) / (1.0 - NIGHT);
    return x < NIGHT ? DARKEST * (1.0 - x / NIGHT) : day * day;
}

// Real spherical harmonics of degrees 0 and 2 that are even across the sun's vertical plane, up to factors that the
// moments carry; z is the cosine with the vertical, x that with the sun's horizontal direction.
float harmonic(int k, float x, float z) {
    return k == 0 ? 1.0 : k == 1 ? 1.5 * z * z - 0.5 : k == 2 ? x * z : x * x + 0.5 * z * z - 0.5;
}

// Rows of the halo's table are dense at the sun, where light falls off fast: angles over pi are their powers of 1.5.
float halo_angle(int row) { return PI * pow(float(row) / float(HALO_SIZE.y - 1), 1.5); }
float halo_row(float nu) {
    return pow(max(acos(clamp(nu, -1.0, 1.0)), 0.0) / PI, 2.0 / 3.0) * float(HALO_SIZE.y - 1);
}

#endif
