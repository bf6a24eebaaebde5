// How a surface reflects: Lambert under GGX, losing no light between its microfacets.
//
// Bindings (set 0):
//   10  split_sum   sampler2D   directional albedo of GGX, by materials/split_sum.comp; read where GLOSSY
//
// A dielectric is an interface with F0 = 0.08 specular (Burley 2012) over a Lambert base, which gets what the interface
// lets through; a metal is an interface with F0 = albedo; metallic mixes the two. What single scattering loses, an
// interface gets back by the factor 1 + F0 (1 - E) / E, where E is the directional albedo at F0 = 1 (Turquin 2019,
// "Practical multiple scattering compensation for microfacet models"). So a white surface reflects all it receives, at
// any roughness. With specular 0 there is no interface, and with metallic 0 too this is Lambert.
#ifndef VKFORGE_BRDF_GLSL
#define VKFORGE_BRDF_GLSL

#include "include/ggx.glsl"

// Whether the surface has an interface that reflects; false leaves Lambert alone, and no code for the rest.
layout(constant_id = 0) const bool GLOSSY = true;

layout(set = 0, binding = 10) uniform sampler2D split_sum;

// What of a surface is seen from one direction.
struct Surface {
    vec3 diffuse;  // albedo of the base, less what the interface keeps from it
    float alpha;
    vec3 f0;       // reflectance of the interface at normal and at grazing incidence, multiple scattering included
    vec3 f90;
};

// The directional albedo of GGX is F0 times x, plus y. `cos_v` in [0, 1]. Interpolated here, because samplers may round
// their weights to eight bits.
vec2 directional_albedo(float cos_v, float roughness) {
    vec2 last = vec2(textureSize(split_sum, 0) - 1);
    vec2 at = clamp(vec2(sqrt(cos_v), roughness), 0.0, 1.0) * last;
    ivec2 i = ivec2(min(at, last - 1.0));
    vec2 low = mix(texelFetch(split_sum, i, 0).xy, texelFetch(split_sum, i + ivec2(1, 0), 0).xy, at.x - float(i.x));
    vec2 high = mix(texelFetch(split_sum, i + ivec2(0, 1), 0).xy, texelFetch(split_sum, i + 1, 0).xy, at.x - float(i.x));
    return mix(low, high, at.y - float(i.y));
}

// The surface as seen at the cosine `cos_v` to its normal.
Surface make_surface(vec3 albedo, float roughness, float metallic, float specular, float cos_v) {
    if (!GLOSSY) return Surface(albedo, 1.0, vec3(0.0), vec3(0.0));
    vec2 single = directional_albedo(max(cos_v, GRAZING), roughness);
    float lost = (1.0 - single.x - single.y) / (single.x + single.y);
    vec2 shine = vec2(0.08 * specular, specular > 0.0 ? 1.0 : 0.0);
    shine *= 1.0 + shine.x * lost;
    vec3 metal = 1.0 + albedo * lost;
    Surface s;
    s.diffuse = (1.0 - metallic) * (1.0 - dot(shine, single)) * albedo;
    s.alpha = ggx_alpha(roughness);
    s.f0 = mix(vec3(shine.x), albedo * metal, metallic);
    s.f90 = mix(vec3(shine.y), metal, metallic);
    return s;
}

// The BRDF times n.l.
vec3 brdf_cosine(Surface s, vec3 n, vec3 v, vec3 l) {
    float cos_l = dot(n, l);
    if (cos_l <= 0.0) return vec3(0.0);
    if (!GLOSSY) return s.diffuse * (cos_l / PI);
    vec3 h = normalize(v + l);
    float facets = ggx_distribution(n, h, s.alpha) * smith_visibility(max(dot(n, v), GRAZING), cos_l, s.alpha);
    return (s.diffuse / PI + mix(s.f0, s.f90, schlick(dot(v, h))) * facets) * cos_l;
}

// A direction drawn from the reflections at visible normals, and its density.
vec3 sample_visible_ggx(Surface s, vec3 n, vec3 v, vec2 square) {
    vec3 b1, b2;
    basis(n, b1, b2);
    vec3 local = vec3(dot(v, b1), dot(v, b2), max(dot(v, n), GRAZING));
    vec3 l = reflect(-local, visible_normal(local, s.alpha, square));
    return l.x * b1 + l.y * b2 + l.z * n;
}

float visible_ggx_density(Surface s, vec3 n, vec3 v, vec3 l) {
    float cos_v = max(dot(n, v), GRAZING);
    vec3 h = normalize(v + l);
    return ggx_distribution(n, h, s.alpha) / (4.0 * cos_v * (1.0 + smith_lambda(cos_v, s.alpha)));
}

#endif
