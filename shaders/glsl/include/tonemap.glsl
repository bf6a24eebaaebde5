// Tone mapping: scene-linear Rec.709 radiance to display-linear Rec.709 in [0, 1], and the sRGB transfer function.
// Twin of vkforge/tonemapping.py, term by term; operator_index is an index into its OPERATORS. Where an operator has
// parameters of its own, `custom` says whether `tone` holds them; else it is as published.
//
// Bindings: none, this is a set of pure functions.
//
// Sources:
//   linear    clip.
//   reinhard  x / (1 + x) per channel: Reinhard et al. 2002, "Photographic Tone Reproduction for Digital Images", eq. 3.
//   hable     John Hable's curve of Uncharted 2 (2010), white at 11.2.
//   aces-narkowicz  Krzysztof Narkowicz's fit of 2016.
//   aces-hill Stephen Hill's fit of the ACES 1.0 RRT and sRGB ODT, published in MJP's BakingLab (2016).
//   agx       as in three.js: Troy Sobotka's AgX; inset and outset in Rec.2020 by Eary Chow; contrast curve by Benjamin
//             Wrensch (sixth-degree fit of the default look).
//   neutral   Khronos PBR Neutral tone mapper, specification of 2024.
//   sRGB      IEC 61966-2-1. Rec.2020: ITU-R BT.2020, matrices from the chromaticities, white D65.
#ifndef VKFORGE_TONEMAP_GLSL
#define VKFORGE_TONEMAP_GLSL

const uint TONEMAP_LINEAR = 0u;
const uint TONEMAP_REINHARD = 1u;
const uint TONEMAP_HABLE = 2u;
const uint TONEMAP_ACES_NARKOWICZ = 3u;
const uint TONEMAP_ACES_HILL = 4u;
const uint TONEMAP_AGX = 5u;
const uint TONEMAP_NEUTRAL = 6u;

const float TONEMAP_BRIGHTEST = 65504.0;  // the largest half float; its square still fits a float

const float HABLE_WHITE = 11.2;

// What vkforge/passes/post/display.py makes of a Tonemap.
struct Tone {
    float reinhard_bend;  // 1 / white^2
    float hable_a;        // A, C B, D E, B, D F and E / F
    float hable_cb;
    float hable_de;
    float hable_b;
    float hable_df;
    float hable_toe;
    float hable_scale;    // 1 over what the curve makes of white
    float agx_contrast;
    float agx_saturation;
    float neutral_start;  // where the bend begins, less the dielectric's reflection
    float neutral_desaturation;
};
const vec3 TONE_LUMINANCE = vec3(0.2126, 0.7152, 0.0722);

// Matrices are written row by row, so they apply as `vector * MATRIX`.
const mat3 HILL_INPUT = mat3(
    0.59719, 0.35458, 0.04823,
    0.07600, 0.90834, 0.01566,
    0.02840, 0.13383, 0.83777);
const mat3 HILL_OUTPUT = mat3(
     1.60475, -0.53108, -0.07367,
    -0.10208,  1.10813, -0.00605,
    -0.00327, -0.07276,  1.07602);

const mat3 REC709_TO_REC2020 = mat3(
    0.627403895935, 0.329283038378, 0.043313065687,
    0.069097289358, 0.919540395075, 0.011362315566,
    0.016391438875, 0.088013307877, 0.895595253248);
const mat3 REC2020_TO_REC709 = mat3(
     1.660491002108, -0.587641138789, -0.072849863320,
    -0.124550474522,  1.132899897126, -0.008349422604,
    -0.018150763355, -0.100578898009,  1.118729661363);
const mat3 AGX_INSET = mat3(
    0.856627153315983, 0.0951212405381588, 0.0482516061458583,
    0.137318972929847, 0.761241990602591,  0.101439036467562,
    0.11189821299995,  0.0767994186031903, 0.811302368396859);
const mat3 AGX_OUTSET = mat3(
     1.1271005818144368,  -0.11060664309660323, -0.016493938717834573,
    -0.1413297634984383,   1.157823702216272,   -0.016493938717834257,
    -0.14132976349843826, -0.11060664309660294,  1.2519364065950405);
const float AGX_MIN_EV = -12.47393;  // log2(0.18) minus 10 stops
const float AGX_MAX_EV = 4.026069;   // and plus 6.5

const float NEUTRAL_F90 = 0.04;
const float NEUTRAL_KS = 0.8 - NEUTRAL_F90;
const float NEUTRAL_KD = 0.15;

vec3 hable_curve(vec3 x) {
    return (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.02 / 0.3;
}

vec3 tonemap_hable(vec3 x, Tone tone, bool custom) {
    if (!custom) return hable_curve(x) / hable_curve(vec3(HABLE_WHITE));
    vec3 curve = (x * (tone.hable_a * x + tone.hable_cb) + tone.hable_de) /
                 (x * (tone.hable_a * x + tone.hable_b) + tone.hable_df);
    return (curve - tone.hable_toe) * tone.hable_scale;
}

vec3 tonemap_reinhard(vec3 x, Tone tone, bool custom) {
    return custom ? x * (1.0 + x * tone.reinhard_bend) / (1.0 + x) : x / (1.0 + x);
}

vec3 tonemap_aces_narkowicz(vec3 rgb) {
    return rgb * (2.51 * rgb + 0.03) / (rgb * (2.43 * rgb + 0.59) + 0.14);
}

vec3 tonemap_aces_hill(vec3 rgb) {
    vec3 v = rgb * HILL_INPUT;
    vec3 fitted = (v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.4329510) + 0.238081);
    return fitted * HILL_OUTPUT;
}

vec3 tonemap_agx(vec3 rgb, Tone tone, bool custom) {
    vec3 inset = rgb * REC709_TO_REC2020 * AGX_INSET;
    vec3 stops = log2(clamp(inset, exp2(AGX_MIN_EV), exp2(AGX_MAX_EV)));
    vec3 x = clamp((stops - AGX_MIN_EV) / (AGX_MAX_EV - AGX_MIN_EV), 0.0, 1.0);
    vec3 curve = (((((15.5 * x - 40.14) * x + 31.96) * x - 6.868) * x + 0.4298) * x + 0.1191) * x - 0.00232;
    if (custom) {
        curve = pow(max(curve, 0.0), vec3(tone.agx_contrast));
        curve = mix(vec3(dot(curve, TONE_LUMINANCE)), curve, tone.agx_saturation);
    }
    return pow(max(curve * AGX_OUTSET, 0.0), vec3(2.2)) * REC2020_TO_REC709;
}

vec3 tonemap_neutral(vec3 rgb, Tone tone, bool custom) {
    float darkest = min(rgb.r, min(rgb.g, rgb.b));
    float offset = darkest <= 2.0 * NEUTRAL_F90 ? darkest - darkest * darkest / (4.0 * NEUTRAL_F90) : NEUTRAL_F90;
    vec3 shifted = rgb - offset;
    float peak = max(shifted.r, max(shifted.g, shifted.b));
    if (peak <= (custom ? tone.neutral_start : NEUTRAL_KS)) {
        return shifted;
    }
    float new_peak = 1.0 - (1.0 - NEUTRAL_KS) * (1.0 - NEUTRAL_KS) / (peak + 1.0 - 2.0 * NEUTRAL_KS);
    if (custom) {
        float room = 1.0 - tone.neutral_start;
        new_peak = 1.0 - room * room / (peak - tone.neutral_start + room);
    }
    float kept = 1.0 / ((custom ? tone.neutral_desaturation : NEUTRAL_KD) * (peak - new_peak) + 1.0);
    return mix(vec3(new_peak), shifted * (new_peak / peak), kept);
}

// Radiance times a scale (2^stops); NaN and negative count as 0, infinity as TONEMAP_BRIGHTEST.
vec3 exposed(vec3 radiance, float scale) {
    vec3 scaled = radiance * scale;
    // An ordered comparison is false for NaN, where min, max and clamp may return anything.
    return mix(vec3(0.0), min(scaled, TONEMAP_BRIGHTEST), greaterThan(scaled, vec3(0.0)));
}

// Exposed radiance through an operator.
vec3 tone_curve(vec3 rgb, uint operator_index, Tone tone, bool custom) {
    switch (operator_index) {
        case TONEMAP_REINHARD: rgb = tonemap_reinhard(rgb, tone, custom); break;
        case TONEMAP_HABLE: rgb = tonemap_hable(rgb, tone, custom); break;
        case TONEMAP_ACES_NARKOWICZ: rgb = tonemap_aces_narkowicz(rgb); break;
        case TONEMAP_ACES_HILL: rgb = tonemap_aces_hill(rgb); break;
        case TONEMAP_AGX: rgb = tonemap_agx(rgb, tone, custom); break;
        case TONEMAP_NEUTRAL: rgb = tonemap_neutral(rgb, tone, custom); break;
    }
    return clamp(rgb, 0.0, 1.0);
}

vec3 srgb_encode(vec3 linear) {
    vec3 curve = 1.055 * pow(max(linear, 0.0031308), vec3(1.0 / 2.4)) - 0.055;
    return mix(curve, 12.92 * linear, lessThanEqual(linear, vec3(0.0031308)));
}

#endif
