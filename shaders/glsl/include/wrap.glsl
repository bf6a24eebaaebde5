// Pictures whose left and right borders are one: panoramas all around.
//
// Bindings: none.
#ifndef VKFORGE_WRAP_GLSL
#define VKFORGE_WRAP_GLSL

layout(constant_id = 81) const bool WRAPS = false;

// Column `i` of `side`, to the left of the first one or to the right of the last.
int around(int i, int side) { return (i % side + side) % side; }

#endif
