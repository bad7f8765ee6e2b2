"""Background work of monitoring, by subject: each task calls one service.

A worker looks for tasks in modules named ``tasks``, and so finds here those of every part.
"""

from monitoring.tasks.alerts import (
    deliver_one,
    deliver_waiting,
    send_digests,
    send_digests_of,
    tell_of,
    tend_alerts,
    tend_alerts_of,
)
from monitoring.tasks.checks import check_all_models, check_model, compare_rows, submit_checks
from monitoring.tasks.damage import inspect_deployed, inspect_files, look_again
from monitoring.tasks.health import record_health, record_model_health
from monitoring.tasks.log import (
    estimate_all_losses,
    estimate_losses_of,
    roll_up_all,
    roll_up_tenant,
    submit_treatment,
    treat_log_of,
)
from monitoring.tasks.reports import send_report_of, send_reports, submit_report
from monitoring.tasks.retraining import (
    settle_decision,
    settle_decisions,
    settle_version,
    submit_retraining,
    tell_of_decided,
)
from monitoring.tasks.rollouts import tend_rollout, tend_rollouts

__all__ = [
    "check_all_models",
    "check_model",
    "compare_rows",
    "deliver_one",
    "deliver_waiting",
    "estimate_all_losses",
    "estimate_losses_of",
    "inspect_deployed",
    "inspect_files",
    "look_again",
    "record_health",
    "record_model_health",
    "roll_up_all",
    "roll_up_tenant",
    "send_digests",
    "send_digests_of",
    "send_report_of",
    "send_reports",
    "settle_decision",
    "settle_decisions",
    "settle_version",
    "submit_checks",
    "submit_report",
    "submit_retraining",
    "submit_treatment",
    "tell_of",
    "tell_of_decided",
    "tend_alerts",
    "tend_alerts_of",
    "tend_rollout",
    "tend_rollouts",
    "treat_log_of",
]
