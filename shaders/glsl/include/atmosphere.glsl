// The air: what it is made of, and its tables.
//
// Bindings (set 0):
//   20  sky_tables   buffer   what the air is made of, and the tables; readonly but for the passes that make them
//
// After Hillaire 2020, "A Scalable and Production Ready Sky and Atmosphere Rendering Technique" (H), with the coordinates
// of Bruneton and Neyret 2008, "Precomputed Atmospheric Scattering" (B), for transmittance. Two things differ from H.
// Light scattered more than once is not taken for isotropic: `moments` holds, order after order, what molecules and what
// aerosols scatter again. For molecules that is the radiance that arrives at a place in spherical harmonics of degrees 0
// and 2, all that their phase function lets through (Funk-Hecke); for aerosols, whose forward peak would need dozens of
// degrees, it is their source itself (as in B) by direction about the sun, where it is peaked. And aerosols' first
// scattering is kept apart from the rest, without its phase function, so that no table has to resolve the halo around
// the sun.
//
// A place is its altitude and the cosines of the ray and of the sun with the local vertical: r^2 is never formed where
// altitudes are meant, so that float32 resolves millimetres on a planet. All tables are for a sun of irradiance 1.
#ifndef VKFORGE_ATMOSPHERE_GLSL
#define VKFORGE_ATMOSPHERE_GLSL

#include "include/sampling.glsl"

#ifndef SKY_TABLES_ACCESS
#define SKY_TABLES_ACCESS readonly
#endif

struct Eye {
    vec3 up;         // local vertical, in the world
    float altitude;  // metres
};

struct Atmosphere {
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
};

const int GROUND_EYE = 0, CAMERA_EYE = 1;

// The tables, in texels from the start of the array.
const ivec2 DEPTH_SIZE = ivec2(256, 64);
const ivec2 MOMENTS_SIZE = ivec2(48, 16);   // sun's cosine, altitude
const int MOMENTS = 5;                      // four of the radiance, and the irradiance from above
const ivec2 HALO_SIZE = ivec2(8, 16);       // of aerosols' source: direction about the sun, angle from the sun
const ivec2 SKY_SIZE = ivec2(64, 128);      // azimuth from the sun, angle from the horizon (below, then above)
const ivec3 HAZE_SIZE = ivec3(32, 64, 48);  // likewise, and distance
const int AT_MOMENTS = DEPTH_SIZE.x * DEPTH_SIZE.y;
const int PLACE_TEXELS = MOMENTS + HALO_SIZE.x * HALO_SIZE.y;
const int MOMENTS_TEXELS = MOMENTS_SIZE.x * MOMENTS_SIZE.y * PLACE_TEXELS;
const int ALL_ORDERS = 2;                   // the third of the moments' tables; the others are of one order in turn
const int AT_SKY = AT_MOMENTS + 3 * MOMENTS_TEXELS;
const int SKY_TEXELS = SKY_SIZE.x * SKY_SIZE.y * 2;
const int AT_HAZE = AT_SKY + 2 * SKY_TEXELS;

layout(set = 0, binding = 20, std430) SKY_TABLES_ACCESS buffer SkyTables {
    Atmosphere air;
    vec4 texels[];
} sky_tables;

#define AIR sky_tables.air

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

float rayleigh_phase(float nu) { return 3.0 / (16.0 * PI) * (1.0 + nu * nu); }

// Cornette and Shanks 1992 (H section 4).
float mie_phase(float nu) {
    float g = AIR.mie_anisotropy, g2 = g * g;
    float base = max(1.0 + g2 - 2.0 * g * nu, 1.0e-6);
    return 3.0 / (8.0 * PI) * (1.0 - g2) / (2.0 + g2) * (1.0 + nu * nu) / (base * sqrt(base));
}

// Transmittance (H eq. 2, in the coordinates of B section 4)

vec3 texel(int at) { return sky_tables.texels[at].rgb; }

// Optical depth from inside the air to its top, for a ray that does not meet the ground.
vec3 optical_depth(float altitude, float mu) {
    float rho = tangent(altitude), horizon = tangent(AIR.thickness), nearest = AIR.thickness - altitude;
    vec2 at = vec2((to_top(altitude, mu) - nearest) / max(rho + horizon - nearest, 1.0), rho / horizon);
    at = clamp(at, 0.0, 1.0) * vec2(DEPTH_SIZE - 1);
    ivec2 low = min(ivec2(at), DEPTH_SIZE - 2);
    vec2 f = at - vec2(low);
    int i = low.y * DEPTH_SIZE.x + low.x;
    return mix(mix(texel(i), texel(i + 1), f.x), mix(texel(i + DEPTH_SIZE.x), texel(i + DEPTH_SIZE.x + 1), f.x), f.y);
}

// Transmittance from anywhere to space; 0 where the ground is in the way.
vec3 transmittance_to_space(float altitude, float mu) {
    float t = to_air(altitude, mu);
    if (t < 0.0) return vec3(1.0);
    if (meets_ground(altitude, mu)) return vec3(0.0);
    SkyRay ray = walk(SkyRay(altitude, mu, 0.0, 0.0), t);
    return exp(-optical_depth(min(ray.altitude, AIR.thickness), ray.mu));
}

// Irradiance from the sun inside the air, on a plane that faces it: the disc goes down behind the ground.
vec3 sunlight(float altitude, float mu_sun) {
    float mu_horizon = -tangent(altitude) / radius(altitude);
    float soft = max(AIR.sun_radius, 1.0e-4);
    float above = smoothstep(-soft, soft, mu_sun - mu_horizon);
    return above == 0.0 ? vec3(0.0) : above * exp(-optical_depth(altitude, max(mu_sun, mu_horizon)));
}

// Light scattered before

// Sun's cosines: even steps of 0.7 degrees in the night, where light falls off fast, and by day squares, which are dense
// at the horizon. Altitudes are cubes, dense at the ground, where aerosols are.
const float NIGHT = 20.0 / 47.0;   // the share of a row that has the sun below the horizontal
const float DARKEST = -0.25;

float moments_mu_sun(float x) {
    float day = max(x - NIGHT, 0.0) / (1.0 - NIGHT);
    return x < NIGHT ? DARKEST * (1.0 - x / NIGHT) : day * day;
}

int moments_at(int order, ivec2 cell) {
    return AT_MOMENTS + order * MOMENTS_TEXELS + (cell.y * MOMENTS_SIZE.x + cell.x) * PLACE_TEXELS;
}

struct Blend {
    ivec4 at;
    vec4 weight;
};

Blend moments_blend(int order, float altitude, float mu_sun) {
    float x = mu_sun < 0.0 ? NIGHT * (1.0 - mu_sun / DARKEST) : NIGHT + (1.0 - NIGHT) * sqrt(mu_sun);
    vec2 at = vec2(x, pow(max(altitude, 0.0) / AIR.thickness, 1.0 / 3.0));
    at = clamp(at, 0.0, 1.0) * vec2(MOMENTS_SIZE - 1);
    ivec2 low = min(ivec2(at), MOMENTS_SIZE - 2);
    vec2 f = at - vec2(low);
    Blend b;
    b.at = moments_at(order, low) + ivec4(0, PLACE_TEXELS, MOMENTS_SIZE.x * PLACE_TEXELS, (MOMENTS_SIZE.x + 1) * PLACE_TEXELS);
    b.weight = vec4((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
    return b;
}

vec3 moment(Blend b, int k) {
    return b.weight.x * texel(b.at.x + k) + b.weight.y * texel(b.at.y + k) + b.weight.z * texel(b.at.z + k)
         + b.weight.w * texel(b.at.w + k);
}

// Real spherical harmonics of degrees 0 and 2 that are even across the sun's vertical plane, up to factors that the
// moments carry; z is the cosine with the vertical, x that with the sun's horizontal direction.
float harmonic(int k, float x, float z) {
    return k == 0 ? 1.0 : k == 1 ? 1.5 * z * z - 0.5 : k == 2 ? x * z : x * x + 0.5 * z * z - 0.5;
}

// Rows of the halo's table are dense at the sun, where light falls off fast: angles over pi are their powers of 1.5.
float halo_angle(int row) { return PI * pow(float(row) / float(HALO_SIZE.y - 1), 1.5); }

// The source of aerosols at a place, in the direction at the cosine `nu` to the sun. `turn` is the cosine of the
// direction's azimuth about the sun, from the vertical.
vec3 halo(Blend b, float nu, float turn) {
    vec2 at = vec2(0.5 + 0.5 * turn, pow(max(acos(clamp(nu, -1.0, 1.0)), 0.0) / PI, 2.0 / 3.0));
    at = clamp(at, 0.0, 1.0) * vec2(HALO_SIZE - 1);
    ivec2 low = min(ivec2(at), HALO_SIZE - 2);
    vec2 f = at - vec2(low);
    int k = MOMENTS + low.y * HALO_SIZE.x + low.x, next = k + HALO_SIZE.x;
    return mix(mix(moment(b, k), moment(b, k + 1), f.x), mix(moment(b, next), moment(b, next + 1), f.x), f.y);
}

// Source of light that was scattered before, where `order` is one of the moments' tables.
vec3 scattered_again(SkyRay at, AirHere m, int order) {
    Blend b = moments_blend(order, at.altitude, at.mu_sun);
    float sun_sine = sqrt(max(1.0 - at.mu_sun * at.mu_sun, 1.0e-6)), sine = sqrt(max(1.0 - at.nu * at.nu, 1.0e-6));
    float x = (at.nu - at.mu_sun * at.mu) / sun_sine, z = at.mu;
    vec3 even = moment(b, 1) * harmonic(1, x, z) + moment(b, 2) * harmonic(2, x, z) + moment(b, 3) * harmonic(3, x, z);
    vec3 by_molecules = max(moment(b, 0) + 0.1 * even, 0.0);
    return m.rayleigh * by_molecules + m.mie * halo(b, at.nu, (z - at.nu * at.mu_sun) / (sine * sun_sine));
}

// Radiance of the ground under the sun (`first`) and under the light of the moments' table `order` (none if negative).
vec3 ground_radiance(float mu_sun, bool first, int order) {
    vec3 light = first ? sunlight(0.0, mu_sun) * max(mu_sun, 0.0) : vec3(0.0);
    if (order >= 0) light += moment(moments_blend(order, 0.0, mu_sun), MOMENTS - 1);
    return AIR.ground_albedo / PI * light;
}

// Along a ray (H eq. 1, each step integrated as in Hillaire 2015)

struct Gathered {
    vec3 smooth_part;  // all but the following
    vec3 mie;          // first scattering by aerosols, without the phase function
    vec3 depth;        // optical depth
};

// Adds a step of length dt about `at`; `first` for the sun's own light, `order` for what was scattered before.
void gather(inout Gathered g, SkyRay at, float dt, bool first, int order) {
    AirHere m = air_here(at.altitude);
    vec3 source = order >= 0 ? scattered_again(at, m, order) : vec3(0.0);
    vec3 sun = first ? sunlight(at.altitude, at.mu_sun) : vec3(0.0);
    source += m.rayleigh * rayleigh_phase(at.nu) * sun;
    vec3 x = m.extinction * dt;
    vec3 share = mix((1.0 - exp(-x)) / max(x, 1.0e-9), 1.0 - 0.5 * x, lessThan(x, vec3(1.0e-3)));
    vec3 weight = exp(-g.depth) * share * dt;
    g.smooth_part += weight * source;
    g.mie += weight * m.mie * sun;
    g.depth += x;
}

// Marches from inside the air over `reach` metres in steps that are fine where the ray is lowest.
Gathered march(SkyRay ray, float reach, int steps, bool first, int order) {
    Gathered g = Gathered(vec3(0.0), vec3(0.0), vec3(0.0));
    float lowest = clamp(-radius(ray.altitude) * ray.mu, 0.0, reach);
    int down = lowest <= 0.0 ? 0 : lowest >= reach ? steps : steps / 2;
    float before = 0.0;
    for (int i = 0; i < steps; ++i) {
        float u = i < down ? 1.0 - float(i + 1) / float(down) : float(i + 1 - down) / float(steps - down);
        float after = i < down ? lowest * (1.0 - u * u * u) : lowest + (reach - lowest) * u * u * u;
        gather(g, walk(ray, 0.5 * (before + after)), after - before, first, order);
        before = after;
    }
    return g;
}

// What is seen from an eye

// A direction as the tables by direction have it.
struct Sight {
    SkyRay ray;
    bool below;      // the horizon
    float azimuth;   // square root of the azimuth from the sun over pi
    float angle;     // square root of the angle from the horizon over the range: 0 at the horizon, 1 farthest from it
};

// The horizon's angle with the zenith is a right angle and this dip; outside of the air its top's likewise.
float horizon_dip(float altitude) { return atan(tangent(altitude), AIR.ground_radius); }

// The range of angles above the horizon that are looked up: to the zenith, or to the top of the air.
float angles_above(float altitude) {
    float over = altitude - AIR.thickness, dip = horizon_dip(altitude);
    if (over <= 0.0) return 0.5 * PI + dip;
    float far = sqrt(over * (2.0 * AIR.ground_radius + AIR.thickness + altitude));
    return dip - atan(far, AIR.ground_radius + AIR.thickness);
}

// The ray of a table's direction; `azimuth` and `angle` as in Sight.
SkyRay ray_of(Eye eye, float azimuth, float angle, bool below) {
    float dip = horizon_dip(eye.altitude);
    float range = below ? 0.5 * PI - dip : angles_above(eye.altitude);
    float elevation = -dip + (below ? -1.0 : 1.0) * range * angle * angle;
    float mu_sun = clamp(dot(eye.up, AIR.sun_direction), -1.0, 1.0);
    float mu = sin(elevation);
    float nu = mu * mu_sun + cos(elevation) * sqrt(max(1.0 - mu_sun * mu_sun, 0.0)) * cos(PI * azimuth * azimuth);
    return SkyRay(eye.altitude, mu, mu_sun, clamp(nu, -1.0, 1.0));
}

Sight sight(Eye eye, vec3 direction) {
    Sight s;
    vec3 sun = AIR.sun_direction;
    float mu = clamp(dot(direction, eye.up), -1.0, 1.0), mu_sun = clamp(dot(sun, eye.up), -1.0, 1.0);
    s.ray = SkyRay(eye.altitude, mu, mu_sun, clamp(dot(direction, sun), -1.0, 1.0));
    vec3 flat_ray = direction - mu * eye.up, flat_sun = sun - mu_sun * eye.up;
    float sine = length(flat_ray);
    // Angles by the arc tangent of sines and cosines: exact where they are small, which is where the tables are dense.
    float dip = horizon_dip(eye.altitude);
    float angle = atan(mu, sine) + dip;
    s.below = angle < 0.0;
    float range = s.below ? 0.5 * PI - dip : angles_above(eye.altitude);
    s.angle = sqrt(min(abs(angle) / range, 4.0));
    s.azimuth = sqrt(abs(atan(length(cross(flat_ray, flat_sun)), dot(flat_ray, flat_sun))) / PI);
    return s;
}

// Light from where the air ends, or from the ground, to an eye (without the sun's disc); for irradiance 1.
vec3 sky_from(int eye, vec3 direction) {
    Sight s = sight(AIR.eyes[eye], direction);
    if (!s.below && s.angle > 1.0 && s.ray.altitude > AIR.thickness) return vec3(0.0);
    int half_rows = SKY_SIZE.y / 2;
    vec2 at = vec2(clamp(s.azimuth, 0.0, 1.0) * float(SKY_SIZE.x - 1), min(s.angle, 1.0) * float(half_rows - 1));
    ivec2 low = min(ivec2(at), ivec2(SKY_SIZE.x, half_rows) - 2);
    vec2 f = at - vec2(low);
    int i = AT_SKY + eye * SKY_TEXELS + ((s.below ? 0 : half_rows) + low.y) * SKY_SIZE.x * 2 + low.x * 2;
    int j = i + SKY_SIZE.x * 2;
    vec3 smooth_part = mix(mix(texel(i), texel(i + 2), f.x), mix(texel(j), texel(j + 2), f.x), f.y);
    vec3 mie = mix(mix(texel(i + 1), texel(i + 3), f.x), mix(texel(j + 1), texel(j + 3), f.x), f.y);
    return smooth_part + mie * mie_phase(s.ray.nu);
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

// Optical depth of the ray from one distance to another, both inside the air; the points are dense at the lower end.
vec3 depth_between(SkyRay ray, float from, float to) {
    bool sinks = radius(ray.altitude) * ray.mu < -0.5 * (from + to);
    float low = sinks ? to : from, high = sinks ? from : to;
    vec3 depth = vec3(0.0);
    for (int i = 0; i < 8; ++i) {
        float u = gauss_node(i);
        depth += air_here(walk(ray, mix(low, high, u * u)).altitude).extinction * u * gauss_weight(i);
    }
    return depth * (to - from) * 2.0;
}

vec3 haze_blend(int at, ivec2 row, vec3 f) {
    vec3 near = mix(mix(texel(at), texel(at + 2), f.x), mix(texel(at + row.x), texel(at + row.x + 2), f.x), f.y);
    at += row.y;
    vec3 far = mix(mix(texel(at), texel(at + 2), f.x), mix(texel(at + row.x), texel(at + row.x + 2), f.x), f.y);
    return mix(near, far, f.z);
}

// The air between the camera's eye and what lies `distance` metres away: light scattered in on the way, for irradiance
// 1, and transmittance.
vec3 air_between(vec3 direction, float distance, out vec3 transmittance) {
    Sight s = sight(AIR.eyes[CAMERA_EYE], direction);
    transmittance = vec3(1.0);
    if (!s.below && s.angle > 1.0 && s.ray.altitude > AIR.thickness) return vec3(0.0);
    float begin, reach;
    way_through_air(s.ray, s.below, begin, reach);
    float way = clamp((distance - begin) * AIR.haze / max(reach, 1.0e-3), 0.0, 1.0);
    int half_rows = HAZE_SIZE.y / 2;
    vec3 at = vec3(min(s.azimuth, 1.0), min(s.angle, 1.0), slice_of(way, s.below)) *
              vec3(HAZE_SIZE.x - 1, half_rows - 1, HAZE_SIZE.z - 1);
    ivec3 low = min(ivec3(at), ivec3(HAZE_SIZE.x, half_rows, HAZE_SIZE.z) - 2);
    vec3 f = at - vec3(low);
    ivec2 row = ivec2(HAZE_SIZE.x, HAZE_SIZE.x * HAZE_SIZE.y) * 2;
    int i = AT_HAZE + low.z * row.y + ((s.below ? 0 : half_rows) + low.y) * row.x + low.x * 2;
    transmittance = exp(-depth_between(s.ray, begin, begin + way * reach));
    return haze_blend(i, row, f) + haze_blend(i + 1, row, f) * mie_phase(s.ray.nu);
}

// Radiance of the sun's disc at a direction, through the air, in the sun's unit. Its limb is darker: mu^alpha of
// Hestroffer and Magnan 1998, scaled so that the disc as a whole gives the irradiance.
vec3 sun_disc(int eye, vec3 direction) {
    float sine = length(cross(direction, AIR.sun_direction));
    float edge = sin(AIR.sun_radius);
    if (edge == 0.0 || sine >= edge || dot(direction, AIR.sun_direction) <= 0.0) return vec3(0.0);
    float mu = sqrt(max(1.0 - sine * sine / (edge * edge), 0.0));
    vec3 limb = 0.5 * (AIR.limb_exponent + 2.0) * pow(vec3(mu), AIR.limb_exponent);
    Eye from = AIR.eyes[eye];
    return AIR.sun_irradiance / (PI * edge * edge) * limb * transmittance_to_space(from.altitude, dot(direction, from.up));
}

#endif
