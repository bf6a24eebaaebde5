// The histogram of the automatic exposure: how many pixels have a luminance, in sixteenths of a stop.
// Twin of vkforge/post/exposure.py.
//
// Bindings: none.
#ifndef VKFORGE_METERING_GLSL
#define VKFORGE_METERING_GLSL

const int METER_BINS = 640;
const float METER_DARKEST_STOP = -24.0;
const float METER_BINS_A_STOP = 16.0;

#endif
