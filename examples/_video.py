"""What the examples that make videos share: looking at them again."""

from pathlib import Path

import av
import numpy as np

from vkforge.io.png import write_png


def contact_sheet(video: Path, columns: int, rows: int) -> Path:
    """Write moments of a video, evenly spaced and the last one among them, as one picture beside it."""
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    chosen = np.linspace(0, len(frames) - 1, columns * rows).round().astype(int)
    framed = [np.pad(frames[i], ((4, 4), (4, 4), (0, 0)), constant_values=255) for i in chosen]
    path = video.with_suffix(".png")
    write_png(path, np.vstack([np.hstack(framed[row * columns : (row + 1) * columns]) for row in range(rows)]))
    return path
