// How far each point of a picture is spread, in pixels, by a lens or by a miniature's band; and the atlas of coarser
// pictures that wide circles are gathered from.
//
// Bindings (set 0):
//   3  frame   readonly buffer    see include/frame.glsl
//   85 blur    readonly buffer
//
// A point at depth z along the axis is spread over a circle of radius |c| = radius |1/z - 1/zf| (W/2) / tan(fov_x/2) pixels.
// Its `nearness` is that of 1/z, in pixels, and what a pixel's own place in the picture brings is that of 1/zf: with a
// tilted lens the plane in focus is another depth at each. The difference c is positive before the plane in focus.
//
// All this is in pixels of what a pinhole sees. A lens that distorts shows these circles bent with everything else.
#ifndef VKFORGE_BLUR_GLSL
#define VKFORGE_BLUR_GLSL

#include "include/frame.glsl"

const int TILE = 16;             // pixels to the side, for what bounds the circles
const int LEVELS = 7;            // coarser pictures; texels of the last are 128 pixels wide
const float TEXELS = 6.0;        // a level serves distances up to so many texels and one more,
const float FADE = 2.25;         // and fades out over so many; over one the texels of the next would show
const float STEEP = 0.3;         // a surface's circles grow by this at most from pixel to pixel
const float LARGEST = 256.0;     // pixels; wider circles end there

layout(constant_id = 88) const bool BENT = false;  // whether a lens distorts the picture, circles and all

layout(set = 0, binding = 85, scalar) readonly buffer Blur {
    float scale;     // pixels times metres: nearness over 1/z
    vec3 focus;      // nearness in focus is x + u y + v z at (u, v) from -1 to 1, right and up
    float area;      // of the aperture of unit radius
    vec2 sides[16];  // a polygon's normals, right and up, over their distance from the middle
    vec2 small[51];  // see small_circle in post/dof_gather.comp
    vec2 across;     // miniature: pixels from the band's middle line to a pixel, as a function of the pixel
    float offset;
    float half_width;// of the band, pixels
    float fade;      // pixels from there to where the blur is largest
    float largest;   // circle there, pixels
} blur;

float nearness_in_focus(vec2 uv) { return blur.focus.x + dot(uv, blur.focus.yz); }

// How the picture bends what a pinhole sees at `uv`: the Jacobian, right and down. It is symmetric: its diagonal, and in z the
// other element.
vec3 bending(vec2 uv) {
    vec2 diagonal;
    float other;
    distorted(uv * frame.lens_half + frame.lens_centre, diagonal, other);
    return vec3(diagonal, -other);
}

// How much larger the picture shows it: on the mean, so that areas grow by its square, and where it grows most.
vec2 growth(vec2 uv) {
    if (!BENT) return vec2(1.0);
    vec3 bend = bending(uv);
    return vec2(sqrt(bend.x * bend.y - bend.z * bend.z), 0.5 * (bend.x + bend.y) + length(vec2(0.5 * (bend.x - bend.y), bend.z)));
}

// The circle of a point that a pinhole sees at `uv`, in pixels of the picture; the mean of a bent one.
float circle(float nearness, vec2 uv) {
    return clamp((nearness - nearness_in_focus(uv)) * growth(uv).x, -LARGEST, LARGEST);
}

// Texels of a level, and the row of the atlas where it begins. Level 0 is the picture, and lies elsewhere.
ivec2 level_size(int level) { return (frame.size + (1 << level) - 1) >> level; }

int level_row(int level) {
    int row = 0;
    for (int finer = 1; finer < level; ++finer) row += level_size(finer).y;
    return row;
}

// Circles that a level must know: those of others end before its distances begin.
float least_circle(int level) { return (0.5 * (TEXELS + 1.0 - FADE) - 0.5) * float(1 << level); }

#endif
