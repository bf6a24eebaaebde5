// The surface at a pixel, out of the G-buffer.
//
// Bindings (set 0): those of gbuffer.glsl, terrain.glsl and brdf.glsl, and
//   15  material   readonly rgba16f   roughness, metallic; read where they differ from place to place
#ifndef VKFORGE_PIXEL_SURFACE_GLSL
#define VKFORGE_PIXEL_SURFACE_GLSL

#include "include/gbuffer.glsl"
#include "include/heightfield.glsl"
#include "include/brdf.glsl"

layout(set = 0, binding = 15, rgba16f) readonly uniform image2D material;

// `n` is its normal, `v` a unit vector to the viewer.
Surface pixel_surface(ivec2 pixel, vec3 n, vec3 v) {
    // Water that is lit as a surface is that of maps, and matte.
    if (GLOSSY && uint(imageLoad(normal, pixel).w) == HIT_WATER)
        return Surface(imageLoad(albedo, pixel).rgb, 1.0, vec3(0.0), vec3(0.0));
    vec2 made = vec2(terrain.roughness, terrain.metallic);
    if (GLOSSY && terrain.reads_material == 1u) made = imageLoad(material, pixel).xy;
    return make_surface(imageLoad(albedo, pixel).rgb, made.x, made.y, terrain.specular, dot(n, v));
}

#endif
