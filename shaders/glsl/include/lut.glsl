// A three-dimensional look-up table, interpolated in tetrahedra. Twin of vkforge/post/lut.py.
//
// Bindings (set 0):
//   8  lut   readonly rgba32f   slices of equal blue beside and below one another, red along x and green along y;
//                               below them the entries of curves, row by row
#ifndef VKFORGE_LUT_GLSL
#define VKFORGE_LUT_GLSL

layout(set = 0, binding = 8, rgba32f) readonly uniform image2D lut;

vec3 lut_entry(ivec3 index, int side, int slices_a_row) {
    ivec2 slice = ivec2(index.b % slices_a_row, index.b / slices_a_row);
    return imageLoad(lut, slice * side + index.rg).rgb;
}

// The curves' values: `place` is from 0 to 1 over their `size` entries, which begin at a row of the image.
vec3 lut_shape(vec3 place, int size, int first_row) {
    int width = imageSize(lut).x;
    vec3 at = clamp(place, 0.0, 1.0) * float(size - 1), shaped;
    for (int i = 0; i < 3; ++i) {
        int low = min(int(at[i]), size - 2), high = low + 1;
        float a = imageLoad(lut, ivec2(low % width, first_row + low / width))[i];
        float b = imageLoad(lut, ivec2(high % width, first_row + high / width))[i];
        shaped[i] = mix(a, b, at[i] - float(low));
    }
    return shaped;
}

// `place` is from 0 to 1 over the table.
vec3 lut_look_up(vec3 place, int side, int slices_a_row) {
    vec3 at = clamp(place, 0.0, 1.0) * float(side - 1);
    ivec3 low = min(ivec3(at), side - 2);
    vec3 part = at - vec3(low);
    // From the cell's first corner to its last, along one axis after the other, the longest way first.
    // Where two are alike the corner between them has no weight.
    ivec3 first = part.r >= part.g && part.r >= part.b ? ivec3(1, 0, 0)
                : part.g >= part.b ? ivec3(0, 1, 0) : ivec3(0, 0, 1);
    ivec3 last = part.r <= part.g && part.r <= part.b ? ivec3(1, 0, 0)
               : part.g <= part.b ? ivec3(0, 1, 0) : ivec3(0, 0, 1);
    float longest = max(part.r, max(part.g, part.b)), shortest = min(part.r, min(part.g, part.b));
    float middle = part.r + part.g + part.b - longest - shortest;
    return (1.0 - longest) * lut_entry(low, side, slices_a_row)
         + (longest - middle) * lut_entry(low + first, side, slices_a_row)
         + (middle - shortest) * lut_entry(low + 1 - last, side, slices_a_row)
         + shortest * lut_entry(low + 1, side, slices_a_row);
}

// The curve of ACEScct (S-2016-001), and back.
vec3 lut_log_encode(vec3 x) {
    vec3 curve = (log2(max(x, 0.0078125)) + 9.72) / 17.52;
    return mix(curve, 10.5402377416545 * x + 0.0729055341958355, lessThanEqual(x, vec3(0.0078125)));
}
vec3 lut_log_decode(vec3 y) {
    vec3 toe = (y - 0.0729055341958355) / 10.5402377416545;
    return mix(exp2(17.52 * y - 9.72), toe, lessThanEqual(y, vec3(0.155251141552511)));
}

#endif
