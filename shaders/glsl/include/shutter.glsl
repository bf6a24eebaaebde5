// The cameras as the shutter opens and closes, and how it does.
//
// Bindings (set 0):
//   90 shutter   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_SHUTTER_GLSL
#define VKFORGE_SHUTTER_GLSL

// A point p is M (p - o) in the frame of a camera with the origin o. Where its rays are straight, M is the inverse of
// (direction_u, direction_v, direction), and u and v the first two over the third; of (origin_u, origin_v, direction) where
// they are parallel. Else M's rows are units right, up and forward.
struct Projector {
    vec3 origin;   // world metres
    vec3 u, v, w;  // rows of M
    vec3 angles;   // as those of the frame
    vec2 lens_half, lens_centre;  // as those of the frame
};

layout(set = 0, binding = 90, scalar) readonly buffer Shutter {
    Projector opening;
    Projector closing;
    uint parallel;  // 1 where the camera's rays are
    float ramp;     // share of the time in which it opens, and in which it closes
} shutter;

// The share of the time that has gone when this share of the light has come in: as MovingScene.time, in scene/shutter.py.
float exposure_time(float share) {
    float r = shutter.ramp, area = share * (1.0 - r);
    if (area < 0.5 * r) return sqrt(2.0 * r * area);
    if (area <= 1.0 - 1.5 * r) return area + 0.5 * r;
    return 1.0 - sqrt(2.0 * r * max(1.0 - r - area, 0.0));
}

#endif
