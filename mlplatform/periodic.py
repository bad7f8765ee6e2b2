"""What is done again and again: the schedule that the database starts with, where people may change it."""

from typing import Any


def beat_schedule(*, check_minutes: int) -> dict[str, dict[str, Any]]:
    """Return the tasks and after how many seconds each comes again; models are checked as often as told."""
    return {
        "sweep lost training jobs": {"task": "training.sweep_jobs", "schedule": 15.0},
        "check deployed models": {
            "task": "monitoring.check_all_models",
            "schedule": 60.0 * check_minutes,
        },
        "roll predictions and outcomes up": {"task": "monitoring.roll_up_all", "schedule": 60.0},
        "estimate losses of regressions": {"task": "monitoring.estimate_all_losses", "schedule": 300.0},
        "check files of deployed versions": {"task": "monitoring.inspect_deployed", "schedule": 3600.0},
        "look at damaged files again": {"task": "monitoring.look_again", "schedule": 60.0},
        "escalate alerts and send what waits": {"task": "monitoring.tend_alerts", "schedule": 60.0},
        "write summaries of alerts": {"task": "monitoring.send_digests", "schedule": 600.0},
        "record how models and system are": {"task": "monitoring.record_health", "schedule": 300.0},
        "send scheduled reports": {"task": "monitoring.send_reports", "schedule": 60.0},
        "settle retraining decisions": {"task": "monitoring.settle_decisions", "schedule": 60.0},
        "weigh rollouts": {"task": "monitoring.tend_rollouts", "schedule": 60.0},
        "tend promotion requests": {"task": "registry.tend_requests", "schedule": 60.0},
        "join outcomes that came early": {"task": "feedback.tend_held", "schedule": 60.0},
        "sweep unfinished erasures": {"task": "feedback.sweep_erasures", "schedule": 300.0},
        "sweep kept answers": {"task": "registry.sweep_answers", "schedule": 3600.0},
        "sweep files that no row names": {"task": "registry.sweep_files", "schedule": 6 * 3600.0},
        "keep no longer than wanted": {"task": "registry.apply_retention", "schedule": 24 * 3600.0},
        "heartbeat": {"task": "mlplatform.heartbeat", "schedule": 30.0},
    }
