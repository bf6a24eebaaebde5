// What only the path-traced lane needs.
//
// Bindings (set 0):
//   50  path   readonly buffer (for the reason in terrain.glsl)
#ifndef VKFORGE_PATH_GLSL
#define VKFORGE_PATH_GLSL

layout(constant_id = 51) const bool THIN_LENS = true;  // or a pinhole
layout(constant_id = 52) const bool SHUTTER = true;    // whether the camera moves while it is open

const int TILE = 8;  // pixels along a side of what one group of paths.comp sees, and one beam of beams.comp

struct PathValues {
    int first_row;         // of this band
    uint samples;          // of this batch
    uint max_depth;        // segments of a path, the camera's included
    uint roulette_depth;   // vertices that no path is ended before by chance
    vec3 lens_u;           // world metres from the lens' centre to its rim, or to a corner where it has blades
    vec3 lens_v;           // and a quarter turn on from there, anticlockwise
    uint blades;           // straight sides of the aperture; 0 is round
    vec3 inverse_focus;    // one over the depth in focus is x + u y + v z of this, 1/m
    vec3 end_origin;       // the camera where the shutter closes, as in frame.glsl
    vec3 end_origin_u;
    vec3 end_origin_v;
    vec3 end_direction;
    vec3 end_direction_u;
    vec3 end_direction_v;
    vec3 end_angles;
    vec2 sun_axis;         // the axis of grid space, up or down, that the rays to the sun go along, see horizon.glsl
    vec2 sun_rise;         // less than any of them rises for each cell along it, and more
};

layout(set = 0, binding = 50, scalar) readonly buffer Path { PathValues path; } stored_path;
PathValues path = stored_path.path;

#endif
