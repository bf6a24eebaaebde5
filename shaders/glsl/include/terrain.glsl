// The heightfield as shaders see it, and its grid space.
//
// Bindings (set 0):
//   0  terrain   readonly buffer size, grid transform and surface of the heightfield
//   1  heights   sampler2D       one elevation a sample in metres, row 0 north; -1e30 where there is none
//
// A buffer and not a uniform block, because lavapipe (Mesa 22.3.6) compiles a shader anew, and keeps it, for the values
// of a uniform that branches depend on: 500 KiB and milliseconds a submission. Shaders work on a copy of what it holds: the
// same driver reads a buffer lane by lane, each time again, but for reads at the start, where all lanes go the same way.
//
// Grid space: x counts columns east, y counts rows south, from the first sample; z is the elevation in steps of
// 1/65531 of the DEM's range, with the lowest point at 2 and the highest at 65533, so that pyramid bounds are integers.
// The map from the world is affine and axis-aligned, so a ray's parameter is the same in both spaces.
#ifndef VKFORGE_TERRAIN_GLSL
#define VKFORGE_TERRAIN_GLSL

const float LOWEST = 2.0;          // grid z of the lowest point
const float HOLE_BELOW = -1.0e29;  // elevations under this are holes; the host writes -1e30 for NaN

struct TerrainValues {
    vec3 origin;         // world position of grid (0, 0, LOWEST): the first sample's column, at the lowest elevation
    vec3 scale;          // grid units per metre; y is negative, z includes the vertical exaggeration
    float height_low;    // lowest elevation, metres; subtracted first, so that a high datum costs no precision
    float height_scale;  // grid z per metre of stored elevation
    ivec2 cells;         // columns - 1, rows - 1
    int top_level;       // highest pyramid level
    float base;          // grid z of the skirt's base plane
    uint albedo_kind;    // 0 constant, 1 texture over the DEM's outer extent, 2 ramp over elevation
    float ramp_low;      // elevation in metres at the ramp's first colour
    float ramp_high;     // and at its last
    vec3 albedo;         // linear colour where albedo_kind is 0
    vec3 skirt_albedo;   // linear colour of walls and base
    float roughness;     // perceptual: the GGX alpha is its square
    float metallic;
    float specular;      // scales a dielectric's reflectance at normal incidence, 0.08 at 1
    uint reads_material; // 1 where roughness and metallic differ from place to place
    float normal_strength;
    float detail_normal_strength;
    float detail_normal_frequency; // repetitions a metre
    vec3 emission;       // radiance that the ground sends out, linear
};

layout(set = 0, binding = 0, scalar) readonly buffer Terrain { TerrainValues terrain; } stored_terrain;
TerrainValues terrain = stored_terrain.terrain;

ivec2 grid_cells = terrain.cells;
vec3 grid_scale = terrain.scale;
float height_low = terrain.height_low, height_scale = terrain.height_scale;

layout(set = 0, binding = 1) uniform sampler2D heights;

// Stored elevations in grid units; a hole stays far below anything.
vec4 grid_height(vec4 elevations) {
    return (elevations - height_low) * height_scale + LOWEST;
}

float sample_height(ivec2 at) { return grid_height(texelFetch(heights, at, 0).rrrr).x; }

// Whether a grid-space height came from a hole.
bool is_hole(float height) {
    return height < HOLE_BELOW * height_scale;
}

vec3 world_to_grid(vec3 world) { return (world - terrain.origin) * grid_scale + vec3(0.0, 0.0, LOWEST); }
vec3 grid_to_world(vec3 grid) { return (grid - vec3(0.0, 0.0, LOWEST)) / grid_scale + terrain.origin; }

// A normal from the surface's slopes in grid units per cell (along columns, along rows), in the world.
vec3 normal_from_slopes(vec2 slopes) {
    return normalize(vec3(-slopes * grid_scale.xy, grid_scale.z));
}

#endif
