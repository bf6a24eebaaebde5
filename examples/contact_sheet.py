"""The picture and every AOV of one frame on one page."""

from _options import options

import vkforge as vf
from vkforge.contact_sheet import contact_sheet
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

given = options(__doc__)

size = given.size(960, 540)
with vf.Renderer() as renderer:
    image = renderer.render(vf.Scene.portrait(demo_terrain(), size), size, aovs=vf.AOVS)

path = given.folder / "contact_sheet.png"
write_png(path, contact_sheet(image, columns=5))
print(path)
