"""One file a pass: each declares itself into a graph, and each has its shader of the same name under shaders/glsl."""
