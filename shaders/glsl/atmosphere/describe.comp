// Copies what the host says of the air into the head of the tables, where every pass finds it.
//
// Bindings (set 0):
//   20  sky_tables   buffer            see include/atmosphere.glsl
//   21  atmosphere   readonly buffer   from the host
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require

#define SKY_TABLES_ACCESS
#include "include/atmosphere.glsl"

layout(local_size_x = 1) in;

layout(set = 0, binding = 21, scalar) readonly buffer AtmosphereBlock { Atmosphere atmosphere; } stored_atmosphere;

void main() { sky_tables.air = stored_atmosphere.atmosphere; }
