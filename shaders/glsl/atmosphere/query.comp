// Looks things up in the tables: what `vkforge.atmosphere` runs.
//
// Bindings (set 0):
//   20  atmosphere       readonly buffer      see include/air.glsl
//   21  optical_depths   sampler2D            see include/transmittance.glsl
//   22  sky_view         sampler2D            see include/sight.glsl
//   23  queries          readonly buffer      a direction and a distance each; for transmittance, altitude and cosine
//   24  answers          writeonly buffer     light, in the sun's unit, and transmittance
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/sky_view.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 20) const uint SUBJECT = 0u;  // 0 the sky, 1 transmittance to space, 2 the air between

struct Query { vec3 direction; float distance; };
struct Answer { vec3 light; vec3 transmittance; };

layout(set = 0, binding = 23, scalar) readonly buffer Queries { uint count; Query items[]; } queries;
layout(set = 0, binding = 24, scalar) writeonly buffer Answers { Answer items[]; } answers;

void main() {
    uint index = gl_GlobalInvocationID.x;
    if (index >= queries.count) return;
    Query query = queries.items[index];
    Answer answer = Answer(vec3(0.0), vec3(0.0));
    if (SUBJECT == 0u) answer.light = sky_from(CAMERA_EYE, query.direction);
    if (SUBJECT == 1u) answer.transmittance = transmittance_to_space(query.direction.x, query.direction.y);
    if (SUBJECT == 2u) answer.light = air_between(query.direction, query.distance, answer.transmittance);
    answer.light *= AIR.sun_irradiance;
    answers.items[index] = answer;
}
