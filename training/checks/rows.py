"""Checks of the rows: enough of them, not repeated, not on both sides of the split."""

import pandas as pd

from registry.tabular.holdout import row_hashes
from training.checks.base import Finding, Material, Verdict, passed


def enough_rows(material: Material) -> Finding:
    """Warn of fewer labelled rows than the limit."""
    rows, wanted = len(material.labelled), material.limits.min_rows
    if rows >= wanted:
        kind = "rows with a target" if material.problem.needs_target else "rows"
        return passed("enough_rows", f"{rows:,} {kind}.")
    return Finding(
        "enough_rows",
        Verdict.warning,
        f"Only {rows:,} rows have a target; {wanted:,} are advised."
        if material.problem.needs_target
        else f"There are only {rows:,} rows; {wanted:,} are advised.",
        "Add rows. With so few, scores swing widely from one sample to the next: read their intervals.",
    )


def repeated_rows(material: Material) -> Finding:
    """Warn of rows that occur more than once, target included."""
    hashes = row_hashes(material.frame, material.target)
    share = float(pd.Series(hashes).duplicated().sum()) / max(len(hashes), 1)
    if share <= material.limits.max_duplicate_share:
        return passed("repeated_rows", f"{share:.1%} of the rows repeat another.")
    return Finding(
        "repeated_rows",
        Verdict.warning,
        f"{share:.1%} of the rows repeat another one exactly.",
        "Export the data without repetitions, unless the same case really occurred so often: a repeated row "
        "counts as often as it is repeated.",
    )


def overlap_with_holdout(material: Material) -> Finding:
    """Warn of inputs that are learnt from and, the same, held out."""
    names = [column.name for column in material.used]
    if not names or not material.held_out.any():
        return passed("overlap_with_holdout", "No row is held out.")
    hashes = pd.util.hash_pandas_object(material.frame[names], index=False).to_numpy()
    learnt, held = hashes[~material.held_out], hashes[material.held_out]
    share = float(pd.Series(held).isin(learnt).mean())
    if share <= material.limits.max_duplicate_share:
        return passed("overlap_with_holdout", f"{share:.1%} of the held-out rows have a twin in training.")
    return Finding(
        "overlap_with_holdout",
        Verdict.warning,
        f"{share:.1%} of the held-out rows have the same inputs as a row that is learnt from.",
        "Scores on the hold-out are flattered. Split by the person or thing that the rows are about (group "
        "column), or add columns that tell the rows apart.",
    )
