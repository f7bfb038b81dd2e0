"""mplint: finds the pitfalls of Python multiprocessing, shows why each one bites, and mends what can be mended."""

__version__ = "0.1.0"
