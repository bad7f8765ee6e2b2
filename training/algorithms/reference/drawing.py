"""A tree as a picture."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from training.algorithms.reference.growing import LEAF, Nodes

WIDTH, HEIGHT, GAP, LEVEL = 206, 62, 14, 104
MAX_TEXT = 22


def draw_tree(nodes: Nodes, feature_names: Sequence[str], labels: Sequence[str], max_depth: int) -> str:
    """An SVG of the nodes down to ``max_depth``: the question, the rows and the most frequent class of each.

    A node whose branch is left out says how many leaves it stands for.
    """
    shown = _shown(nodes, max_depth)
    middle = _middles(nodes, shown)
    levels = int(nodes.depth[shown].max()) + 1
    leaves = sum(1 for node in shown if not _opens(nodes, node, max_depth))
    width, height = leaves * (WIDTH + GAP) + GAP, levels * LEVEL
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="Decision tree" font-family="sans-serif" font-size="12">'
        )
    ]
    for node in shown:
        if _opens(nodes, node, max_depth):
            parts += _lines(nodes, node, middle)
    for node in shown:
        texts = _texts(nodes, node, feature_names, labels, _opens(nodes, node, max_depth))
        parts.append(_box(middle[node], int(nodes.depth[node]), _purity(nodes, node), texts))
    return "".join([*parts, "</svg>"])


def _opens(nodes: Nodes, node: int, max_depth: int) -> bool:
    return bool(nodes.left[node] != LEAF and nodes.depth[node] < max_depth)


def _shown(nodes: Nodes, max_depth: int) -> list[int]:
    """The nodes of the picture from left to right, each parent before its children."""
    shown, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        shown.append(node)
        if _opens(nodes, node, max_depth):
            waiting += [int(nodes.right[node]), int(nodes.left[node])]
    return shown


def _middles(nodes: Nodes, shown: Sequence[int]) -> dict[int, float]:
    """Where each node stands: the ends side by side, a parent in the middle of its children."""
    known, middle, ends = set(shown), {}, 0
    for node in shown:
        if int(nodes.left[node]) not in known:
            middle[node] = GAP + ends * (WIDTH + GAP) + WIDTH / 2
            ends += 1
    for node in reversed(shown):
        if node not in middle:
            middle[node] = (middle[int(nodes.left[node])] + middle[int(nodes.right[node])]) / 2
    return middle


def _lines(nodes: Nodes, node: int, middle: dict[int, float]) -> Iterator[str]:
    top = int(nodes.depth[node]) * LEVEL + HEIGHT + 4
    for child, word in ((int(nodes.left[node]), "yes"), (int(nodes.right[node]), "no")):
        x, y = middle[child], top + LEVEL - HEIGHT
        yield f'<path d="M{middle[node]:.1f} {top}L{x:.1f} {y}" stroke="#9ca3af" fill="none"/>'
        yield (
            f'<text x="{(middle[node] + x) / 2:.1f}" y="{(top + y) / 2:.1f}" fill="#6b7280" '
            f'text-anchor="middle">{word}</text>'
        )


def _texts(
    nodes: Nodes, node: int, feature_names: Sequence[str], labels: Sequence[str], opens: bool
) -> tuple[str, str, str]:
    rows, top = int(nodes.counts[node].sum()), int(nodes.counts[node].argmax())
    share = nodes.counts[node][top] / max(rows, 1)
    if opens:
        question = f"{_short(feature_names[nodes.feature[node]])} ≤ {nodes.threshold[node]:.4g}"
    elif nodes.left[node] == LEAF:
        question = "leaf"
    else:
        question = f"… {_leaves_below(nodes, node)} leaves"
    return question, f"{rows:,} row{'s' if rows != 1 else ''}", f"{_short(labels[top])}: {share:.0%}"


def _leaves_below(nodes: Nodes, node: int) -> int:
    count, waiting = 0, [node]
    while waiting:
        here = waiting.pop()
        if nodes.left[here] == LEAF:
            count += 1
        else:
            waiting += [int(nodes.left[here]), int(nodes.right[here])]
    return count


def _purity(nodes: Nodes, node: int) -> float:
    shares = nodes.counts[node] / max(nodes.counts[node].sum(), 1)
    even = 1 / len(shares)
    return float(np.clip((shares.max() - even) / (1 - even), 0, 1)) if len(shares) > 1 else 1.0


def _box(middle: float, depth: int, purity: float, texts: tuple[str, str, str]) -> str:
    x, y = middle - WIDTH / 2, depth * LEVEL + 4
    box = (
        f'<rect x="{x:.1f}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8" stroke="#4f46e5" '
        f'fill="#4f46e5" fill-opacity="{0.05 + 0.3 * purity:.2f}"/>'
    )
    weights = ("600", "400", "400")
    lines = "".join(
        f'<text x="{middle:.1f}" y="{y + 19 + 17 * i}" text-anchor="middle" fill="currentColor" '
        f'font-weight="{weight}">{escape(text)}</text>'
        for i, (text, weight) in enumerate(zip(texts, weights, strict=True))
    )
    return box + lines


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
