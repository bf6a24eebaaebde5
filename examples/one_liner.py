"""A terrain in one line, a picture in another: the defaults."""

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = demo_terrain()  # or vf.Terrain(heights, cell_size=30.0), or vf.Terrain.open("dem.tif")
image = vf.render(terrain, given.size(960, 540))
print(image.save(given.folder / "one_liner.png"))
