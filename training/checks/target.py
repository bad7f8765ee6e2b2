"""Checks of the target."""

from registry.problems.errors import UnusableTarget
from registry.tabular.labels import as_text
from training.checks.base import Finding, Material, Verdict, passed


def usable_target(material: Material) -> Finding:
    """Stop where no model can be trained on the target: empty, one class only, not a number."""
    try:
        material.problem.check_target(material.raw_target)
    except UnusableTarget as error:
        return Finding("usable_target", Verdict.impossible, error.detail, columns=(material.target,))
    if not material.target:
        return passed("usable_target", "It learns without a target.")
    return passed("usable_target", "The target can be learnt.")


def missing_target(material: Material) -> Finding:
    """Warn where many rows have no target."""
    if not material.problem.needs_target:
        return passed("missing_target", "Rows without a label are learnt from like any other.")
    share = float(material.frame[material.target].isna().mean()) if len(material.frame) else 0.0
    if share <= material.limits.max_missing_share:
        return passed("missing_target", f"{share:.1%} of the rows have no target and are left out.")
    return Finding(
        "missing_target",
        Verdict.warning,
        f"{share:.1%} of the rows have no target and are left out.",
        "Make sure that the remaining rows are not the easy ones: wait for outcomes, or fill the gaps.",
        (material.target,),
    )


def balance(material: Material) -> Finding:
    """Warn of a class that is rare."""
    if material.problem.key != "classification":
        return passed("balance", "The target has no classes.")
    shares = as_text(material.labelled[material.target]).value_counts(normalize=True)
    if shares.empty or shares.min() >= material.limits.min_class_share:
        return passed(
            "balance", f"The rarest class has {shares.min() if len(shares) else 0:.1%} of the rows."
        )
    return Finding(
        "balance",
        Verdict.warning,
        f'Class "{shares.index[-1]}" has {shares.min():.2%} of the rows.',
        "Judge by F1, PR AUC or Matthews correlation rather than accuracy; try class_weight='balanced'.",
        (material.target,),
    )
