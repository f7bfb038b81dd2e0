"""LibCST tree -> facts: the one walk.

Whitespace is never visited (55 % of the nodes of a tree are whitespace; a `CSTVisitor` rebuilds them all), positions are
never computed.  Every expression and statement gets the next number of its page, in evaluation-independent source order,
so that walking the same bytes again finds the same node under the same number.
"""

from mplint.extract.pages import Unreadable, deep, page_source, parse_page
from mplint.extract.steps import EXTRACTOR, steps_in, steps_of

__all__ = ["EXTRACTOR", "Unreadable", "deep", "page_source", "parse_page", "steps_in", "steps_of"]
