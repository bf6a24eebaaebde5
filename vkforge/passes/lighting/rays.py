"""How many rays one invocation may trace."""

from __future__ import annotations

# Mesa's llvmpipe lets an invocation go through 65,535 turns of loops, all of its loops together, and then leaves each
# after one turn (LP_MAX_TGSI_LOOP_ITERATIONS in its gallivm/lp_bld_limits.h): rays that come later end in their first
# step, and the picture is dark with nothing said. So the rays of a pixel are shared out to passes, few enough in each
# that even rays which skim over a large terrain for a thousand steps end by themselves.
_AT_ONCE_ON_A_CPU = 32
_ANY = 0xFFFFFFFF


def rays_at_once(device_type: str) -> int:
    """Return the rays that one invocation may trace on a device of this type."""
    return _AT_ONCE_ON_A_CPU if device_type == "cpu" else _ANY


def passes_for(rays: int, at_once: int) -> int:
    """Return how many passes trace so many rays."""
    return -(-max(rays, 1) // at_once)
