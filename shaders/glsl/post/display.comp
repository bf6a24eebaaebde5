// From scene-linear radiance to what a screen shows: exposure, grade, tone mapping, table, sRGB, grain,
// dither. Twin of vkforge/post/display.py, but for the dither.
//
// Bindings (set 0):
//   3  frame      readonly buffer    see include/frame.glsl
//   4  radiance   readonly rgba32f   mean radiance
//   5  display    writeonly rgba8    sRGB-encoded; alpha, not multiplied in, is 1 but where TRANSPARENT
//   6  tone       readonly buffer    below; read where something is not as it is by default
//   7  exposure   readonly rgba32f   1 x 1: of post/exposure.comp; read where AUTO_EXPOSURE
//   8  lut        readonly rgba32f   see include/lut.glsl; read where there is one
//   9  grain      readonly buffer    see include/grain.glsl; read where GRAIN
//   10 shares     readonly rgba32f   x is the pixel's coverage, which radiance is multiplied by; read where TRANSPARENT
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/frame.glsl"
#include "include/grain.glsl"
#include "include/lut.glsl"
#include "include/sampling.glsl"
#include "include/tonemap.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

const uint NO_LUT = 0u;
const uint DISPLAY_LUT = 1u;
const uint SCENE_LUT = 2u;
const uint LINEAR_LUT = 3u;

layout(constant_id = 0) const uint OPERATOR = 0u;  // an index into tonemap.OPERATORS; the others leave no code
layout(constant_id = 21) const bool DITHER = false;
layout(constant_id = 98) const bool GRAIN = false;
layout(constant_id = 105) const bool CUSTOM_TONE = false;  // the operator has parameters of its own
layout(constant_id = 106) const bool AUTO_EXPOSURE = false;
layout(constant_id = 107) const bool GRADED_LIGHT = false;
layout(constant_id = 108) const bool GRADED_DISPLAY = false;
layout(constant_id = 109) const uint LUT = NO_LUT;
layout(constant_id = 110) const bool TRANSPARENT = false;
layout(constant_id = 111) const bool SHAPER = false;

layout(set = 0, binding = 4, rgba32f) readonly uniform image2D radiance;
layout(set = 0, binding = 5, rgba8) writeonly uniform image2D display;
layout(set = 0, binding = 6, scalar) readonly buffer ToneBlock {
    Tone curve;
    vec3 white_balance[3];  // the matrix, row by row
    float contrast;
    float saturation;
    vec3 lift;
    vec3 inverse_gamma;
    vec3 gain;
    vec3 lut_low;           // where the table's domain begins,
    vec3 lut_per_unit;      // and 1 over its length
    int lut_side;
    int lut_slices_a_row;
    float shaper_low;       // where the curves before the table begin, and 1 over their length;
    float shaper_per_unit;
    int shaper_size;        // entries, and the row of the image where they begin
    int shaper_row;
} tone;
layout(set = 0, binding = 7, rgba32f) readonly uniform image2D exposure;
layout(set = 0, binding = 10, rgba32f) readonly uniform image2D shares;

const float MIDDLE_GREY = 0.18;

// White balance, contrast and saturation of exposed radiance.
vec3 grade_light(vec3 rgb) {
    mat3 balance = mat3(tone.white_balance[0], tone.white_balance[1], tone.white_balance[2]);
    vec3 contrasted = MIDDLE_GREY * pow(max(rgb * balance, 0.0) / MIDDLE_GREY, vec3(tone.contrast));
    float grey = dot(contrasted, TONE_LUMINANCE);
    return exposed(grey + tone.saturation * (contrasted - grey), 1.0);
}

// Lift, gamma and gain of what is encoded.
vec3 grade_display(vec3 encoded) {
    return pow(clamp(tone.gain * encoded + tone.lift * (1.0 - encoded), 0.0, 1.0), tone.inverse_gamma);
}

vec3 look_up(vec3 rgb) {
    if (SHAPER) rgb = lut_shape((rgb - tone.shaper_low) * tone.shaper_per_unit, tone.shaper_size, tone.shaper_row);
    return lut_look_up((rgb - tone.lut_low) * tone.lut_per_unit, tone.lut_side, tone.lut_slices_a_row);
}

// Noise of one step of 8 bits, so that their mean over a few pixels is what they stand for: smooth skies show no bands.
vec3 dither(ivec2 pixel) {
    uint bits = pixel_seed(uvec2(pixel), PURPOSE_DITHER, frame.seed);
    return (vec3(bits & 1023u, bits >> 10 & 1023u, bits >> 20 & 1023u) - 511.5) / (1024.0 * 255.0);
}

void main() {
    ivec2 pixel = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(pixel, frame.size))) return;
    float scale = frame.exposure_scale;
    if (AUTO_EXPOSURE) scale = imageLoad(exposure, ivec2(0)).x;
    vec3 seen = imageLoad(radiance, pixel).rgb;
    float alpha = 1.0;
    if (TRANSPARENT) {
        // Light as what covers the pixel sends it: tone mapping is not linear, so it comes after this division.
        alpha = clamp(imageLoad(shares, pixel).x, 0.0, 1.0);
        seen = alpha > 0.0 ? seen / alpha : vec3(0.0);
    }
    vec3 light = exposed(seen, scale);
    if (GRADED_LIGHT) light = grade_light(light);
    if (LUT == SCENE_LUT) light = exposed(lut_log_decode(look_up(lut_log_encode(light))), 1.0);
    vec3 encoded;
    if (LUT == LINEAR_LUT) encoded = clamp(look_up(light), 0.0, 1.0);
    else encoded = srgb_encode(tone_curve(light, OPERATOR, tone.curve, CUSTOM_TONE));
    if (GRADED_DISPLAY) encoded = grade_display(encoded);
    if (LUT == DISPLAY_LUT) encoded = clamp(look_up(encoded), 0.0, 1.0);
    if (GRAIN) encoded = srgb_encode(grained(srgb_decode(encoded), pixel));
    if (DITHER) encoded += dither(pixel);
    if (TRANSPARENT && alpha == 0.0) encoded = vec3(0.0);
    imageStore(display, pixel, vec4(encoded, alpha));
}
