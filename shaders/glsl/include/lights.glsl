// Lights that stand somewhere.
//
// Bindings (set 0):
//   32  lights   readonly buffer   (for the reason in terrain.glsl)
#ifndef VKFORGE_LIGHTS_GLSL
#define VKFORGE_LIGHTS_GLSL

const uint MOST_LIGHTS = 64;

struct Lamp {
    vec3 position;   // world
    vec3 intensity;  // W/sr, along the axis
    vec3 axis;       // unit; a point light has none
    float outer;     // half angle of the cone in radians, where light begins; over pi for a point light
    float inner;     // where it has come up to its full intensity
};

layout(set = 0, binding = 32, scalar) readonly buffer Lights {
    uint count;
    Lamp lamps[MOST_LIGHTS];
} lights;

// The intensity that a lamp sends along `direction`, a unit vector from it.
vec3 lamp_intensity(Lamp lamp, vec3 direction) {
    if (lamp.outer > 3.1415927) return lamp.intensity;
    vec3 across = direction - lamp.axis, with = direction + lamp.axis;
    float angle = 2.0 * atan(length(across), length(with));  // exact at all angles (Kahan)
    return lamp.intensity * (angle >= lamp.outer ? 0.0 : 1.0 - smoothstep(lamp.inner, lamp.outer, angle));
}

#endif
