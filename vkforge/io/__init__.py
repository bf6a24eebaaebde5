"""Files in and out: elevation readers, picture writers."""
