// A level of the pyramid of light over the environment map: how much comes from each cell of the sphere, and from where.
//
// Bindings (set 0):
//   40  environment        readonly buffer    see include/environment.glsl
//   41  environment_map    sampler2D
//   42  environment_rows   sampler2D
//   43  finer_light        readonly rgba32f   the level below; for the first the level itself, not read
//   44  finer_centre       readonly rgba32f
//   45  finer_middle       readonly rgba32f
//   46  light              writeonly rgba32f  radiance times solid angle; w is the solid angle
//   47  centre             writeonly rgba32f  sum of unit directions, each by its light's luminance, whose sum is w
//   48  middle             writeonly rgba32f  sum of unit directions, each by its solid angle
//
// A cell that holds one lamp stands for it where it is, whatever the cell's size: the centre says where.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/environment.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(constant_id = 40) const bool FIRST = false;  // whether the level is made from the map

layout(set = 0, binding = 43, rgba32f) readonly uniform image2D finer_light;
layout(set = 0, binding = 44, rgba32f) readonly uniform image2D finer_centre;
layout(set = 0, binding = 45, rgba32f) readonly uniform image2D finer_middle;
layout(set = 0, binding = 46, rgba32f) writeonly uniform image2D light;
layout(set = 0, binding = 47, rgba32f) writeonly uniform image2D centre;
layout(set = 0, binding = 48, rgba32f) writeonly uniform image2D middle;

const float LEAST_WEIGHT = 1.0e-12;  // of a steradian: where all is black the centre is the middle

void main() {
    ivec2 cell = ivec2(gl_GlobalInvocationID.xy);
    ivec2 size = imageSize(light);
    if (any(greaterThanEqual(cell, size))) return;
    vec4 sum = vec4(0.0);
    vec4 of_light = vec4(0.0);
    vec3 of_cell = vec3(0.0);
    if (FIRST) {
        // At least two points a texel along each axis, so that all of the bilinear map counts.
        int points = (2 * environment.size.y + size.y - 1) / size.y;
        points = max(points, 2);
        float step = 1.0 / float(points);
        vec2 extent = vec2(2.0 * PI, PI) / vec2(size * points);
        for (int i = 0; i < points * points; ++i) {
            vec2 uv = (vec2(cell) + (vec2(i % points, i / points) + 0.5) * step) / vec2(size);
            float solid_angle = extent.x * 2.0 * sin(PI * uv.y) * sin(0.5 * extent.y);
            vec3 flux = environment_texels(uv) * solid_angle;
            float weight = dot(flux, vec3(0.2126, 0.7152, 0.0722)) + LEAST_WEIGHT * solid_angle;
            sum += vec4(flux, solid_angle);
            vec3 direction = equirectangular_direction(uv.x, cos(PI * uv.y), 0.0);
            of_light += weight * vec4(direction, 1.0);
            of_cell += solid_angle * direction;
        }
    } else {
        for (int i = 0; i < 4; ++i) {
            ivec2 child = 2 * cell + ivec2(i & 1, i >> 1);
            sum += imageLoad(finer_light, child);
            of_light += imageLoad(finer_centre, child);
            of_cell += imageLoad(finer_middle, child).xyz;
        }
    }
    imageStore(light, cell, sum);
    imageStore(centre, cell, of_light);
    imageStore(middle, cell, vec4(of_cell, 0.0));
}
