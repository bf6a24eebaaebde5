// Where in the tables of what is seen a direction and a distance lie.
//
// Bindings (set 0): that of air.glsl.
//
// The table of an eye's sky has a column for each azimuth from the sun and a row for each angle from the horizon, below it and
// then above; right of it stands the same for light that aerosols scattered first. So for both eyes one below the other, and
// below them, for the camera's, the slices of aerial perspective, near ones first (H sections 5.3 and 5.4; by direction and not
// by froxel, so that they serve every kind of camera). What is seen of the smooth part is divided by molecules' phase
// function, and of aerosols' part it lacks theirs: so few azimuths will do.
#ifndef VKFORGE_SIGHT_GLSL
#define VKFORGE_SIGHT_GLSL

#include "include/air.glsl"

const int AZIMUTHS = 16;
const int SKY_ROWS = 96;
const int HAZE_ROWS = 64;
const int SLICES = 48;

// A direction as the tables by direction have it.
struct Sight {
    SkyRay ray;
    bool below;      // the horizon
    float azimuth;   // square root of the azimuth from the sun over pi
    float angle;     // square root of the angle from the horizon over the range: 0 at the horizon, 1 farthest from it
};

// The ray of a table's direction; `azimuth` and `angle` as in Sight.
SkyRay ray_of(Eye eye, float azimuth, float angle, bool below) {
    float range = below ? 0.5 * PI - eye.dip : eye.above;
    float elevation = -eye.dip + (below ? -1.0 : 1.0) * range * angle * angle;
    float mu = sin(elevation), sun_sine = sqrt(max(1.0 - eye.mu_sun * eye.mu_sun, 0.0));
    float nu = mu * eye.mu_sun + cos(elevation) * sun_sine * cos(PI * azimuth * azimuth);
    return SkyRay(eye.altitude, mu, eye.mu_sun, clamp(nu, -1.0, 1.0));
}

Sight sight(Eye eye, vec3 direction) {
    Sight s;
    vec3 sun = AIR.sun_direction;
    float mu = clamp(dot(direction, eye.up), -1.0, 1.0);
    s.ray = SkyRay(eye.altitude, mu, eye.mu_sun, clamp(dot(direction, sun), -1.0, 1.0));
    vec3 flat_ray = direction - mu * eye.up, flat_sun = sun - eye.mu_sun * eye.up;
    // Angles by the arc tangent of sines and cosines: exact where they are small, which is where the tables are dense.
    float angle = atan(mu, length(flat_ray)) + eye.dip;
    s.below = angle < 0.0;
    s.angle = sqrt(min(abs(angle) / (s.below ? 0.5 * PI - eye.dip : eye.above), 4.0));
    s.azimuth = sqrt(abs(atan(length(cross(flat_ray, flat_sun)), dot(flat_ray, flat_sun))) / PI);
    return s;
}

// How far the slices of aerial perspective lie along the way through the air, 0 to 1: dense at the eye and, where the
// way ends on the ground, there too.
const float SLICES_GROWTH = 6.0;

float slice_growth(float x) { return (exp(SLICES_GROWTH * x) - 1.0) / (exp(SLICES_GROWTH) - 1.0); }
float slice_growth_inverse(float y) { return log(1.0 + y * (exp(SLICES_GROWTH) - 1.0)) / SLICES_GROWTH; }

float slice_distance(float slice, bool below) {
    if (!below) return slice_growth(slice);
    return slice < 0.5 ? 0.5 * slice_growth(2.0 * slice) : 1.0 - 0.5 * slice_growth(2.0 - 2.0 * slice);
}

float slice_of(float distance, bool below) {
    if (!below) return slice_growth_inverse(distance);
    return distance < 0.5 ? 0.5 * slice_growth_inverse(2.0 * distance)
                          : 1.0 - 0.5 * slice_growth_inverse(2.0 - 2.0 * distance);
}

// The way of a ray through the air: where it begins, from the eye, and how long it is; 0 where it passes the air by.
void way_through_air(SkyRay ray, bool below, out float begin, out float reach) {
    begin = to_air(ray.altitude, ray.mu);
    reach = 0.0;
    if (begin < 0.0) return;
    SkyRay inside = walk(ray, begin);
    inside.altitude = min(inside.altitude, AIR.thickness);
    reach = below ? to_ground(inside.altitude, inside.mu) : to_top(inside.altitude, inside.mu);
}

#endif
