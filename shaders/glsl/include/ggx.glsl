// The GGX microfacet surface: distribution, masking, visible normals.
//
// Bindings: none.
//
// Distribution and masking after Heitz 2014, "Understanding the Masking-Shadowing Function in Microfacet-Based BRDFs",
// with the height-correlated Smith form (eq. 99); Fresnel after Schlick 1994. vkforge/pbr.py is its twin in float64.
#ifndef VKFORGE_GGX_GLSL
#define VKFORGE_GGX_GLSL

#include "include/sampling.glsl"

// A mirror is a very smooth surface: below this alpha (roughness 0.032) light's lobe is narrower than anything seen.
const float SMOOTHEST = 1.0e-3;
// A shading normal may face away from the viewer, who then sees the surface at this cosine.
const float GRAZING = 1.0e-4;

// `roughness` is perceptual, 0 to 1 (Burley 2012).
float ggx_alpha(float roughness) { return max(roughness * roughness, SMOOTHEST); }

float ggx_distribution(vec3 n, vec3 h, float alpha) {
    // The sine comes from the cross product: 1 - cos^2 would leave no digits of a smooth surface's lobe.
    vec3 across = cross(n, h);
    float cos_nh = dot(n, h), a2 = alpha * alpha;
    float d = dot(across, across) + a2 * cos_nh * cos_nh;
    return a2 / (PI * d * d);
}

// Smith's lambda for a direction at this cosine to the normal.
float smith_lambda(float cos_n, float alpha) {
    float c2 = cos_n * cos_n;
    return 0.5 * (sqrt(1.0 + alpha * alpha * (1.0 - c2) / max(c2, 1.0e-18)) - 1.0);
}

// Masking and shadowing over 4 cos_v cos_l.
float smith_visibility(float cos_v, float cos_l, float alpha) {
    float a2 = alpha * alpha;
    return 0.5 / (cos_l * sqrt(a2 + (1.0 - a2) * cos_v * cos_v) + cos_v * sqrt(a2 + (1.0 - a2) * cos_l * cos_l));
}

// How far Fresnel's reflectance has come from F0 to F90.
float schlick(float cos_vh) {
    float x = clamp(1.0 - cos_vh, 0.0, 1.0), x2 = x * x;
    return x2 * x2 * x;
}

// A microfacet normal that is seen from `v`, both about (0, 0, 1) (Dupuy and Benyoub 2023, "Sampling Visible GGX Normals
// with Spherical Caps").
vec3 visible_normal(vec3 v, float alpha, vec2 square) {
    vec3 stretched = normalize(vec3(alpha * v.xy, v.z));
    float phi = 2.0 * PI * square.x;
    float z = (1.0 - square.y) * (1.0 + stretched.z) - stretched.z;
    float sine = sqrt(clamp(1.0 - z * z, 0.0, 1.0));
    vec3 cap = vec3(sine * cos(phi), sine * sin(phi), z) + stretched;
    return normalize(vec3(alpha * cap.xy, cap.z));
}

#endif
