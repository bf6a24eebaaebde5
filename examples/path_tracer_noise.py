"""How the path tracer's error falls with its samples and with the time they take, against 1/N."""

import time

import numpy as np
from _options import options
from matplotlib.figure import Figure

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)
quick = given.scale < 1

scene = vf.Scene.portrait(demo_terrain())
size = (64, 36) if quick else (112, 63)
most = 64 if quick else 512

samples, seconds, errors = [], [], []
with vf.Renderer() as renderer:
    # Its own truth: another seed and four times the samples, so that its own error hardly shows.
    truth = renderer.render(scene, size, lane="path-traced", samples=4 * most, seed=1).hdr
    began = time.perf_counter()
    for image in renderer.accumulate(scene, size, samples=most):
        seconds.append(time.perf_counter() - began)
        samples.append(image.info["samples"])
        errors.append(np.mean((image.hdr - truth) ** 2 / (truth**2 + 1e-2)))

figure = Figure(figsize=(8, 3.6), layout="constrained")
by_samples, by_time = figure.subplots(1, 2, sharey=True)
by_samples.loglog(samples, errors, "o-", color="#1f4e79", label="path tracer")
by_samples.loglog(samples, errors[0] / np.array(samples), "--", color="#999999", label="1/N")
by_samples.set_xlabel("samples a pixel")
by_samples.set_ylabel("relative mean squared error")
by_samples.legend(frameon=False)
by_time.loglog(seconds, errors, "o-", color="#a0522d")
by_time.set_xlabel(f"seconds, {size[0]} x {size[1]} pixels")
for axes in (by_samples, by_time):
    axes.grid(which="both", alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)

path = given.folder / "path_tracer_noise.png"
figure.savefig(path, dpi=130)
print(path)
