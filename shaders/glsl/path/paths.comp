// Light transport by paths from the camera: unbiased, a batch of samples of each pixel of a band of rows.
//
// Bindings (set 0):
//   0  terrain         readonly buffer  see include/terrain.glsl
//   1  heights         sampler2D        elevations
//   2  pyramid         readonly r32ui   bounds
//   3  frame           readonly buffer  see include/frame.glsl; sample_index is the batch's first sample
//   4  radiance        rgba32f          mean radiance; w is the mean coverage
//   5  deviation       r32f             sum of squared deviations of the samples' luminance from their mean
//   6  sun_visibility  r32f             mean over the samples that hit
//   7  sky_visibility  r32f             likewise
//   8  albedo_map      sampler2D        see include/surface.glsl
//   17 albedo_overlay  sampler2D        likewise
//   20 atmosphere      readonly buffer  see include/air.glsl
//   21 optical_depths  sampler2D        see include/transmittance.glsl
//   22 sky_view        sampler2D        see include/sight.glsl
//   10 split_sum       sampler2D        see include/brdf.glsl
//   11 metallic_roughness_map, 12 normal_map, 13 detail_normal_map, 14 emission_map   sampler2D   see include/surface.glsl
//   30 fog             readonly buffer  see include/medium.glsl
//   31 density_map     sampler2D
//   32 lights          readonly buffer  see include/lights.glsl
//   50 path            readonly buffer  see include/path.glsl
//   51 beams           readonly r32f    how deep the rays of a group are above the ground, see beams.comp
//   52 horizons        readonly r32ui   see include/horizon.glsl, as for the next
//   53 shades         readonly r32ui
//   70 water           readonly buffer  see include/water.glsl
//   71 water_mask      sampler2D
//   60 direct          rgba32f            see include/parts.glsl, as for the next four
//   61 indirect        rgba32f
//   62 emitted         rgba32f
//   63 air             rgba32f
//   64 water_coverage  r32f
//   66 coverage        r32f               the share of the pixel that is ground or water, whatever is in the air
//   40 environment     readonly buffer  see include/environment.glsl
//   41 environment_map  sampler2D
//   42 environment_rows  sampler2D
//
// At each vertex the sun is sampled over its disc (next-event estimation), and the path goes on in a direction drawn from
// the surface: the cosine's and the visible normals' densities, joined by the balance heuristic (Veach 1997), so that one
// ray serves the sky and the bounce. An environment map may be small bright spots, so it is sampled as well, and joined
// with those directions by the same heuristic. One lamp is chosen for each vertex. Fog scatters a path where a free flight
// ends (include/medium.glsl); a uniform one, in which all light is as measured inside, only on its way from the camera.
// At the water's surface a path is mirrored or refracted, by chance; that is no vertex of it. Under water the sun is sampled
// through the surface taken as calm. As in the lit lane the sun's light by way of the surface is seen but lights nothing, and
// so is that of lamps, whichever way; waves count where the camera sees them.
// Numbers are Owen-scrambled Sobol pairs, one scrambling for each pixel, bounce and
// purpose. Paths that carry little end by Russian roulette.
//
// A group whose paths end at different bounces would idle until its longest is done; each invocation rather starts its
// next sample at once, and all rays, to the camera, to the sun or onwards, go through one call of the tracer (path
// regeneration: Novak, Havran and Dachsbacher 2010). On a CPU driver rays to the sun and onwards that surely leave the ground
// (include/horizon.glsl) are not traced at all: their light is taken at once, in the order and to the bits of tracing.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/surface.glsl"
#include "include/terminator.glsl"
#include "include/horizon.glsl"
#include "include/view.glsl"
#include "include/sky.glsl"
#include "include/brdf.glsl"
#include "include/medium.glsl"
#include "include/lights.glsl"
#include "include/parts.glsl"
#include "include/path.glsl"
#include "include/water.glsl"
#include "include/water_view.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 1) const bool SOFT = true;       // whether the sun is a disc or a point
layout(constant_id = 50) const bool HAS_SUN = true;
layout(constant_id = 53) const bool HAS_LAMPS = true;

layout(set = 0, binding = 4, rgba32f) uniform image2D radiance;
layout(set = 0, binding = 5, r32f) uniform image2D deviation;
layout(set = 0, binding = 6, r32f) uniform image2D sun_visibility;
layout(set = 0, binding = 7, r32f) uniform image2D sky_visibility;
layout(set = 0, binding = 51, r32f) readonly uniform image2D beams;

// What a number is drawn for; each vertex of a path has PURPOSES of them.
const uint PURPOSE_PATH = 3u;
const uint DRAW_PIXEL = 0u;
const uint DRAW_LENS = 1u;
const uint DRAW_SHUTTER = 2u;
const uint DRAW_SUN = 3u;
const uint DRAW_DIRECTION = 4u;
const uint DRAW_CHOICE = 5u;
const uint DRAW_SKY = 6u;
const uint DRAW_FLIGHT = 7u;
const uint DRAW_LAMP = 8u;
const uint PURPOSES = 9u;
const uint PURPOSE_CROSSING = 0x57u;  // these are numbered apart: paths without water stay what they were
const uint MOST_CROSSINGS = 1024u;
const uint PURPOSE_OPEN = 0x0bu;  // likewise

// What a ray is sent for.
const uint RAY_ONWARDS = 0u;
const uint RAY_TO_SUN = 1u;
const uint RAY_TO_SKY = 2u;
const uint RAY_TO_LAMP = 3u;
const uint RAY_TO_OPEN = 4u;  // brings no light, but tells whether the sky is seen

const bool SAMPLES_SKY = SKY_KIND == SKY_ENVIRONMENT;

// The share of the sky that is seen is the mean of what directions by the cosine see. Paths leave Lambert's ground in such;
// weights would make one of others too, but a mean of few could be more than 1. So a ray of its own is sent there, and at
// water, which no path leaves so. Where nobody asks for it, it is not told.
layout(constant_id = 57) const bool ASKS_SKY = true;

uint pixel_key;     // scrambles this pixel's sequences
uint sample_number; // which point of them the current sample takes

vec2 draw(uint vertex, uint purpose) {
    return sobol(sample_number, hash(pixel_key + (vertex * PURPOSES + purpose) * 0x9e3779b9u));
}

// For a path's crossing of the water's surface: which facet, whether it mirrors, where on the sun; and how far it gets inside.
vec2 draw_crossing(uint crossing, uint purpose) {
    return sobol(sample_number, hash(hash(pixel_key + PURPOSE_CROSSING) + crossing * 4u + purpose));
}

// A direction by the cosine for a ray that asks for the sky; none where it is below the horizon or the surface.
vec3 towards_open(vec3 n, vec3 geometric_normal) {
    vec3 l = cosine_direction(sobol(sample_number, hash(hash(pixel_key + PURPOSE_OPEN))), n);
    return l.z > 0.0 && dot(geometric_normal, l) > 0.0 ? l : vec3(0.0);
}

float luminance(vec3 light) { return dot(light, vec3(0.2126, 0.7152, 0.0722)); }

// A point of the aperture, whose rim or corners are at unit radius: in one of the triangles that a polygon's sides make
// with its centre, areas kept.
vec2 on_aperture(vec2 square) {
    if (path.blades == 0u) return square_to_disc(square);
    float sides = float(path.blades), side = min(floor(square.x * sides), sides - 1.0), turn = 2.0 * PI / sides;
    vec2 a = vec2(cos(side * turn), sin(side * turn)), b = vec2(cos((side + 1.0) * turn), sin((side + 1.0) * turn));
    return sqrt(square.y) * mix(a, b, square.x * sides - side);
}

// The camera's ray of the current sample, over pixel, lens and shutter, and up to where it is above the ground; 0 where there
// is none, else 1.
float start_path(uvec2 pixel, float clear_depth, out vec3 origin, out vec3 direction, out float t_clear) {
    vec2 at = vec2(pixel) + draw(0u, DRAW_PIXEL);
    vec2 uv = camera_uv(at);
    origin = frame.origin + uv.x * frame.origin_u + uv.y * frame.origin_v;
    bool sees = view_direction(uv, frame.direction, frame.direction_u, frame.direction_v, frame.angles, direction);
    if (SHUTTER) {
        float time = draw(0u, DRAW_SHUTTER).x;
        vec3 end;
        view_direction(uv, path.end_direction, path.end_direction_u, path.end_direction_v, path.end_angles, end);
        origin = mix(origin, path.end_origin + uv.x * path.end_origin_u + uv.y * path.end_origin_v, time);
        direction = mix(direction, end, time);
    }
    if (THIN_LENS) {
        // `direction` has length 1 along the axis: times the depth in focus it is where all rays of this uv meet. Where that
        // depth is negative, because the plane in focus lies behind the eye, they come from there.
        vec2 on_lens = on_aperture(draw(0u, DRAW_LENS));
        vec3 offset = on_lens.x * path.lens_u + on_lens.y * path.lens_v;
        direction -= offset * dot(path.inverse_focus, vec3(1.0, uv));
        origin += offset;
    }
    t_clear = clear_depth * length(direction);
    direction = normalize(direction);
    if (!sees) {
        origin = NOWHERE;
        direction = vec3(0.0, 0.0, 1.0);
    }
    return sees ? 1.0 : 0.0;
}

// How directions are drawn at a point: from the visible normals so often, else by the cosine. Any share is right; this one,
// of what the two lobes reflect, about, is quiet.
float glossy_share(Surface surface, vec3 n, vec3 view) {
    // A shading normal may face away from the viewer, who then sees none of the normals that the lobe draws from.
    if (!GLOSSY || dot(n, view) <= GRAZING) return 0.0;
    float mirror = luminance(mix(surface.f0, surface.f90, schlick(dot(n, view))));
    return mirror > 0.0 ? clamp(mirror / (mirror + luminance(surface.diffuse)), 0.1, 0.9) : 0.0;
}

float scatter_density(Surface surface, vec3 n, vec3 view, vec3 l, float share) {
    float density = (1.0 - share) * max(dot(n, l), 0.0) / PI;
    if (GLOSSY && share > 0.0) density += share * visible_ggx_density(surface, n, view, l);
    return density;
}

// A direction to go on in, its density, and the BRDF times the cosine over that; no direction where it fails.
vec3 scatter(Surface surface, vec3 n, vec3 view, uint vertex, float share, out vec3 l, out float density) {
    vec2 square = draw(vertex, DRAW_DIRECTION);
    if (!GLOSSY) {
        l = cosine_direction(square, n);
        density = dot(n, l) / PI;
        return surface.diffuse;
    }
    bool glossy = draw(vertex, DRAW_CHOICE).y < share;
    l = glossy ? sample_visible_ggx(surface, n, view, square) : cosine_direction(square, n);
    density = scatter_density(surface, n, view, l, share);
    if (dot(n, l) <= 0.0) {
        l = vec3(0.0);
        return vec3(0.0);
    }
    return brdf_cosine(surface, n, view, l) / density;
}

// Which of a vertex's rays is next: those to the lights, each once, then the one onwards. False where none is left.
bool next_ray(
    inout vec3 to_sun, inout vec3 to_sky, inout vec3 to_lamp, inout vec3 to_open, vec3 onwards, out uint ray,
    out vec3 direction) {
    if (HAS_SUN && to_sun != vec3(0.0)) {
        ray = RAY_TO_SUN;
        direction = to_sun;
        to_sun = vec3(0.0);
    } else if (SAMPLES_SKY && to_sky != vec3(0.0)) {
        ray = RAY_TO_SKY;
        direction = to_sky;
        to_sky = vec3(0.0);
    } else if (HAS_LAMPS && to_lamp != vec3(0.0)) {
        ray = RAY_TO_LAMP;
        direction = to_lamp;
        to_lamp = vec3(0.0);
    } else if (ASKS_SKY && to_open != vec3(0.0)) {
        ray = RAY_TO_OPEN;
        direction = to_open;
        to_open = vec3(0.0);
    } else {
        ray = RAY_ONWARDS;
        direction = onwards;
    }
    return direction != vec3(0.0);
}

layout(constant_id = 54) const bool KEEPS_COVERAGE = true;  // where nobody asks for it, something else is bound
layout(set = 0, binding = 66, r32f) uniform image2D coverage;

// What a path's light is part of, by what the camera's ray meets first.
const uint MEETS_NOTHING = 0u;
const uint MEETS_GROUND = 1u;
const uint MEETS_AIR = 2u;
const uint MEETS_WATER = 3u;
uint meets = MEETS_NOTHING;
vec3 light = vec3(0.0);  // of this path
Parts parts = NO_PARTS;

// Add light that comes to vertex `vertex` of the path, or to the camera where that is 0.
void receive(vec3 more, uint vertex) {
    light += more;
    if (!KEEPS_PARTS) return;
    if (meets == MEETS_NOTHING || meets == MEETS_AIR) parts.air += more;
    else if (meets == MEETS_GROUND && vertex == 1u) parts.direct += more;
    else parts.indirect += more;
}

void main() {
    // Eight invocations in a row, which a CPU driver runs as one, are 4 x 2 pixels: their rays are more alike than a row's.
    uint i = gl_LocalInvocationIndex;
    uvec2 in_group = uvec2((i & 3u) | (i >> 1 & 4u), (i >> 2 & 1u) | (i >> 3 & 6u));
    ivec2 pixel = ivec2(gl_WorkGroupID.xy * gl_WorkGroupSize.xy + in_group) + ivec2(0, path.first_row);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    pixel_key = pixel_seed(uvec2(pixel), PURPOSE_PATH, frame.seed);

    // Of this batch: the mean radiance, the luminance's deviation, hits, and what they saw of sun and sky.
    vec3 mean = vec3(0.0);
    float squares = 0.0, hits = 0.0, suns = 0.0, skies = 0.0, waters = 0.0, covered = 0.0;
    Parts all_parts = NO_PARTS;

    // Of this path.
    vec3 throughput = vec3(1.0);
    uint vertex = 0u;
    // Of this ray: from where (grid space) and along what (world), and what for. Rays to the lights come first, then the one
    // that goes onwards; what they bring waits here until the tracer says whether they arrive.
    vec3 origin, direction;
    uint on = HIT_NOTHING;  // what the ray leaves
    uint ray = RAY_ONWARDS;
    vec3 to_sun = vec3(0.0), sunlight = vec3(0.0);
    vec3 to_sky = vec3(0.0), skylight = vec3(0.0);
    vec3 to_lamp = vec3(0.0), lamplight = vec3(0.0);
    float lamp_distance = 0.0;
    float sun_lift = 0.0, lamp_lift = 0.0;  // how far above the ground those rays start, see include/terminator.glsl
    vec3 to_open = vec3(0.0);
    vec3 onwards = vec3(0.0);
    float onwards_density = 0.0;
    float sun_reach = FAR;  // how far the ray to the sun is traced at most
    bool escapes = false;  // whether the ray onwards from a vertex surely leaves the ground
    bool first_on_ground = false;  // whether this is the ground as the camera sees it, which tells what it sees of the lights
    // Of water: whether the path is in it, how often it has met its surface; what the sun's disc adds where a path from the
    // camera is mirrored to it; and of a ray to the sun, how far it goes under water, and where after that; and where the
    // other rays of its vertex start.
    bool wet = false;
    uint crossings = 0u;
    vec3 mirrored_sun = vec3(0.0), beyond = vec3(0.0), from = vec3(0.0);
    float wet_metres = FAR;
    uint from_on = HIT_NOTHING;

    float clear_depth = imageLoad(beams, ivec2(gl_WorkGroupID.xy)).r, t_clear;
    uint done = 0u;
    sample_number = frame.sample_index;
    throughput *= start_path(uvec2(pixel), clear_depth, origin, direction, t_clear);
    origin = view_origin(origin);
    while (true) {
        // A CPU driver would run what a vertex needs for the rays to lights as well: there these go on until all are done.
        Hit hit;
        bool missed, arrived, ended = false;
        while (true) {
            float reach = HAS_LAMPS && ray == RAY_TO_LAMP ? lamp_distance : FAR;
            if (HAS_WATER && ray == RAY_TO_SUN) reach = wet_metres;
            if (HAS_SHADES && ray == RAY_TO_SUN) reach = sun_reach;
            float lift = on != HIT_GROUND ? 0.0 : ray == RAY_TO_SUN ? sun_lift : ray == RAY_TO_LAMP ? lamp_lift : 0.0;
            vec3 start = vec3(origin.xy, origin.z + lift);
            hit = trace_grid(start, direction * grid_scale, reach, lift == 0.0 ? on : HIT_NOTHING, t_clear);
            t_clear = 0.0;
            missed = hit.kind == HIT_NOTHING;
            arrived = ray == RAY_ONWARDS;
            if (arrived) break;
            if (HAS_WATER && ray == RAY_TO_SUN && missed && wet_metres < FAR) {
                origin = vec3((origin + direction * grid_scale * wet_metres).xy, water.level);
                on = HIT_NOTHING;
                direction = beyond;
                wet_metres = FAR;
            } else {
                if (ASKS_SKY && ray == RAY_TO_OPEN) skies += missed ? 1.0 : 0.0;
                else if (missed) receive(ray == RAY_TO_SUN ? sunlight : ray == RAY_TO_SKY ? skylight : lamplight, vertex);
                if (missed && ray == RAY_TO_SUN && first_on_ground) suns += 1.0;
                if (HAS_WATER) {  // a ray to the sun may have gone on from the surface
                    origin = from;
                    on = from_on;
                }
                ended = !next_ray(to_sun, to_sky, to_lamp, to_open, onwards, ray, direction);
            }
            if (!WALK_TOGETHER || ended) break;
            if (escapes && ray == RAY_ONWARDS) break;
        }
        bool at_sky = false;  // whether light from the sky comes to a vertex, along the ray onwards
        if (arrived) {
            float t = missed ? FAR : hit.t;
            bool in_medium = false, crosses = false;
            vec3 out_of_water;
            if (HAS_WATER) {
                float t_water;
                if (wet) {
                    t_water = water_exit(origin, direction, out_of_water);
                    crosses = t_water < t;
                } else crosses = water_hit(origin, direction, t, t_water, out_of_water);
                if (crosses) t = t_water;
                if (wet) {
                    vec3 weight;
                    in_medium = sample_water_flight(t, throughput, draw_crossing(vertex + crossings, 3u), t, weight);
                    throughput *= weight;
                }
            }
            if (meets == MEETS_NOTHING) {
                if (KEEPS_WATER && crosses) waters += 1.0;
                if (KEEPS_COVERAGE && (crosses || !missed)) covered += 1.0;
            }
            bool fogs = MEDIUM_KIND != MEDIUM_UNIFORM || (vertex == 0u && crossings == 0u);
            if (frame.background_kind == BACKGROUND_NONE && missed && !crosses && vertex == 0u && crossings == 0u) fogs = false;
            if (MEDIUM_KIND != MEDIUM_NONE && fogs && !wet) {
                vec3 weight;
                in_medium =
                    sample_free_flight(grid_to_world(origin), direction, t, draw(vertex, DRAW_FLIGHT), t, weight);
                throughput *= weight;
            }
            bool on_map_water = HAS_WATER && MAP_WATER && crosses;  // which is a surface as the ground is
            if (HAS_WATER && !MAP_WATER && crosses && !in_medium) {
                vec3 n = wet ? -out_of_water : out_of_water, facet = n;
                float alpha = SMOOTHEST;
                if (vertex == 0u && crossings == 0u) {
                    vec3 left;
                    receive(throughput * air_light(direction, t, left), 0u);
                    throughput *= left;
                    hits += 1.0;
                    meets = MEETS_WATER;
                    seen_water(grid_to_world(origin + t * direction * grid_scale), direction, t, n, n, alpha);
                    facet = water_facet(n, -direction, alpha, draw_crossing(0u, 0u));
                    if (ASKS_SKY) to_open = towards_open(n, out_of_water);
                }
                origin += t * direction * grid_scale;
                origin = vec3(clamp(origin.xy, vec2(0.0), vec2(grid_cells)), n.z != 0.0 ? water.level : origin.z);
                float reflected = fresnel(dot(-direction, facet), wet ? 1.0 / water.ior : water.ior);
                // What is mirrored may be bright where little of it is, so the camera's paths look that way oftener.
                float chance = reflected > 0.0 && reflected < 1.0 && vertex == 0u ? clamp(reflected, 0.25, 0.75) : reflected;
                bool mirrors = draw_crossing(crossings, 1u).x < chance;
                if (HAS_SUN && vertex == 0u && crossings == 0u) {
                    Glint glint = sun_glint(direction, n, alpha, facet, out_of_water, SOFT, draw_crossing(0u, 2u));
                    to_sun = glint.from;
                    sunlight = throughput * glint.light;
                    first_on_ground = true;
                    mirrored_sun = mirrors ? glint.of_disc : vec3(0.0);
                } else mirrored_sun = vec3(0.0);
                throughput *= mirrors ? reflected / chance : (1.0 - reflected) / (1.0 - chance);
                if (mirrors) {
                    onwards = wet ? reflect(direction, facet) : water_mirrored(direction, facet, out_of_water);
                } else {
                    onwards = wet ? refract(direction, facet, water.ior) : water_entered(direction, facet, out_of_water);
                    throughput *= wet ? water.ior * water.ior : 1.0 / (water.ior * water.ior);
                    wet = !wet;
                }
                onwards_density = FAR;  // nothing else leads there
                on = HIT_NOTHING;
                from = origin;
                from_on = HIT_NOTHING;
                wet_metres = FAR;
                ended = ++crossings == MOST_CROSSINGS;
            } else if (missed && !in_medium && !on_map_water) {
                if (HAS_WATER && vertex == 0u && crossings > 0u) {
                    receive(throughput * (sky_radiance(direction) + mirrored_sun), vertex);
                } else if (vertex == 0u) {
                    receive(throughput * (frame.background_kind == BACKGROUND_SKY ? sky_seen(direction) : frame.background), 0u);
                } else at_sky = true;
                ended = true;
            } else {
                SurfacePoint point;
                vec3 n = vec3(0.0), view = -direction;
                bool from_behind = false;
                if (!in_medium) {
                    if (on_map_water) {
                        vec3 at = origin + t * direction * grid_scale;
                        vec3 up = out_of_water;
                        point = SurfacePoint(at, up, up, map_water_albedo(at.xy), 1.0, 0.0, vec3(0.0));
                    } else point = surface_at(hit, origin, direction * grid_scale);
                    n = point.normal;
                    from_behind = vertex > 0u && dot(direction, point.geometric_normal) > 0.0;
                }
                if (vertex == 0u && crossings == 0u) {
                    vec3 left;
                    receive(throughput * air_light(direction, t, left), 0u);
                    throughput *= left;
                    if (!in_medium) hits += 1.0;
                    meets = in_medium ? MEETS_AIR : MEETS_GROUND;
                }
                if (!in_medium && !from_behind) {
                    vec3 glow = throughput * point.emission;
                    if (KEEPS_PARTS && meets == MEETS_GROUND && vertex == 0u) {
                        light += glow;
                        parts.emitted += glow;
                    } else receive(glow, vertex + 1u);
                }
                first_on_ground = vertex == 0u && !in_medium && crossings == 0u;
                ++vertex;
                ended = vertex >= path.max_depth || from_behind;
                if (!ended) {
                    Surface surface;
                    float share = 0.0;
                    if (!in_medium) {
                        surface = make_surface(
                            point.albedo, point.roughness, point.metallic, terrain.specular, dot(n, view));
                        if (on_map_water) surface = Surface(point.albedo, 1.0, vec3(0.0), vec3(0.0));
                        share = glossy_share(surface, n, view);
                    }
                    origin = in_medium ? origin + t * direction * grid_scale : point.grid;
                    on = in_medium ? HIT_NOTHING : on_map_water ? HIT_WATER : hit.kind;
                    bool on_ground = on == HIT_GROUND;
                    vec3 world = grid_to_world(origin);
                    if (HAS_WATER) {
                        from = origin;
                        from_on = on;
                        wet_metres = FAR;
                    }
                    if (HAS_SUN) {
                        vec3 l = frame.sun_direction;
                        if (SOFT) l = cone_direction(draw(vertex, DRAW_SUN), l, frame.sun_cos_radius);
                        sunlight = throughput * frame.sun_irradiance * light_transmittance(world, l);
                        if (HAS_WATER && wet) {
                            float share;
                            beyond = l;
                            l = light_into_water(l, share);
                            wet_metres = max((water.level - origin.z) / (l.z * grid_scale.z), 0.0);
                            sunlight *= share * water_transmittance(wet_metres);
                        }
                        sun_lift = 0.0;
                        if (on_ground) sun_lift = terminator_lift(load_patch(hit.cell), hit.cell, hit.uv, n, l);
                        bool faces = in_medium || dot(point.geometric_normal, l) > 0.0 || sun_lift > 0.0;
                        float scattered = HAS_WATER && wet ? WATER_PHASE : phase(dot(direction, l));
                        sunlight *= in_medium ? vec3(scattered) : brdf_cosine(surface, n, view, l);
                        if (l.z > 0.0 && faces && (first_on_ground || sunlight != vec3(0.0))) to_sun = l;
                        if (HAS_HORIZONS && on_ground && to_sun != vec3(0.0)) {
                            vec3 start = vec3(origin.xy, origin.z + sun_lift);
                            if (HAS_SHADES) sun_reach = ground_before_sun(start, l * grid_scale);
                            else sun_reach = over_horizon(start, l * grid_scale) ? 0.0 : FAR;
                            if (sun_reach == 0.0) {
                                receive(sunlight, vertex);
                                if (first_on_ground) suns += 1.0;
                            }
                            if (sun_reach <= 0.0) to_sun = vec3(0.0);
                        } else sun_reach = FAR;
                    }
                    if (SAMPLES_SKY) {
                        float density;
                        to_sky = sample_environment(draw(vertex, DRAW_SKY), density);
                        float scattered = in_medium ? phase(dot(direction, to_sky)) : 0.0;
                        density += in_medium ? scattered : scatter_density(surface, n, view, to_sky, share);
                        skylight = throughput * sky_radiance(to_sky) * light_transmittance(world, to_sky) / density;
                        skylight *= in_medium ? vec3(scattered) : brdf_cosine(surface, n, view, to_sky);
                        bool faces = in_medium || dot(point.geometric_normal, to_sky) > 0.0;
                        if (!faces || wet || skylight == vec3(0.0)) to_sky = vec3(0.0);
                    }
                    if (HAS_LAMPS) {
                        Lamp lamp = lights.lamps[min(uint(draw(vertex, DRAW_LAMP).x * float(lights.count)), lights.count - 1u)];
                        vec3 away = lamp.position - world;
                        lamp_distance = max(length(away), 1.0e-3);
                        to_lamp = away / lamp_distance;
                        lamplight = throughput * lamp_intensity(lamp, -to_lamp) * float(lights.count);
                        lamplight *= medium_transmittance(world, to_lamp, lamp_distance) / (lamp_distance * lamp_distance);
                        lamplight *= in_medium ? vec3(phase(dot(direction, to_lamp))) : brdf_cosine(surface, n, view, to_lamp);
                        lamp_lift = 0.0;
                        if (on_ground) lamp_lift = terminator_lift(load_patch(hit.cell), hit.cell, hit.uv, n, to_lamp);
                        bool faces = in_medium || dot(point.geometric_normal, to_lamp) > 0.0 || lamp_lift > 0.0;
                        if (!faces || wet || lamplight == vec3(0.0)) to_lamp = vec3(0.0);
                    }
                    if (in_medium) {
                        onwards = sample_phase(direction, draw(vertex, DRAW_DIRECTION));
                        if (wet) onwards = water_scattered(draw(vertex, DRAW_DIRECTION));
                        onwards_density = phase(dot(direction, onwards));
                    } else {
                        throughput *= scatter(surface, n, view, vertex, share, onwards, onwards_density);
                        if (ASKS_SKY && first_on_ground) to_open = towards_open(n, point.geometric_normal);
                        if (dot(point.geometric_normal, onwards) <= 0.0) onwards = vec3(0.0);
                    }
                    if (vertex >= path.roulette_depth) {
                        float survival = min(0.95, max(throughput.r, max(throughput.g, throughput.b)));
                        throughput = draw(vertex, DRAW_CHOICE).x < survival ? throughput / survival : vec3(0.0);
                    }
                    // The first bounce goes on even from black ground: it tells how much of the sky is seen.
                    if (!first_on_ground && throughput == vec3(0.0)) onwards = vec3(0.0);
                    escapes = HAS_HORIZONS && on_ground && over_horizon(origin, onwards * grid_scale);
                }
            }
        }
        if (arrived && !ended) ended = !next_ray(to_sun, to_sky, to_lamp, to_open, onwards, ray, direction);
        if (HAS_HORIZONS && !ended && escapes && ray == RAY_ONWARDS) {
            at_sky = true;
            ended = true;
        }
        if (at_sky) {
            float weight = 1.0;
            if (SAMPLES_SKY) weight = onwards_density / (onwards_density + environment_density(direction));
            receive(weight * throughput * sky_radiance(direction), vertex);
            if (!ASKS_SKY && first_on_ground && direction.z > 0.0) skies += 1.0;
        }
        if (!ended) continue;
        ++done;
        float before = luminance(mean);
        mean += (light - mean) / float(done);
        if (KEEPS_PARTS) {
            all_parts.direct += parts.direct;
            all_parts.indirect += parts.indirect;
            all_parts.emitted += parts.emitted;
            all_parts.air += parts.air;
            parts = NO_PARTS;
        }
        float value = luminance(light);
        squares += (value - before) * (value - luminance(mean));  // Welford 1962
        if (done == path.samples) break;
        light = vec3(0.0);
        throughput = vec3(1.0);
        vertex = 0u;
        meets = MEETS_NOTHING;
        crossings = 0u;
        wet = false;
        ray = RAY_ONWARDS;
        to_sun = vec3(0.0);
        to_open = vec3(0.0);
        on = HIT_NOTHING;
        sample_number = frame.sample_index + done;
        throughput *= start_path(uvec2(pixel), clear_depth, origin, direction, t_clear);
        origin = view_origin(origin);
    }

    // Join the batch to those before it (Chan, Golub and LeVeque 1983).
    vec4 all_light = vec4(mean, hits / float(done));
    vec2 visibility = hits > 0.0 ? vec2(suns, skies) / hits : vec2(0.0);
    if (frame.sample_index > 0u) {
        vec4 earlier = imageLoad(radiance, pixel);
        float count = float(frame.sample_index), share = float(done) / (count + float(done));
        float step = luminance(all_light.rgb) - luminance(earlier.rgb);
        squares += imageLoad(deviation, pixel).r + step * step * count * share;
        float hits_before = round(earlier.w * count);
        vec2 seen = vec2(imageLoad(sun_visibility, pixel).r, imageLoad(sky_visibility, pixel).r);
        visibility = (vec2(suns, skies) + seen * hits_before) / max(hits + hits_before, 1.0);
        all_light = mix(earlier, all_light, share);
    }
    float count = float(done), share = count / (float(frame.sample_index) + count);
    if (KEEPS_PARTS) {
        all_parts = Parts(
            all_parts.direct / count, all_parts.indirect / count, all_parts.emitted / count, all_parts.air / count);
    }
    join_parts(all_parts, waters / count, share, pixel);
    if (KEEPS_COVERAGE) {
        covered /= count;
        if (share < 1.0) covered = mix(imageLoad(coverage, pixel).r, covered, share);
        imageStore(coverage, pixel, vec4(covered));
    }
    imageStore(radiance, pixel, all_light);
    imageStore(deviation, pixel, vec4(min(squares, MOST_SQUARES)));
    imageStore(sun_visibility, pixel, vec4(visibility.x));
    imageStore(sky_visibility, pixel, vec4(visibility.y));
}
