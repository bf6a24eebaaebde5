"""Measurements: `python -m benchmarks.run` of vkforge alone, `python -m benchmarks.peers` beside other renderers."""
