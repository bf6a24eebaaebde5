// The directional albedo of GGX as a table: F0 times x, plus y (Karis 2013, "Real Shading in Unreal Engine 4").
//
// Bindings (set 0):
//   0  table   writeonly rgba32f   columns: square root of the view's cosine; rows: roughness; both 0 to 1
//
// The integral over light is one over visible normals, where what is left to sum is Fresnel times G2 / G1. Half of the
// sphere's azimuths suffice; rows of the other dimension crowd, as 1 - s^2, where a smooth surface's tail is.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "include/ggx.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

layout(set = 0, binding = 0, rgba32f) writeonly uniform image2D table;

const int AZIMUTHS = 16, ROWS = 32;

void main() {
    ivec2 texel = ivec2(gl_GlobalInvocationID.xy), size = imageSize(table);
    if (any(greaterThanEqual(texel, size))) return;
    vec2 at = vec2(texel) / vec2(size - 1);
    float cos_v = max(at.x * at.x, GRAZING), alpha = ggx_alpha(at.y);
    vec3 v = vec3(sqrt(1.0 - cos_v * cos_v), 0.0, cos_v);
    float lambda_v = smith_lambda(cos_v, alpha);
    vec2 sum = vec2(0.0);
    for (int i = 0; i < ROWS; ++i) {
        float s = 1.0 - (float(i) + 0.5) / float(ROWS);
        for (int j = 0; j < AZIMUTHS; ++j) {
            vec3 h = visible_normal(v, alpha, vec2(0.5 * (float(j) + 0.5) / float(AZIMUTHS), 1.0 - s * s));
            float cos_vh = dot(v, h), cos_l = 2.0 * cos_vh * h.z - v.z;
            if (cos_l <= 0.0) continue;
            float seen = (1.0 + lambda_v) / (1.0 + lambda_v + smith_lambda(cos_l, alpha)), f = schlick(cos_vh);
            sum += 2.0 * s * seen * vec2(1.0 - f, f);
        }
    }
    imageStore(table, texel, vec4(sum / float(ROWS * AZIMUTHS), 0.0, 0.0));
}
