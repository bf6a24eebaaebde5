// Prefiltered radiance of any directions: what `Environment.prefiltered` runs.
//
// Bindings (set 0):
//   40  environment        readonly buffer    see include/environment.glsl
//   41  environment_map    sampler2D
//   42  environment_rows   sampler2D
//   43  tables             sampler2D          see include/prefiltered.glsl
//   44  queries            readonly buffer    unit directions and roughness
//   45  answers            writeonly buffer   radiance
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#include "include/prefiltered.glsl"

layout(local_size_x = 64) in;

struct Query { vec3 direction; float roughness; };
struct Answer { vec3 radiance; };

layout(set = 0, binding = 43) uniform sampler2D tables;
layout(set = 0, binding = 44, scalar) readonly buffer Queries { uint count; Query items[]; } queries;
layout(set = 0, binding = 45, scalar) writeonly buffer Answers { Answer items[]; } answers;

void main() {
    uint index = gl_GlobalInvocationID.x;
    if (index >= queries.count) return;
    Query query = queries.items[index];
    answers.items[index].radiance = prefiltered_radiance(tables, query.direction, query.roughness);
}
