"""Scenes that change with time, and the videos made of them. The public name is `vkforge.Animation`."""
