"""Light and look by name: one terrain in each preset, each a single line."""

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png
from vkforge.settings import PRESETS

given = options(__doc__)
size = given.size(480, 270)

terrain = demo_terrain()
tiles = [vf.render(terrain, size, preset=name).rgba[..., :3] for name in PRESETS]
print(vf.Settings.preset("golden-hour"))  # plain settings: print them, save them as TOML, change them

path = given.folder / "presets.png"
write_png(path, np.vstack([np.hstack(tiles[start : start + 2]) for start in (0, 2, 4)]))
print(path)
