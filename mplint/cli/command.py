"""The command itself: what was asked, who answers it, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from mplint import __version__
from mplint.cli import FAILED
from mplint.cli.complaints import complain
from mplint.cli.words import Command, Request, options, request
from mplint.config.settings import ConfigError

_HELP = """Find the pitfalls of multiprocessing in Python code, show why each one bites, and mend what can be mended.

PATHS are files and directories, the current directory by default; `-` is standard input.

Exit codes: 0 nothing found, 1 something found, 2 mplint could not do its work.
"""


@click.command(cls=Command, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", message="mplint %(version)s")
@click.argument("paths", nargs=-1, type=click.Path())
@options
def mplint(**words: Any) -> int:
    return answer(request(words))


def run(arguments: Sequence[str]) -> int:
    """Obey a command line.  Returns the exit code."""
    try:
        code = mplint.main(list(arguments), prog_name="mplint", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return FAILED
    except click.Abort:
        raise KeyboardInterrupt from None
    except ConfigError as error:
        complain(str(error))
        return FAILED


def answer(asked: Request) -> int:
    """Hand the request to the one part that answers it."""
    if asked.explain is not None or asked.list_rules or asked.prove is not None:
        from mplint.cli import rules

        return rules.answer(asked)
    if asked.clear_cache:
        from mplint.cli import caching

        return caching.clear(asked)
    if asked.show_files or asked.show_settings:
        from mplint.cli import settings

        return settings.answer(asked)
    if asked.why is not None or asked.map:
        from mplint.cli import workers

        return workers.answer(asked)
    if asked.watch:
        from mplint.cli import watching

        return watching.watch(asked)
    from mplint.cli import checking

    return checking.check(asked)
