"""The pictures of what moves a model's answers on the whole."""

from mlplatform.pictures import Bar, Figure, Lane, bars, swarm
from training.evaluation.shapley import SHOWN, WholeEffects


def effect_figures(effects: WholeEffects, target: str) -> list[Figure]:
    """The mean size of each column's effect, and the effect on each row."""
    figures = [_means(effects, target)]
    lanes = [
        Lane(one.feature, one.points.effects, one.points.levels)
        for one in effects.features[:SHOWN]
        if one.points is not None
    ]
    if lanes:
        figures.append(_rows(effects, lanes, target))
    return figures


def _means(effects: WholeEffects, target: str) -> Figure:
    shown = effects.features[:SHOWN]
    what = target if effects.label is None else "the probability"
    percent = effects.label is not None
    several = any(one.by_class for one in shown)
    picture = bars(
        [Bar(one.feature, one.mean) for one in shown],
        axis=f"Moves {what} by, on average{' over rows and classes' if several else ''}",
        title="Mean size of each input's effect",
        percent=percent,
    )
    first = shown[0]
    size = f"{first.mean:.1%}" if percent else f"{first.mean:.4g}"
    words = f"{first.feature} moves {what} the most: by {size} on average, up or down."
    if several:
        strongest = max(first.by_class, key=first.by_class.__getitem__)
        words += f" Of the classes it matters most for {strongest} ({first.by_class[strongest]:.1%})."
    return Figure("How far each input moves the answer", picture, words)


def _rows(effects: WholeEffects, lanes: list[Lane], target: str) -> Figure:
    what = target if effects.label is None else f"the probability of {effects.label}"
    picture = swarm(lanes, axis=f"Moves {what} by", title="Each row's effects")
    words = (
        "Each dot is a row: to the right its value pushed the answer up, to the left down. Red dots on one "
        "side and blue ones on the other: the answer rises or falls with the value."
    )
    return Figure(f"Which way it moves {what}", picture, words)
