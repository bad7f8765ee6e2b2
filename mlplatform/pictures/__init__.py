"""Plots as SVG text, drawn on the server: no script, good for print and for a file. Pure code, no Django.

Colours come from ``static/platform/pictures.css``, which the console and the downloadable report both use.
"""

from mlplatform.pictures.bars import Bar, bars
from mlplatform.pictures.correlation import correlation
from mlplatform.pictures.figure import Figure
from mlplatform.pictures.flow import HERE, Arrow, Box, flow
from mlplatform.pictures.matrix import matrix
from mlplatform.pictures.plot import Axis, Line, plot
from mlplatform.pictures.silhouette import Group, silhouette
from mlplatform.pictures.spread import spread
from mlplatform.pictures.strip import Cell, strip
from mlplatform.pictures.swarm import Lane, swarm

__all__ = [
    "HERE",
    "Arrow",
    "Axis",
    "Bar",
    "Box",
    "Cell",
    "Figure",
    "Group",
    "Lane",
    "Line",
    "bars",
    "correlation",
    "flow",
    "matrix",
    "plot",
    "silhouette",
    "spread",
    "strip",
    "swarm",
]
