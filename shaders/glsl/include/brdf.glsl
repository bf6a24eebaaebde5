// Lambert under GGX.
//
// Bindings: none.
//
// f = (1 - metallic) albedo / pi (1 - F(v.h)) + D G2 F / (4 n.l n.v): GGX distribution and height-correlated Smith
// masking (Heitz 2014, "Understanding the Masking-Shadowing Function"), Schlick's Fresnel (1994), alpha = roughness^2,
// F0 = mix(0.08 specular, albedo, metallic) (Burley 2012). With specular and metallic 0 there
// is no interface to reflect, and this is Lambert.
#ifndef VKFORGE_BRDF_GLSL
#define VKFORGE_BRDF_GLSL

#include "include/sampling.glsl"

// Whether the surface has an interface that reflects; false leaves Lambert alone, and no code for the rest.
layout(constant_id = 0) const bool GLOSSY = true;

struct Surface {
    vec3 albedo;
    float alpha;
    float metallic;
    vec3 f0;
};

Surface make_surface(vec3 albedo, float roughness, float metallic, float specular) {
    Surface s;
    s.albedo = albedo;
    s.alpha = max(roughness * roughness, 1.0e-3);
    s.metallic = metallic;
    s.f0 = mix(vec3(0.08 * specular), albedo, metallic);
    return s;
}

vec3 fresnel(vec3 f0, float cos_vh) {
    return f0 + (1.0 - f0) * pow(clamp(1.0 - cos_vh, 0.0, 1.0), 5.0);
}

float ggx_distribution(float cos_nh, float alpha) {
    float a2 = alpha * alpha;
    float d = cos_nh * cos_nh * (a2 - 1.0) + 1.0;
    return a2 / (PI * d * d);
}

// Smith's lambda for a direction at this cosine to the normal.
float smith_lambda(float cos_n, float alpha) {
    float c2 = cos_n * cos_n;
    return 0.5 * (sqrt(1.0 + alpha * alpha * (1.0 - c2) / max(c2, 1.0e-8)) - 1.0);
}

// The BRDF times n.l.
vec3 brdf_cosine(Surface s, vec3 n, vec3 v, vec3 l) {
    float cos_l = dot(n, l);
    if (cos_l <= 0.0) return vec3(0.0);
    if (!GLOSSY) return s.albedo * (cos_l / PI);
    float cos_v = max(dot(n, v), 1.0e-4);  // a shading normal may face away from the viewer
    vec3 h = normalize(v + l);
    vec3 f = fresnel(s.f0, dot(v, h));
    float d = ggx_distribution(dot(n, h), s.alpha);
    float g2 = 1.0 / (1.0 + smith_lambda(cos_v, s.alpha) + smith_lambda(cos_l, s.alpha));
    vec3 diffuse = (1.0 - s.metallic) * s.albedo * (1.0 - f) * (cos_l / PI);
    return diffuse + f * (d * g2 / (4.0 * cos_v));
}

// A direction drawn from the visible normals' reflections (Dupuy and Benyoub 2023, "Sampling Visible GGX Normals with
// Spherical Caps"), and its density.
vec3 sample_visible_ggx(Surface s, vec3 n, vec3 v, vec2 square) {
    vec3 b1, b2;
    basis(n, b1, b2);
    vec3 local = vec3(dot(v, b1), dot(v, b2), max(dot(v, n), 1.0e-4));
    vec3 stretched = normalize(vec3(s.alpha * local.xy, local.z));
    float phi = 2.0 * PI * square.x;
    float z = (1.0 - square.y) * (1.0 + stretched.z) - stretched.z;
    float sine = sqrt(clamp(1.0 - z * z, 0.0, 1.0));
    vec3 cap = vec3(sine * cos(phi), sine * sin(phi), z) + stretched;
    vec3 h = normalize(vec3(s.alpha * cap.xy, cap.z));
    vec3 l = reflect(-local, h);
    return l.x * b1 + l.y * b2 + l.z * n;
}

float visible_ggx_density(Surface s, vec3 n, vec3 v, vec3 l) {
    float cos_v = max(dot(n, v), 1.0e-4);
    vec3 h = normalize(v + l);
    float g1 = 1.0 / (1.0 + smith_lambda(cos_v, s.alpha));
    return ggx_distribution(max(dot(n, h), 0.0), s.alpha) * g1 / (4.0 * cos_v);
}

#endif
