// The tables of include/prefiltered.glsl: one weighted mean over all directions for each direction and roughness.
//
// Bindings (set 0):
//   40  environment        readonly buffer    see include/environment.glsl
//   41  environment_map    sampler2D
//   42  environment_rows   sampler2D
//   43  light              sampler2D          pyramid of light, see environment/cluster.comp
//   44  centre             sampler2D
//   45  middle             sampler2D
//   46  tables             writeonly rgba32f
//
// A sum over the pyramid's cells, near ones fine and far ones coarse, as Barnes and Hut 1986 sum gravity: no light is missed
// however small its source, and nothing is drawn at random.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/prefiltered.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 43) uniform sampler2D light;
layout(set = 0, binding = 44) uniform sampler2D centre;
layout(set = 0, binding = 45) uniform sampler2D middle;
layout(set = 0, binding = 46, rgba32f) writeonly uniform image2D tables;

// A cell is opened where it is larger than this part of the weight's scale there: the angle from r plus the lobe's width,
// and for wide lobes the angle to their kink. Finer than the weight asks: a lamp draws all colours of its cell to itself.
const float OPENING = 0.3;

// The mean over a cell's light of the weight D(h) n.l with n = v = r, up to a factor. `mean` is the mean direction of that
// light, shorter than 1 as it is spread: its variance is 2 (1 - length). To the second order the mean is the weight in that
// direction and a quarter of the variance times the weight's Laplacian on the sphere.
float mean_weight(vec3 mean, vec3 axis, float alpha2) {
    float size = length(mean);
    vec3 away = mean / size - axis;
    float chord2 = dot(away, away);  // cos^2 of h's angle is 1 - chord2 / 4
    // The kink is no series: there it is the mean of max(0, cosine) of cosines spread evenly with half the variance.
    float cosine = 1.0 - 0.5 * chord2, around = sqrt(max(3.0 * (1.0 - size), 1.0e-12));
    float above = clamp(cosine + around, 0.0, 2.0 * around);
    cosine = max(cosine, above * above / (4.0 * around));
    float slope = 0.25 * (1.0 - alpha2);
    float spread = 1.0 / (alpha2 + slope * chord2), peak = spread * spread;
    if (above < 2.0 * around) return cosine * peak;
    // The weight's derivatives by chord2.
    float first = -(0.5 + 2.0 * cosine * slope * spread) * peak;
    float second = (2.0 + 6.0 * cosine * slope * spread) * slope * spread * peak;
    float laplacian = 4.0 * (cosine * first + chord2 * (1.0 - 0.25 * chord2) * second);
    return cosine * peak + 0.5 * max(0.0, 1.0 - size) * laplacian;
}

void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    int table = TABLES - 1;
    while (at.y < TABLE_ROW[table]) --table;
    ivec2 size = ivec2(TABLE_WIDTH[table], TABLE_WIDTH[table] / 2);
    if (at.x >= size.x || at.y >= TABLES_SIZE.y) return;
    vec2 uv = (vec2(at.x, at.y - TABLE_ROW[table]) + 0.5) / vec2(size);
    vec3 axis = equirectangular_direction(uv.x, cos(PI * uv.y), 0.0);
    float alpha = table_alpha(table), alpha2 = alpha * alpha;

    int top = textureQueryLevels(light) - 1;  // two cells, the west and the east
    vec3 sum = vec3(0.0);
    float weights = 0.0;
    ivec2 cell = ivec2(0);
    int level = top;
    while (true) {
        vec4 middle_of_light = texelFetch(centre, cell, level);
        vec3 away = normalize(middle_of_light.xyz) - axis;
        float chord2 = dot(away, away);
        float extent = PI * exp2(float(level - top));  // of the cell from top to bottom, and across at the equator
        bool behind = 1.0 - 0.5 * chord2 < -extent;
        float scale = min(sqrt(chord2) + 2.0 * alpha, 0.5 / alpha + abs(1.0 - 0.5 * chord2));
        bool open = level > 0 && !behind && extent > OPENING * scale;
        if (open) {
            --level;
            cell *= 2;
            continue;
        }
        if (!behind) {
            vec4 of_cell = texelFetch(light, cell, level);
            sum += of_cell.rgb * mean_weight(middle_of_light.xyz / middle_of_light.w, axis, alpha2);
            // The weights' sum is by the cells' middles: by where their light is, what is bright would count twice.
            weights += of_cell.w * mean_weight(texelFetch(middle, cell, level).xyz / of_cell.w, axis, alpha2);
        }
        // On to the next of four siblings, or up and on from there; the top level has but two.
        while (level < top && (cell & 1) == ivec2(1)) {
            cell >>= 1;
            ++level;
        }
        if (level == top) {
            if (cell.x == 1) break;
            cell.x = 1;
        } else if ((cell.x & 1) == 0) {
            ++cell.x;
        } else {
            cell += ivec2(-1, 1);
        }
    }
    imageStore(tables, at, vec4(sum / weights, 1.0));
}
