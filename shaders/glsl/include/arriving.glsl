// The directions from which light arrives at a place, and where the table of it lies.
//
// Bindings (set 0): that of air.glsl.
//
// 8 Gauss-Legendre cosines on either side of the horizon by some azimuths, evenly from that of the sun on one side: the other
// is its mirror image.
#ifndef VKFORGE_ARRIVING_GLSL
#define VKFORGE_ARRIVING_GLSL

#include "include/air.glsl"

const int COSINES = 16;

struct Look {
    float mu;           // cosine with the vertical
    float sine;
    float solid_angle;  // with the mirror image's
    bool below;         // the horizon
};

Look look_from(float altitude, int node, int azimuths) {
    float mu_horizon = -tangent(altitude) / radius(altitude);
    Look look;
    look.below = node < COSINES / 2;
    int i = node % (COSINES / 2);
    float range = look.below ? 1.0 + mu_horizon : 1.0 - mu_horizon;
    look.mu = mu_horizon + (look.below ? -range : range) * gauss_node(i);
    look.sine = sqrt(max(1.0 - look.mu * look.mu, 0.0));
    look.solid_angle = gauss_weight(i) * range * 2.0 * PI / float(azimuths);
    return look;
}

#endif
