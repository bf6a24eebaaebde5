// What changes from frame to frame: camera, lights, and how far the accumulation is.
//
// Bindings (set 0):
//   3  frame   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_FRAME_GLSL
#define VKFORGE_FRAME_GLSL

const uint BACKGROUND_SKY = 0u;
const uint BACKGROUND_COLOUR = 1u;
const uint BACKGROUND_NONE = 2u;  // nothing, and no fog before it: the pixel's alpha is its coverage

struct FrameValues {
    vec3 origin;        // camera: o = origin + u origin_u + v origin_v, world metres,
    vec3 origin_u;      // u and v from -1 to 1, right and up
    vec3 origin_v;
    vec3 direction;     // see view_direction
    vec3 direction_u;
    vec3 direction_v;
    vec3 angles;
    uint clamp_to_ground; // 1 for maps: rays of border pixels start over the outermost samples
    ivec2 size;         // pixels
    vec2 jitter;        // where in the pixel this sample looks, 0 to 1 from its upper left corner
    uint sample_index;  // this sample, from 0
    uint sample_count;  // of so many
    uint seed;
    uint sun_rays;      // a sample
    vec3 sun_direction; // unit, towards the sun
    vec3 sun_irradiance;// on a plane that faces it
    float sun_cos_radius; // cosine of the disc's angular radius
    uint sky_rays;      // a sample
    vec3 sky_zenith;    // radiance straight up
    vec3 sky_horizon;   // at the horizon
    vec3 sky_ground;    // below it
    uint background_kind;// what camera rays that miss see: a BACKGROUND_...
    vec3 background;
    float exposure_scale; // 2 to the exposure in stops
    vec2 lens_half;     // the lens: tangents from the middle of the frame to its right and upper edge,
    vec2 lens_centre;   // and of the middle from the axis
    vec3 lens_radial;   // k1, k2, k3
    vec2 lens_tangential; // p1, p2, of y upwards
    uint lens_steps;    // of Newton's method, or 0 where the lens distorts nothing
};

layout(set = 0, binding = 3, scalar) readonly buffer Frame { FrameValues frame; } stored_frame;
FrameValues frame = stored_frame.frame;

// Whether there may be such a lens; false leaves out the loop, of which a CPU driver would run a turn for nothing.
layout(constant_id = 82) const bool LENS_DISTORTS = true;

// Where the lens shows what a pinhole sees at the tangents `at`, by the Brown-Conrady model (Brown 1966), and the Jacobian,
// which is symmetric: its diagonal, and its other element.
vec2 distorted(vec2 at, out vec2 diagonal, out float other) {
    vec3 k = frame.lens_radial;
    vec2 p = frame.lens_tangential;
    float r2 = dot(at, at), across = 2.0 * at.x * at.y;
    float radial = 1.0 + r2 * (k.x + r2 * (k.y + r2 * k.z));
    float growth = 2.0 * k.x + r2 * (4.0 * k.y + r2 * 6.0 * k.z);
    diagonal = radial + growth * at * at + 2.0 * p * at.yx + 6.0 * p.yx * at;
    other = growth * at.x * at.y + 2.0 * dot(p, at);
    return at * radial + p * across + p.yx * (r2 + 2.0 * at * at);
}

// Where a pinhole would see what the lens shows at `uv`: the inverse, by Newton's method. The host has checked that there is
// one all over the frame; outside of it goes on as at its edge.
vec2 undistorted(vec2 uv) {
    if (!LENS_DISTORTS || frame.lens_steps == 0u) return uv;
    vec2 inside = clamp(uv, -1.0, 1.0), shown = inside * frame.lens_half + frame.lens_centre, at = shown;
    for (uint i = 0u; i < frame.lens_steps; ++i) {
        vec2 diagonal;
        float other;
        vec2 missed = distorted(at, diagonal, other) - shown;
        at -= vec2(diagonal.y * missed.x - other * missed.y, diagonal.x * missed.y - other * missed.x) /
              (diagonal.x * diagonal.y - other * other);
    }
    return (at - frame.lens_centre) / frame.lens_half + (uv - inside);
}

// The frame's (u, v) of a pinhole that `pixel` shows (in pixels from the upper left corner).
vec2 camera_uv(vec2 pixel) { return undistorted(vec2(2.0, -2.0) * pixel / vec2(frame.size) + vec2(-1.0, 1.0)); }

const uint CAMERA_LINEAR = 0u;       // direction + u direction_u + v direction_v
const uint CAMERA_PANORAMA = 1u;     // equirectangular; these three are units forward, right and up, as from here on
const uint CAMERA_EQUIDISTANT = 2u;  // a fish-eye
const uint CAMERA_EQUISOLID = 3u;    // another
layout(constant_id = 80) const uint CAMERA_KIND = CAMERA_LINEAR;

const vec3 NOWHERE = vec3(0.0, 0.0, 1.0e9);  // a ray upwards from here meets nothing

// The direction through (u, v), not of unit length; false where there is none, outside of a fish-eye's circle. What the
// vectors and angles mean is said in scene/camera_rays.py, which does the same in float64.
bool view_direction(vec2 uv, vec3 forward, vec3 right, vec3 up, vec3 angles, out vec3 direction) {
    if (CAMERA_KIND == CAMERA_LINEAR) {
        direction = forward + uv.x * right + uv.y * up;
        return true;
    }
    if (CAMERA_KIND == CAMERA_PANORAMA) {
        float longitude = uv.x * angles.x, latitude = angles.z + uv.y * angles.y;
        direction = cos(latitude) * (cos(longitude) * forward + sin(longitude) * right) + sin(latitude) * up;
        return true;
    }
    vec2 at = uv * angles.yz;
    float radius = length(at), cosine, sine_over_radius;
    if (CAMERA_KIND == CAMERA_EQUIDISTANT) {
        float angle = radius * angles.x;
        cosine = cos(angle);
        sine_over_radius = radius > 1.0e-6 ? sin(angle) / radius : angles.x;
    } else {
        float per_radius = sin(0.5 * angles.x), half_sine = min(radius * per_radius, 1.0);
        cosine = 1.0 - 2.0 * half_sine * half_sine;
        sine_over_radius = 2.0 * per_radius * sqrt(1.0 - half_sine * half_sine);
    }
    direction = cosine * forward + sine_over_radius * (at.x * right + at.y * up);
    return radius <= 1.0;
}

// The camera's ray through `pixel` (in pixels from the upper left corner), world space. Where the camera has none it
// returns false and a ray that meets nothing; what is seen there is black.
bool camera_ray(vec2 pixel, out vec3 origin, out vec3 direction) {
    vec2 uv = camera_uv(pixel);
    origin = frame.origin + uv.x * frame.origin_u + uv.y * frame.origin_v;
    bool sees = view_direction(uv, frame.direction, frame.direction_u, frame.direction_v, frame.angles, direction);
    direction = normalize(direction);
    if (!sees) {
        origin = NOWHERE;
        direction = vec3(0.0, 0.0, 1.0);
    }
    return sees;
}

// By how many pixels a place in the picture lies within a fish-eye's circle, outside of which there is nothing to see.
float depth_in_circle(vec2 at) {
    if (CAMERA_KIND < CAMERA_EQUIDISTANT) return 1.0e9;
    return 0.5 * float(frame.size.x) / frame.angles.y - distance(at, 0.5 * vec2(frame.size));
}

#endif
