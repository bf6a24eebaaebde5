// Deterministic sample points: Owen-scrambled Sobol pairs, and the maps from squares to directions.
//
// Bindings: none.
//
// Each pixel and purpose has its own scrambling and shuffling of the (0,2)-sequence; both by hashes after
// Burley 2020, "Practical Hash-based Owen Scrambling", with the constants of Vegdahl's improved Laine-Karras hash (2021).
#ifndef VKFORGE_SAMPLING_GLSL
#define VKFORGE_SAMPLING_GLSL

const float PI = 3.14159265358979;

const uint PURPOSE_SUN = 1u;
const uint PURPOSE_SKY = 2u;
const uint PURPOSE_SHUTTER = 18u;
const uint PURPOSE_AMBIENT_OCCLUSION = 19u;
const uint PURPOSE_DITHER = 20u;

// A well-mixed 32-bit hash (Wellons' "lowbias32").
uint hash(uint x) {
    x ^= x >> 16; x *= 0x7feb352du;
    x ^= x >> 15; x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

uint pixel_seed(uvec2 pixel, uint purpose, uint seed) {
    return hash(pixel.x + hash(pixel.y + hash(purpose + hash(seed))));
}

// Nested uniform scrambling of a number whose bits are reversed.
uint scramble_reversed(uint x, uint seed) {
    x ^= x * 0x3d20adeau;
    x += seed;
    x *= (seed >> 16) | 1u;
    x ^= x * 0x05526c56u;
    x ^= x * 0x53a22864u;
    return x;
}

// Point `index` of the sequence that `seed` names, in [0, 1)^2. Each sequence takes the points in an order of its own, which
// keeps every aligned block of 2^n of them together: two sequences in one order are padded to four dimensions that hang
// together, and converge to the wrong mean.
vec2 sobol(uint index, uint seed) {
    index = bitfieldReverse(scramble_reversed(bitfieldReverse(index), hash(seed ^ 0x1b873593u)));
    // Dimension 2 is Pascal's triangle modulo 2 times the index: as polynomials over GF(2), index(x + 1), by halves. It comes
    // out reversed, as scrambling wants it; so is dimension 1, the index itself.
    uint second = index;
    second ^= (second >> 1) & 0x55555555u;
    second ^= (second >> 2) & 0x33333333u;
    second ^= (second >> 4) & 0x0f0f0f0fu;
    second ^= (second >> 8) & 0x00ff00ffu;
    second ^= second >> 16;
    uint x = bitfieldReverse(scramble_reversed(index, seed));
    uint y = bitfieldReverse(scramble_reversed(second, hash(seed ^ 0x68bc21ebu)));
    return vec2(x >> 8, y >> 8) * (1.0 / 16777216.0);
}

// Two unit vectors that make a right-handed frame with `n` (Duff et al. 2017).
void basis(vec3 n, out vec3 b1, out vec3 b2) {
    float s = n.z >= 0.0 ? 1.0 : -1.0;
    float a = -1.0 / (s + n.z);
    float b = n.x * n.y * a;
    b1 = vec3(1.0 + s * n.x * n.x * a, s * b, -s * n.x);
    b2 = vec3(b, s + n.y * n.y * a, -n.y);
}

vec3 to_world(vec3 local, vec3 n) {
    vec3 b1, b2;
    basis(n, b1, b2);
    return local.x * b1 + local.y * b2 + local.z * n;
}

// The unit disc, areas kept (Shirley and Chiu 1997).
vec2 square_to_disc(vec2 square) {
    vec2 p = 2.0 * square - 1.0;
    if (p == vec2(0.0)) return vec2(0.0);
    bool wide = abs(p.x) > abs(p.y);
    float radius = wide ? p.x : p.y;
    float angle = wide ? 0.25 * PI * p.y / p.x : 0.5 * PI - 0.25 * PI * p.x / p.y;
    return radius * vec2(cos(angle), sin(angle));
}

// A direction about `n` with density cosine / pi.
vec3 cosine_direction(vec2 square, vec3 n) {
    vec2 disc = square_to_disc(square);
    return to_world(vec3(disc, sqrt(max(0.0, 1.0 - dot(disc, disc)))), n);
}

// A direction in the cone about `axis` whose half angle has cosine `cos_radius`, uniform in solid angle.
vec3 cone_direction(vec2 square, vec3 axis, float cos_radius) {
    vec2 disc = square_to_disc(square);
    float r2 = dot(disc, disc);  // uniform in [0, 1]
    float height = (1.0 - cos_radius) * r2;
    float spread = sqrt((1.0 - cos_radius) * (2.0 - height));  // sine of the angle, over sqrt(r2)
    return to_world(vec3(disc * spread, 1.0 - height), axis);
}

#endif
