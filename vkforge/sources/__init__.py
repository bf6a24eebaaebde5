"""Terrain from files: a reader a kind of file, and one path from what they find to a `Terrain`."""
