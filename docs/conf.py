"""Sphinx builds the documentation from here: ./dev docs."""

import logging
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

# a11y_pygments, which furo imports, asks for everybody's INFO in the log unless somebody was there before it.
logging.basicConfig(level=logging.WARNING)

project = "vkforge"
author = "the vkforge authors"
copyright = "2026, the vkforge authors"
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "from_the_package"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
default_role = "py:obj"
smartquotes = False  # option names begin with two hyphens

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Color", "Light", "Vector", "Affine")}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are fields of their class, and so documented once
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"vkforge {release}"
