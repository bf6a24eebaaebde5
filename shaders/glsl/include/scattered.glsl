// Light that was scattered before, and marches along rays that gather it: for the passes that make a sky's tables.
//
// Bindings (set 0): those of air.glsl and transmittance.glsl, and
//   22  scattered   sampler2D   what molecules and aerosols scatter again, by place; see places.glsl
//
// Two things differ from H. Light scattered more than once is not taken for isotropic: the table holds, order after order,
// what molecules and what aerosols scatter again. For molecules that is the radiance that arrives at a place in spherical
// harmonics of degrees 0 and 2, all that their phase function lets through (Funk-Hecke); for aerosols, whose forward peak
// would need dozens of degrees, it is their source itself (as in Bruneton and Neyret 2008) by direction about the sun, where
// it is peaked. And aerosols' first scattering is kept apart from the rest, without its phase function, so that no table has
// to resolve the halo around the sun. All is for a sun of irradiance 1.
#ifndef VKFORGE_SCATTERED_GLSL
#define VKFORGE_SCATTERED_GLSL

#include "include/places.glsl"
#include "include/transmittance.glsl"

layout(set = 0, binding = 22) uniform sampler2D scattered;

struct Blend {
    ivec2 low;
    vec4 weight;
};

Blend places_about(float altitude, float mu_sun) {
    float x = mu_sun < 0.0 ? NIGHT * (1.0 - mu_sun / DARKEST) : NIGHT + (1.0 - NIGHT) * sqrt(mu_sun);
    vec2 at = vec2(x, pow(max(altitude, 0.0) / AIR.thickness, 1.0 / 3.0));
    at = clamp(at, 0.0, 1.0) * vec2(PLACES - 1);
    Blend b;
    b.low = min(ivec2(at), PLACES - 2);
    vec2 f = at - vec2(b.low);
    b.weight = vec4((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
    return b;
}

// Number k of what is known of a place.
vec3 moment(Blend b, int k) {
    ivec2 at = b.low + ivec2(0, k * PLACES.y);
    return b.weight.x * texelFetch(scattered, at, 0).rgb + b.weight.y * texelFetch(scattered, at + ivec2(1, 0), 0).rgb
         + b.weight.z * texelFetch(scattered, at + ivec2(0, 1), 0).rgb + b.weight.w * texelFetch(scattered, at + 1, 0).rgb;
}

// What is scattered again towards the eye, for air of density 1.
struct Again {
    vec3 by_molecules;
    vec3 by_aerosols;
};

Again nothing_again() { return Again(vec3(0.0), vec3(0.0)); }

Again between(Again a, Again b, float x) {
    return Again(mix(a.by_molecules, b.by_molecules, x), mix(a.by_aerosols, b.by_aerosols, x));
}

// At a place of the ray; `row` is its halo_row, where its angle to the sun lies in the halo's table.
Again scattered_again(SkyRay at, float row) {
    Blend b = places_about(at.altitude, at.mu_sun);
    float sun_sine = sqrt(max(1.0 - at.mu_sun * at.mu_sun, 1.0e-6)), sine = sqrt(max(1.0 - at.nu * at.nu, 1.0e-6));
    float x = (at.nu - at.mu_sun * at.mu) / sun_sine, z = at.mu, turn = (z - at.nu * at.mu_sun) / (sine * sun_sine);
    vec2 halo_at = vec2(clamp(0.5 + 0.5 * turn, 0.0, 1.0) * float(HALO_SIZE.x - 1), row);
    ivec2 low = min(ivec2(halo_at), HALO_SIZE - 2);
    vec2 f = halo_at - vec2(low);
    int nearest = MOMENTS + low.y * HALO_SIZE.x + low.x;
    // Both parts in one loop, which is less for a driver to compile.
    Again again = nothing_again();
    for (int i = 0; i < 4; ++i) {
        ivec2 corner = ivec2(i & 1, i >> 1);
        vec2 weights = mix(1.0 - f, f, vec2(corner));
        again.by_molecules += moment(b, i) * (i == 0 ? 1.0 : 0.1 * harmonic(i, x, z));
        again.by_aerosols += moment(b, nearest + corner.y * HALO_SIZE.x + corner.x) * weights.x * weights.y;
    }
    again.by_molecules = max(again.by_molecules, 0.0);
    return again;
}

// Radiance of the ground under the sun (`first`) and under the light that was scattered before (`again`).
vec3 ground_radiance(float mu_sun, bool first, bool again) {
    vec3 light = first ? sunlight(0.0, mu_sun) * max(mu_sun, 0.0) : vec3(0.0);
    if (again) light += moment(places_about(0.0, mu_sun), MOMENTS - 1);
    return AIR.ground_albedo / PI * light;
}

// Along a ray (H eq. 1, each step integrated as in Hillaire 2015)

struct Gathered {
    vec3 smooth_part;  // all but the following
    vec3 mie;          // first scattering by aerosols, without the phase function
    vec3 left;         // transmittance
};

// Adds a step of length dt about `at`: what was scattered before, and with `first` the sun's own light.
void gather(inout Gathered g, SkyRay at, float dt, Again again, bool first) {
    AirHere m = air_here(at.altitude);
    vec3 source = m.rayleigh * again.by_molecules + m.mie * again.by_aerosols;
    vec3 sun = first ? sunlight(at.altitude, at.mu_sun) : vec3(0.0);
    source += m.rayleigh * rayleigh_phase(at.nu) * sun;
    vec3 x = m.extinction * dt, through = exp(-x);
    vec3 share = mix((1.0 - through) / max(x, 1.0e-9), 1.0 - 0.5 * x, lessThan(x, vec3(1.0e-3)));
    vec3 weight = g.left * share * dt;
    g.smooth_part += weight * source;
    g.mie += weight * m.mie * sun;
    g.left *= through;
}

Gathered nothing_gathered() { return Gathered(vec3(0.0), vec3(0.0), vec3(1.0)); }

// Where step number i of a march over `reach` metres ends: steps are fine where the ray is lowest.
float step_end(SkyRay ray, float reach, int i, int steps) {
    float lowest = clamp(-radius(ray.altitude) * ray.mu, 0.0, reach);
    int down = lowest <= 0.0 ? 0 : lowest >= reach ? steps : steps / 2;
    float u = i < down ? 1.0 - float(i + 1) / float(down) : float(i + 1 - down) / float(steps - down);
    return i < down ? lowest * (1.0 - u * u * u) : lowest + (reach - lowest) * u * u * u;
}

#endif
