// Pictures whose left and right borders are one: panoramas all around.
//
// Bindings: none.
#ifndef VKFORGE_WRAP_GLSL
#define VKFORGE_WRAP_GLSL

layout(constant_id = 81) const bool WRAPS = false;

// Column `i` of `side`, up to 64 to the left of the first one or anywhere to the right of the last. GLSL says nothing of the
// remainder of a negative number, and drivers differ.
int around(int i, int side) { return (i + 64 * side) % side; }

#endif
