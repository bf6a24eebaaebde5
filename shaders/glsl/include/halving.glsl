// From a picture to one of half as many pixels a side, rounded up, and back: overlaps of pixels with quadratic B-splines on
// the coarser ones, mirrored at the borders or, left and right, going on at the other one. Twin of `halving` and `doubling` in
// vkforge/post/bloom.py, which says why.
//
// Bindings: none.
#ifndef VKFORGE_HALVING_GLSL
#define VKFORGE_HALVING_GLSL

#include "include/wrap.glsl"

// The integral of the quadratic B-spline up to x.
float rise(float x) {
    float away = min(abs(x), 1.5), left = 1.5 - away;
    float beside = away < 0.5 ? 0.75 * away - away * away * away / 3.0 : 0.5 - left * left * left / 6.0;
    return x < 0.0 ? 0.5 - beside : 0.5 + beside;
}

int mirrored(int i, int side) {
    i = (i + 4 * side) % (2 * side);
    return min(i, 2 * side - 1 - i);
}

ivec2 within(ivec2 at, ivec2 size) {
    return ivec2(WRAPS ? around(at.x, size.x) : mirrored(at.x, size.x), mirrored(at.y, size.y));
}

// The middle of pixel `i` of `side` on a grid of `other` pixels: the whole part, exact, and the rest.
int middle(int i, int side, int other, out float rest) {
    int places = (2 * i + 1) * other, whole = places / (2 * side);
    rest = float(places - whole * 2 * side) / float(2 * side);
    return whole;
}

// Of a coarser pixel at `rest`: what it takes from the finer one `k` further, -3 to 3.
vec2 halving_weights(int k, vec2 rest, vec2 per_ratio) {
    vec2 from = (float(k) - rest) * per_ratio, to = from + per_ratio;
    return vec2(rise(to.x) - rise(from.x), rise(to.y) - rise(from.y));
}

// Of a finer pixel at `rest`: what it takes from the coarser one `k` further, -2 to 2.
vec2 doubling_weights(int k, vec2 rest, vec2 per_ratio) {
    vec2 from = rest - float(k) - 0.5 - 0.5 * per_ratio, to = from + per_ratio;
    return vec2(rise(to.x) - rise(from.x), rise(to.y) - rise(from.y)) / per_ratio;
}

#endif
