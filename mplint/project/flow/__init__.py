"""The control flow of a function, and the definitions that reach its names."""

from mplint.project.flow.around import Branch, Loop
from mplint.project.flow.bindings import Binder, Definition
from mplint.project.flow.graph import Graph, graph_of
from mplint.project.flow.nodes import Ending, Ends, Node, Place, Swallows, Way
from mplint.project.flow.paths import Leaving, Point
from mplint.project.flow.reaching import Reaching

__all__ = [
    "Binder", "Branch", "Definition", "Ending", "Ends", "Graph", "Leaving", "Loop", "Node", "Place", "Point", "Reaching", "Swallows", "Way",
    "graph_of",
]  # fmt: skip
