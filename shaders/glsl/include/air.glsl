// The air: what it is made of, and the ways of rays through it.
//
// Bindings (set 0):
//   20  atmosphere   readonly buffer   what the air is made of, its sun, and from where it is seen
//
// After Hillaire 2020, "A Scalable and Production Ready Sky and Atmosphere Rendering Technique" (H). A place is its altitude
// and the cosines of the ray and of the sun with the local vertical: r^2 is never formed where altitudes are meant, so that
// float32 resolves millimetres on a planet.
#ifndef VKFORGE_AIR_GLSL
#define VKFORGE_AIR_GLSL

#include "include/sampling.glsl"

struct Eye {
    vec3 up;         // local vertical, in the world
    float altitude;  // metres
    float dip;       // radians from the horizontal down to the horizon
    float above;     // from there up to what there is to see: the zenith or, outside of the air, its top
    float mu_sun;    // cosine of the sun with `up`
};

struct AtmosphereValues {
    float ground_radius;
    float thickness;          // altitude of the top
    vec3 rayleigh;            // scattering at the ground, per metre
    float rayleigh_height;    // scale height
    vec3 mie_scattering;
    vec3 mie_extinction;
    float mie_height;
    float mie_anisotropy;
    vec3 ozone;               // absorption at the tent's middle
    float ozone_altitude;
    float ozone_half_width;
    vec3 ground_albedo;
    vec3 sun_direction;
    vec3 sun_irradiance;      // outside of the air
    float sun_radius;         // radians
    vec3 limb_exponent;
    float haze;               // scales the distances of aerial perspective
    Eye eyes[2];              // GROUND_EYE, CAMERA_EYE
    uint ground_seen;         // 1 where the table of the sky has GROUND_EYE's already
};

const int GROUND_EYE = 0, CAMERA_EYE = 1;

layout(set = 0, binding = 20, scalar) readonly buffer Atmosphere { AtmosphereValues atmosphere; } stored_atmosphere;
AtmosphereValues AIR = stored_atmosphere.atmosphere;

// Gauss-Legendre points on [0, 1], of which there are 8, in rising order; their weights add up to 1.
const float NODES[4] = float[](0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363);
const float WEIGHTS[4] = float[](0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763);

float gauss_node(int i) { return 0.5 + 0.5 * (i < 4 ? -NODES[3 - i] : NODES[i - 4]); }
float gauss_weight(int i) { return 0.5 * WEIGHTS[i < 4 ? 3 - i : i - 4]; }

// Geometry

struct SkyRay {
    float altitude;
    float mu;      // cosine with the local vertical
    float mu_sun;  // the sun's
    float nu;      // between ray and sun
};

float radius(float altitude) { return AIR.ground_radius + altitude; }

// Distance along the ground's tangent from the horizon to a place; r^2 - R^2 without the cancellation.
float tangent(float altitude) { return sqrt(altitude * (2.0 * AIR.ground_radius + altitude)); }

SkyRay walk(SkyRay ray, float t) {
    float r = radius(ray.altitude);
    float more = t * (2.0 * r * ray.mu + t);
    float r_new = sqrt(r * r + more);
    float above = ray.altitude * (2.0 * AIR.ground_radius + ray.altitude) + more;
    return SkyRay(max(above / (r_new + AIR.ground_radius), 0.0), (r * ray.mu + t) / r_new,
                  (r * ray.mu_sun + t * ray.nu) / r_new, ray.nu);
}

bool meets_ground(float altitude, float mu) {
    float rmu = radius(altitude) * mu, rho = tangent(altitude);
    return mu < 0.0 && rmu * rmu >= rho * rho;
}

// Distance to the ground, for a ray that meets it.
float to_ground(float altitude, float mu) {
    float rmu = radius(altitude) * mu, rho = tangent(altitude);
    return rho * rho / max(sqrt(max(rmu * rmu - rho * rho, 0.0)) - rmu, 1.0e-6);
}

// Distance to the top of the air from inside.
float to_top(float altitude, float mu) {
    float rmu = radius(altitude) * mu, room = max(AIR.thickness - altitude, 0.0);
    float gain = room * (2.0 * AIR.ground_radius + AIR.thickness + altitude);
    float root = sqrt(rmu * rmu + gain);
    return mu > 0.0 ? gain / (rmu + root) : root - rmu;
}

// Distance to the air from outside; negative where the ray passes it by. 0 from inside.
float to_air(float altitude, float mu) {
    if (altitude <= AIR.thickness) return 0.0;
    float rmu = radius(altitude) * mu, over = altitude - AIR.thickness;
    float loss = over * (2.0 * AIR.ground_radius + AIR.thickness + altitude);
    float square = rmu * rmu - loss;
    return mu < 0.0 && square > 0.0 ? loss / (sqrt(square) - rmu) : -1.0;
}

// What the air is made of (H section 4, table 1)

struct AirHere {
    vec3 rayleigh;    // scattering
    vec3 mie;
    vec3 extinction;
};

AirHere air_here(float altitude) {
    AirHere m;
    m.rayleigh = AIR.rayleigh * exp(-altitude / AIR.rayleigh_height);
    float aerosols = exp(-altitude / AIR.mie_height);
    float tent = max(0.0, 1.0 - abs(altitude - AIR.ozone_altitude) / AIR.ozone_half_width);
    m.mie = AIR.mie_scattering * aerosols;
    m.extinction = m.rayleigh + AIR.mie_extinction * aerosols + AIR.ozone * tent;
    return m;
}

const float CLEAR = 8.0;  // scale heights over which there are no aerosols to speak of

bool has_aerosols(float altitude) { return altitude < CLEAR * AIR.mie_height; }

float rayleigh_phase(float nu) { return 3.0 / (16.0 * PI) * (1.0 + nu * nu); }

// Cornette and Shanks 1992 (H section 4).
float mie_phase(float nu) {
    float g = AIR.mie_anisotropy, g2 = g * g;
    float base = max(1.0 + g2 - 2.0 * g * nu, 1.0e-6);
    return 3.0 / (8.0 * PI) * (1.0 - g2) / (2.0 + g2) * (1.0 + nu * nu) / (base * sqrt(base));
}

#endif
