"""The figure of the speed benchmark: CPU against the yardstick on every tree, and growth with size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

INK, GRID = "#333333", "#dddddd"
COLOURS = {"mplint": "#2a6fbb", "warm": "#8ab8e6", "peer": "#b0a89f"}


def draw(rows: Sequence[Any], sizes: Mapping[str, Any], path: Path, yardstick: str) -> None:
    """Write `path`.svg and `path`.png.  Raises ImportError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "svg.hashsalt": "mplint", "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK})
    cpu = {(row.tree, row.case): row.cpu for row in rows if row.cpu is not None}
    cold, warm = "mplint cold, one job", "mplint warm"
    real = [tree for tree in dict.fromkeys(row.tree for row in rows) if not tree.startswith("synthetic")]
    grown = sorted((t for t in sizes if t.startswith("synthetic")), key=lambda t: sizes[t].lines)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), gridspec_kw={"width_ratios": (1.4, 1)}, layout="constrained")

    bars = [(yardstick, COLOURS["peer"]), (cold, COLOURS["mplint"]), (warm, COLOURS["warm"])]
    for case, colour in bars:
        points = [(cpu[tree, case], index) for index, tree in enumerate(real) if (tree, case) in cpu]
        if points:
            left.plot(*zip(*points), "o", markersize=7, color=colour, label=case)
        for value, place in points:
            left.annotate(f"{value:.2f}", (value, place), (0, -14 if case == cold else 7), textcoords="offset points", ha="center", fontsize=7)
    left.set_ylim(-0.6, len(real) - 0.4)
    left.set_yticks(range(len(real)), [f"{tree}\n{sizes[tree].lines // 1000:,}k lines" for tree in real])
    left.invert_yaxis()
    left.set_xscale("log")
    left.set_xlabel("CPU seconds (log)")
    left.set_title("One run over a package")

    for case, colour in bars:
        points = [(sizes[t].lines / 1000, cpu[t, case]) for t in grown if (t, case) in cpu]
        if points:
            right.plot(*zip(*points), marker="o", markersize=4, color=colour, label=case)
    right.set_xlim(left=0)
    right.set_ylim(bottom=0)
    right.set_xlabel("thousand lines")
    right.set_ylabel("CPU seconds")
    right.set_title("Growth (synthetic tree)")
    figure.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside lower center", ncols=len(bars))
    for axes in (left, right):
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".svg", ".png"):
        figure.savefig(path.parent / (path.name + suffix), dpi=160, metadata={"Date": None} if suffix == ".svg" else None)
    plt.close(figure)
