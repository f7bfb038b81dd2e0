"""The configuration: `[tool.mplint]`, `mplint.toml` and the command line, put together into `Settings`."""

from mplint.config.merge import load
from mplint.config.options import FORMATS, Options
from mplint.config.settings import ConfigError, Selection, Settings

__all__ = ["FORMATS", "ConfigError", "Options", "Selection", "Settings", "load"]
