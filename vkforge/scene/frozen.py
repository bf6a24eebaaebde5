"""Records whose arrays nobody writes to, copies included."""

from __future__ import annotations

from typing import Any

import numpy as np


class ReadOnlyArrays:
    """Keeps the arrays of a record read-only in copies by pickle and `copy.deepcopy`, which NumPy makes writeable."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(state)
