"""The control flow of a function, and the definitions that reach its names."""

from mplint.project.flow.bindings import Binder, Definition
from mplint.project.flow.graph import Graph, graph_of
from mplint.project.flow.reaching import Reaching

__all__ = ["Binder", "Definition", "Graph", "Reaching", "graph_of"]
