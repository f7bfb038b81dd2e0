"""Thumbnails of a folder of PGM pictures, a summary of it, and a gallery."""
