"""What can go wrong with rules, alerts, checks and decisions."""

from mlplatform.errors import Conflict, InvalidInput, NotFound


class AlertNotFound(NotFound):
    """No such alert in this tenant."""

    code = "alert_not_found"


class AlertClosed(Conflict):
    """The alert is in a state that does not allow this."""

    code = "alert_closed"


class RuleNotFound(NotFound):
    """No such alert rule in this tenant."""

    code = "rule_not_found"


class RuleExists(Conflict):
    """The model has a rule of this metric and severity already."""

    code = "rule_exists"


class InvalidRule(InvalidInput):
    """The rule cannot work as it is given."""

    code = "invalid_rule"


class InvalidPolicy(InvalidInput):
    """The policy cannot work as it is given."""

    code = "invalid_policy"


class DecisionNotFound(NotFound):
    """No such decision in this tenant."""

    code = "decision_not_found"


class InvalidDriftSettings(InvalidInput):
    """The settings of drift checks cannot work as they are given."""

    code = "invalid_drift_settings"


class NothingDeployed(Conflict):
    """The model has no champion, so there is nothing to check."""

    code = "nothing_deployed"


class RollbackNotDue(Conflict):
    """Nothing proves that the champion is worse than it may be."""

    code = "rollback_not_due"


class NoReport(NotFound):
    """The model has no drift report yet."""

    code = "no_drift_report"


class InvalidSnooze(InvalidInput):
    """An alert cannot be snoozed like this."""

    code = "invalid_snooze"


class InvalidOwner(InvalidInput):
    """Nobody of this address can look after the alert."""

    code = "invalid_owner"


class ChannelNotFound(NotFound):
    """No such channel in this tenant."""

    code = "channel_not_found"


class ChannelExists(Conflict):
    """A channel of this name exists already."""

    code = "channel_exists"


class InvalidChannel(InvalidInput):
    """The channel cannot work as it is given."""

    code = "invalid_channel"


class DeliveryNotFound(NotFound):
    """No such delivery in this tenant."""

    code = "delivery_not_found"


class DeliveryUnderWay(Conflict):
    """The delivery waits to be sent already."""

    code = "delivery_under_way"


class InvalidReport(InvalidInput):
    """A report cannot be made like this."""

    code = "invalid_report"


class ReportScheduleNotFound(NotFound):
    """No such report schedule in this tenant."""

    code = "report_schedule_not_found"


class ReportScheduleExists(Conflict):
    """A report schedule of this name exists already."""

    code = "report_schedule_exists"


class InvalidReportSchedule(InvalidInput):
    """The report schedule cannot work as it is given."""

    code = "invalid_report_schedule"
