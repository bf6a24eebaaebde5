// Depth of field: what each pixel sees through the whole lens, gathered from the picture that a pinhole sees.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  front      readonly rgba32f   the picture through a pinhole, see post/dof_circles.comp
//   5  radiance   readonly rgba32f   likewise, with nothing taken out
//   67 light_place  readonly rgba32f  see lighting/accumulate.comp; read where HAS_PLACE
//   85 blur       readonly buffer    see include/blur.glsl
//   86 nearness   readonly r32f      see post/dof_circles.comp
//   87 near       readonly rgba32f   atlas, see post/dof_shrink.comp
//   88 far        readonly rgba32f   likewise
//   89 near_place readonly rgba32f   likewise
//   80 far_place  readonly rgba32f   likewise
//   81 circles    readonly r32f      likewise
//   84 behind     readonly rgba32f   likewise
//   83 reach      readonly rgba32f   see post/dof_reach.comp
//   82 blurred    writeonly rgba32f  the picture; w is 1
//
// Each point is spread evenly over its circle. So a pixel, in turn, sees a point through a part of the lens: one over the
// circle's area. These parts are summed in three groups: what lies before the pixel's own surface, on it, and behind it.
// A surface that goes on fills the lens just once, however it is cut into groups; at silhouettes there is more, and what
// is farther back is hidden. Where there is less, a pinhole did not see what the lens sees: what lies behind is guessed.
// (Scatter as gather with depth order: Jimenez 2014, "Next Generation Post Processing in Call of Duty"; the fill of the
// background: Abadie 2018, "A Life of a Bokeh".)
//
// Points at a distance are read from a level of the atlas whose texels are a third to a sixth of it wide, so that their count
// grows with the logarithm of the circle, all of them count, and nothing is noisy. The levels fade over to each other.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/blur.glsl"

layout(local_size_x = TILE, local_size_y = TILE) in;

layout(constant_id = 89) const bool HAS_PLACE = false;  // whether it is known where in a pixel its light is
layout(constant_id = 87) const int BLADES = 0;  // sides of a polygon, or a disc

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D front;
layout(set = 0, binding = 5, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 67, rgba32f) readonly uniform image2D light_place;
layout(set = 0, binding = 86, r32f) readonly uniform image2D nearness;
layout(set = 0, binding = 87, rgba32f) readonly uniform image2D near;
layout(set = 0, binding = 88, rgba32f) readonly uniform image2D far;
layout(set = 0, binding = 89, rgba32f) readonly uniform image2D near_place;
layout(set = 0, binding = 80, rgba32f) readonly uniform image2D far_place;
layout(set = 0, binding = 81, r32f) readonly uniform image2D circles;
layout(set = 0, binding = 84, rgba32f) readonly uniform image2D behind;
layout(set = 0, binding = 83, rgba32f) readonly uniform image2D reach;
layout(set = 0, binding = 82, rgba32f) writeonly uniform image2D blurred;

const int MARGIN = int(TEXELS) + 1;
const int SIDE = TILE + 2 * MARGIN;  // texels that the pixels of a group look at
shared vec4 lights[SIDE * SIDE];  // times the part of the lens that sees the texel, which is w
shared int discs[SIDE * SIDE];  // a circle's radius and its place, see disc_of
shared float nears[SIDE * SIDE];  // nearness
// Of a bent picture, where a pinhole sees the texel, right and down, in texels; and how much larger the picture shows it.
const int PLACES = BENT ? SIDE * SIDE : 1;
shared float rights[PLACES], downs[PLACES], growths[PLACES];

// What the soft edge of a circle, a pixel wide, and the width of the pixel add to the square of its radius. Light in wider
// texels has its place: there that is between what a lamp asks for and what an even surface does.
const float SOFT = 5.0 / 12.0, SOFT_PLACED = 1.0 / 8.0;
const float GOES_ON = 4.0;  // what goes on behind an edge fills at most so many times what is seen of it
const float SHARP = 0.5;  // pixels: a circle that stays in its pixel
const float ALIKE = 0.1;  // by how much circles may differ on one surface: in pixels, or of their nearness if that is less
const float STEEP_SHARE = 0.045;  // a surface's nearness changes by at most such a share of it from pixel to pixel
const float IN_FOCUS = 0.1;  // pixels: circles below this are taken for sharp

// How much of a distance, in texels, is a level's or a finer one's.
float level_fade(float texels) { return clamp((TEXELS + 1.0 - texels) / FADE, 0.0, 1.0); }

// Distance in a polygon's own measure, by which all its sides are at the cosine of half their angle.
float polygon_distance(vec2 offset) {
    float farthest = 0.0;
    for (int i = 0; i < BLADES; ++i) farthest = max(farthest, dot(offset, blur.sides[i]));
    return farthest;
}

// The area of a circle, in texels: about the sum of its edge over all of them. One of SHARP covers just its pixel.
float circle_area(float radius) {
    return blur.area * (radius * radius + 1.0 / 12.0) + (1.0 - blur.area / 3.0) * clamp(1.5 - radius, 0.0, 1.0);
}

// How much more than its area a wide circle's weights sum up to, by its radius in pixels: the levels fade over to each other
// there, and the same is so again with circles of twice the size. Measured, as a mean over all places.
float excess(float c) {
    float octaves = fract(log2(c / 11.3) + 0.5) - 0.5;
    return 1.0 + 0.017 * max(1.0 - octaves * octaves / (0.42 * 0.42), 0.0);
}

// The radius and the area for a circle of up to SMALL pixels, by a table of the host's (post/small_circles.py): there the sum
// over pixels is off from the area by as much as tells in the dark.
const float SMALL = 5.0, SMALL_STEPS = 10.0;  // a pixel
vec2 small_circle(float c) {
    int step = min(int(c * SMALL_STEPS), blur.small.length() - 2);
    return mix(blur.small[step], blur.small[step + 1], c * SMALL_STEPS - float(step));
}

// How much of its light's place within the pixel counts for a circle: the smaller it is, the less of the light gets out, and
// for those beyond PLACED the place means little.
const float PLACED = 2.0;  // pixels
float placed(float c) { return min(1.35 * c, 1.0) * clamp(5.0 * (PLACED - c), 0.0, 1.0); }

// Where a pinhole sees what the picture shows at uv, in pixels of its own, right and down.
vec2 pinhole_pixel(vec2 uv) { return vec2(0.5, -0.5) * vec2(frame.size) * uv; }

// A circle's radius in texels, negative behind the plane in focus, and where in its texel its light is, right and down of the
// middle. They share a word: what takes a pixel its time is what it fetches of each texel. Radii of 16 texels and more are
// alike here, and half a texel is kept to the bit, so that what is sharp stays so.
int disc_of(float radius, vec2 place) {
    ivec2 at = ivec2(round(place * 254.0)) & 255;
    return int(clamp(radius * 2048.0, -32768.0, 32767.0)) << 16 | at.x << 8 | at.y;
}
// Lower bits are left in: they are worth less than a number's last one.
float radius_of(int disc) { return float(disc) / (2048.0 * exp2(16.0)); }
vec2 place_of(int disc) { return vec2(disc << 16, disc << 24) / (254.0 * exp2(24.0)); }

// How much of what is at such a distance, in texels, is this level's; `finer` says whether there is a finer one.
float ring_at(const bool finer, float distance) {
    return finer ? level_fade(distance) - level_fade(2.0 * distance) : level_fade(distance);
}

// Whether an offset is within a circle, whose radius is negative behind the plane in focus; its edge is a texel wide.
float edge_at(vec2 offset, float radius) {
    float reached = length(offset);
    if (BLADES > 0) reached = polygon_distance(radius < 0.0 ? vec2(-offset.x, offset.y) : vec2(offset.x, -offset.y));
    return clamp(abs(radius) - reached + 0.5, 0.0, 1.0);
}

// The weight of light that is at `place` in its pixel, out of that of the pixel's middle, which is `offset` away: the first terms
// of a Taylor series. Close to the ends of its slope the weight's edge is taken for a rounded one.
float weight_at(float edge, vec2 offset, float distance, vec2 place) {
    float steep = clamp(5.0 * min(edge, 1.0 - edge), 0.0, 1.0) / max(distance, 1.0e-6);
    return clamp(edge - steep * dot(place, offset), 0.0, 1.0);
}

// What such light is multiplied by, so that it weighs as much in all pixels together as in the middle of its own.
float normalization_at(float radius, vec2 place) {
    vec2 sums = vec2(0.0);
    for (int i = 0; i < 25; ++i) {
        vec2 offset = vec2(i % 5 - 2, i / 5 - 2);
        float edge = edge_at(offset, radius);
        sums += vec2(edge, weight_at(edge, offset, length(offset), place));
    }
    return sums.x / sums.y;
}

// How far the place of a texel's light is that of the texel: not where it has less than half of the mean over itself and the
// four beside it, since its part of the lens moves with it. A trace of light at the rim of what is dark moves no dark.
float place_share(ivec2 at, ivec2 size, int row, bool is_near, float light) {
    float around = light;
    for (int i = 0; i < 4; ++i) {
        ivec2 other = clamp(at + ivec2((i & 1) * (i - 2), (1 - (i & 1)) * (i - 1)), ivec2(0), size - 1) + ivec2(0, row);
        around += is_near ? imageLoad(near_place, other).z : imageLoad(far_place, other).z;
    }
    return clamp(10.0 * light / max(around, 1.0e-30) - 1.0, 0.0, 1.0);
}

// Stage the texels around the group; return the first one.
ivec2 stage(int level, bool is_near, int margin, out int count) {
    float texel = float(1 << level), per_texel = 1.0 / texel, sharp = SHARP * SHARP * per_texel * per_texel;
    ivec2 group = ivec2(gl_WorkGroupID.xy) * TILE, first = (group >> level) - margin, size = level_size(level);
    count = ((group.x + TILE - 1) >> level) + margin - first.x + 1;
    int row = level_row(level);
    barrier();
    for (int i = int(gl_LocalInvocationIndex); i < count * count; i += TILE * TILE) {
        ivec2 wanted = first + ivec2(i % count, i / count), at = clamp(wanted, ivec2(0), size - 1);
        vec2 uv = camera_uv((vec2(at) + 0.5) * texel), beside = vec2(0.0);
        vec4 light;
        float part;
        if (level == 0) {
            light = imageLoad(front, at);
            part = light.w;
            light.w = imageLoad(nearness, at).r;
        } else {
            ivec2 there = at + ivec2(0, row);
            light = is_near ? imageLoad(near, there) : imageLoad(far, there);
            vec4 seen = is_near ? imageLoad(near_place, there) : imageLoad(far_place, there);
            beside = seen.xy * place_share(at, size, row, is_near, seen.z);
            part = seen.w;
        }
        float c = circle(light.w, uv) * per_texel;
        // The soft edge spreads by as much as a circle that is so much larger.
        float radius = sqrt(max(c * c - (level == 0 ? SOFT : SOFT_PLACED), sharp)), area = circle_area(radius);
        if (abs(c) * texel >= SMALL) area *= excess(abs(c) * texel);
        if (level == 0 && abs(c) < SMALL) {
            vec2 found = small_circle(abs(c));
            radius = found.x;
            area = found.y;
            if (HAS_PLACE && abs(c) < PLACED) beside = placed(abs(c)) * imageLoad(light_place, at).xy;
        }
        nears[i] = light.w;
        discs[i] = disc_of(c < 0.0 ? -radius : radius, beside);
        lights[i] = part / area * vec4(light.rgb, 1.0);
        // Close to the middle a round circle loses nothing.
        if (level == 0 && any(greaterThan(abs(beside), vec2(BLADES > 0 ? 0.0 : 0.05)))) {
            lights[i].rgb *= normalization_at(c < 0.0 ? -radius : radius, beside);
        }
        if (BENT) {
            // Outside of the frame, where the border's pixels are repeated, it goes on as there.
            vec2 outside = vec2(wanted - at);
            vec3 bend = bending(uv);
            float area_growth = bend.x * bend.y - bend.z * bend.z;
            vec2 place = pinhole_pixel(uv) * per_texel + (bend.yx * outside - bend.z * outside.yx) / area_growth;
            rights[i] = place.x;
            downs[i] = place.y;
            growths[i] = sqrt(area_growth);
        }
    }
    barrier();
    return first;
}

// What lies behind something near, from as close by as there is any, over about the circle's width. In w is how sure it is
// that there is anything: a surface that goes on has circles like its own all around, and fills the lens.
vec4 guess_behind(vec2 at, float c, float missing) {
    vec4 seen = vec4(0.0);
    float nearer = 0.0;
    for (int level = 1; level <= LEVELS; ++level) {
        ivec2 size = level_size(level);
        vec2 place = at / float(1 << level) - 0.5, lower = floor(place), part = place - lower;
        int row = level_row(level);
        for (int i = 0; i < 4; ++i) {
            ivec2 corner = ivec2(i & 1, i >> 1);
            vec2 weights = mix(1.0 - part, part, vec2(corner));
            ivec2 texel = clamp(ivec2(lower) + corner, ivec2(0), size - 1) + ivec2(0, row);
            float weight = weights.x * weights.y;
            seen += weight * imageLoad(behind, texel);
            nearer += weight * imageLoad(circles, texel).r;
        }
        if (float(1 << level) >= 2.0 * c) break;
    }
    seen.rgb /= max(seen.w, 1.0e-30);
    float found = nearer / max(seen.w, 1.0e-30), share = seen.w * pow((1.0 + found) / 16.0, 16.0);
    float sure = max(smoothstep(0.15, 0.35, 1.0 - found / c), smoothstep(0.03, 0.08, missing));
    return vec4(seen.rgb, sure * smoothstep(0.0, 0.08, share));
}

// By how much nearness changes from pixel to pixel of one surface, at most.
float steepest(float own) { return min(STEEP, STEEP_SHARE * abs(own)); }

// What a mixed pixel shows of what is behind. Spread widely it is as good as nothing, but nothing else shows it sharp.
vec4 own_behind(ivec2 here, float own, vec2 uv, float share) {
    float nearer = own - ALIKE * min(abs(own), 1.0) - steepest(own), farthest = nearer;
    vec3 light = vec3(0.0);
    for (int i = 0; i < 9; ++i) {
        ivec2 other = clamp(here + ivec2(i % 3 - 1, i / 3 - 1), ivec2(0), frame.size - 1);
        float there = imageLoad(nearness, other).r;
        if (there >= farthest) continue;
        farthest = there;
        light = imageLoad(front, other).rgb;
    }
    if (farthest == nearer) return vec4(0.0);
    return share / circle_area(max(abs(circle(farthest, uv)), SHARP)) * vec4(light, 1.0);
}

vec4 all_of_it = vec4(0.0), before = vec4(0.0), beyond = vec4(0.0);  // light times part of the lens, and that part

// Sum up what is staged of a level, for a pixel in texel `centre`, `within` texels right and down of its middle. A pinhole sees
// the pixel at `place`, in texels.
void gather(
    const bool layered, const bool coarse, const bool fine, const bool finer, ivec2 centre, vec2 within, vec2 place,
    int margin, int count, float texel, float own
) {
    float alike_here = ALIKE * min(abs(own), 1.0), steep_here = texel * steepest(own);
    // Pixels are in the middle of theirs, and beside that of a coarser texel; its light is too.
    float corner = float(margin) + (texel > 1.0 ? 0.86 - 0.16 / texel : 0.01);
    for (int y = -margin; y <= margin; ++y) {
        int row = min(int(sqrt(corner * corner - float(y * y))), margin);
        int i = (centre.y + y) * count + centre.x - row;
        vec2 offset = vec2(float(-row), float(y)) - within;
        for (int x = -row; x <= row; ++x) {
            int disc = discs[i];
            float radius = radius_of(disc);
            vec2 lit_at = coarse ? place_of(disc) : vec2(0.0), straight = offset;
            if (BENT) {
                // It is in the pinhole's picture that circles are round. What is sharp stays in its pixel of this one.
                straight = growths[i] * (vec2(rights[i], downs[i]) - place);
                straight = mix(offset, straight, clamp(abs(radius) - SHARP, 0.0, 1.0));
            }
            straight += lit_at;
            float distance = length(offset + lit_at), ring = ring_at(finer, distance), edge = edge_at(straight, radius);
            vec4 seen = (ring * edge) * lights[i];
            if (fine) seen.rgb = ring * weight_at(edge, straight, distance, place_of(disc)) * lights[i].rgb;
            all_of_it += seen;
            if (layered) {
                float nearer = nears[i] - own, alike = alike_here + steep_here * distance;
                before += seen * float(nearer > alike);
                beyond += seen * float(nearer < -alike);
            }
            offset.x += 1.0;
            ++i;
        }
    }
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    bool inside = all(lessThan(pixel, frame.size));
    ivec2 here = min(pixel, frame.size - 1);
    vec4 bounds = imageLoad(reach, ivec2(gl_WorkGroupID.xy));
    float widest = max(bounds.x, bounds.y);
    if (widest <= IN_FOCUS) {
        if (inside) imageStore(blurred, pixel, vec4(imageLoad(radiance, here).rgb, 1.0));
        return;
    }
    vec2 at = vec2(here) + 0.5, uv = camera_uv(at);
    float own = imageLoad(nearness, here).r;
    // Where all circles are about alike there is one surface, and no group to tell apart.
    bool layered = (min(bounds.x, bounds.y) > 0.0 ? bounds.x + bounds.y : widest - bounds.w) > ALIKE * min(widest, 1.0) + 0.25 * widest;
    // Where every circle is wide, the finest levels are left out.
    int start = clamp(int(log2(max(bounds.z, TEXELS) / TEXELS)), 0, LEVELS);
    for (int level = start; level <= LEVELS; ++level) {
        float texel = float(1 << level);
        for (int field = 0; field < (level == 0 ? 1 : 2); ++field) {
            float largest = level == 0 ? widest : (field == 0 ? bounds.x : bounds.y);
            if (largest < (level == start ? IN_FOCUS : least_circle(level))) continue;
            int margin = min(int(ceil(largest / texel + 0.5)), MARGIN), count;
            ivec2 first = stage(level, field == 0, margin, count), centre = (here >> level) - first;
            vec2 within = at / texel - (vec2(centre + first) + 0.5);
            bool finer = level > start;
            vec2 place = BENT ? pinhole_pixel(uv) / texel : vec2(0.0);
            if (level > 0) {
                if (layered) gather(true, true, false, finer, centre, within, place, margin, count, texel, own);
                else gather(false, true, false, finer, centre, within, place, margin, count, texel, own);
            } else if (HAS_PLACE && bounds.z < PLACED) {
                if (layered) gather(true, false, true, finer, centre, within, place, margin, count, texel, own);
                else gather(false, false, true, finer, centre, within, place, margin, count, texel, own);
            } else {
                if (layered) gather(true, false, false, finer, centre, within, place, margin, count, texel, own);
                else gather(false, false, false, finer, centre, within, place, margin, count, texel, own);
            }
        }
    }
    float share = imageLoad(front, here).w;
    if (share < 1.0) {
        vec4 seen = own_behind(here, own, uv, 1.0 - share);
        all_of_it += seen;
        beyond += seen;
    }
    vec4 same = all_of_it - before - beyond;
    same.w = max(same.w, 0.0);  // the light is left as it is: parts of it are to add up to the whole
    vec4 lens = before * min(1.0, 1.0 / max(before.w, 1.0e-6));
    lens += same * clamp((1.0 - lens.w) / max(same.w, 1.0e-6), 0.0, 1.0);
    lens += beyond * clamp((1.0 - lens.w) / max(beyond.w, 1.0e-6), 0.0, 1.0);
    // What lies behind an edge goes on there. The less of it is seen beside the edge, the less is said by what is missing: sums
    // over texels are a few percent off.
    if (lens.w < 1.0) lens += beyond * min((1.0 - lens.w) / max(beyond.w, 1.0e-6), GOES_ON);
    vec4 hidden = same + beyond;
    if (before.w > 0.0 && lens.w < 1.0) lens += hidden * ((1.0 - lens.w) / max(hidden.w, 1.0e-6));
    float c = circle(own, uv);
    if (lens.w < 1.0 && c > 0.0) {
        vec4 guess = guess_behind(at, c, 1.0 - lens.w);
        lens += (1.0 - lens.w) * guess.w * vec4(guess.rgb, 1.0);
    }
    // Sums over texels are a few percent off, and so are those over surfaces that are bent.
    vec3 result = lens.rgb / max(lens.w, 1.0e-6);
    if (inside) imageStore(blurred, pixel, vec4(result, 1.0));
}
