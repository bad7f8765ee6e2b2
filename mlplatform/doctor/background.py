"""Do the broker, a worker and the scheduler live?"""

from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError

from mlplatform.celery import app
from mlplatform.doctor.findings import Finding, fine, wrong
from mlplatform.models import Heartbeat

ANSWER_SECONDS = 2
HEARTBEAT_LIMIT = timedelta(minutes=3)
START = "Start the platform: make run, or python manage.py serve"


def broker_answers() -> Finding:
    """Connect to the broker."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
            kind = connection.transport_cls
    except (OperationalError, OSError) as error:
        return wrong("Broker", f"does not answer: {error}", "Start the broker, or correct CELERY_BROKER_URL.")
    return fine("Broker", f"{kind} answers")


def worker_answers() -> Finding:
    """Ask all workers for a sign of life."""
    try:
        answers = app.control.inspect(timeout=ANSWER_SECONDS).ping()
    except (OperationalError, OSError) as error:
        return wrong("Worker", f"cannot be asked: {error}", "Mend the broker first.")
    if not answers:
        return wrong("Worker", "no worker answers", START)
    return fine("Worker", ", ".join(sorted(answers)))


def scheduler_beats() -> Finding:
    """Look at the last heartbeat that beat sent and a worker noted."""
    try:
        last = Heartbeat.objects.filter(name="beat").first()
    except DatabaseError as error:
        return wrong("Scheduler", f"unknown: {error}".strip(), "Mend the database first.")
    if last is None:
        return wrong("Scheduler", "no heartbeat yet", f"{START}; the first comes within a minute.")
    age = timezone.now() - last.at
    seen = f"last heartbeat {age.total_seconds():.0f} s ago"
    if age > HEARTBEAT_LIMIT:
        return wrong("Scheduler", seen, f"{START}. If it runs, read beat.log and worker.log in logs.")
    return fine("Scheduler", seen)
