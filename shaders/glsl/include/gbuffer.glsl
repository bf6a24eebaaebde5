// The G-buffer, as passes after visibility read it.
//
// Bindings (set 0):
//   4  position           readonly rgba32f  world metres; w is the distance along the ray, infinite for the sky
//   5  normal             readonly rgba16f  unit shading normal; w is the kind of hit (heightfield.glsl)
//   6  albedo             readonly rgba16f  linear
#ifndef VKFORGE_GBUFFER_GLSL
#define VKFORGE_GBUFFER_GLSL

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D position;
layout(set = 0, binding = 5, rgba16f) readonly uniform image2D normal;
layout(set = 0, binding = 6, rgba16f) readonly uniform image2D albedo;

#endif
