// Water as the camera sees it.
//
// Bindings (set 0): those of frame.glsl and water.glsl.
#ifndef VKFORGE_WATER_VIEW_GLSL
#define VKFORGE_WATER_VIEW_GLSL

#include "include/frame.glsl"
#include "include/water.glsl"

// The surface at a point of the world that a camera ray met after `t` metres. A side of the water has no waves.
void seen_water(vec3 at, vec3 direction, float t, vec3 out_of_water, out vec3 normal, out float alpha) {
    float width = (length(frame.direction_u) * t + length(frame.origin_u)) * 2.0 / float(frame.size.x);
    wave_surface(at.xy, direction, width, normal, alpha);
    if (out_of_water.z < 0.5) {
        normal = out_of_water;
        alpha = max(sqrt(water.alpha_squared), SMOOTHEST);
    }
}

// Light of the sun on its way to the camera by way of a facet: as rays to its disc find facets, and as facets find the
// disc, joined by the balance heuristic (Veach 1997), so that neither calm nor rough water makes noise of it.
struct Glint {
    vec3 from;     // where on the disc a ray to it goes; nowhere if the sun is down
    vec3 light;    // what that brings if nothing is in the way
    vec3 of_disc;  // radiance of the disc where the facet happens to mirror it
};

// `soft` says whether the sun is a disc or a point.
Glint sun_glint(vec3 direction, vec3 normal, float alpha, vec3 facet, vec3 out_of_water, bool soft, vec2 square) {
    Glint glint = Glint(vec3(0.0), vec3(0.0), vec3(0.0));
    float disc = soft ? 2.0 * PI * (1.0 - frame.sun_cos_radius) : 0.0;
    vec3 from = frame.sun_direction;
    if (soft) from = cone_direction(square, from, frame.sun_cos_radius);
    if (from.z > 0.0 && dot(from, out_of_water) > 0.0) {
        float density = water_mirror_density(normal, -direction, from, alpha);
        float reflected = fresnel(dot(from, normalize(from - direction)), water.ior);
        glint.from = from;
        glint.light = frame.sun_irradiance * (reflected * density / (1.0 + disc * density));
    }
    vec3 mirrored = reflect(direction, facet);
    if (soft && dot(mirrored, out_of_water) > 0.0 && dot(mirrored, frame.sun_direction) > frame.sun_cos_radius) {
        float density = water_mirror_density(normal, -direction, mirrored, alpha);
        glint.of_disc = frame.sun_irradiance * (density / (1.0 + disc * density));
    }
    return glint;
}

#endif
