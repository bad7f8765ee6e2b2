"""Are the settings safe to be reached by others?"""

from django.conf import settings

from mlplatform.doctor.findings import Finding, fine, wrong

SHORTEST_KEY = 50
FEWEST_DIFFERENT = 10


def secret_key() -> Finding:
    """Look at the length and variety of the secret key, never showing it."""
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_DIFFERENT:
        return wrong(
            "Secret key",
            f"weak: {len(key)} characters, {len(set(key))} different",
            "Unset ML_SECRET_KEY to have one made, or set one of 50 or more random characters.",
        )
    return fine("Secret key", "long and random enough")


def debug_switch() -> Finding:
    """Refuse DEBUG, which shows settings and source code to whoever causes an error."""
    if settings.DEBUG:
        return wrong("Debug mode", "on", "Unset ML_DEBUG except on a developer's machine.")
    return fine("Debug mode", "off")


def allowed_hosts() -> Finding:
    """Refuse a list of hosts that lets every name in."""
    if "*" in settings.ALLOWED_HOSTS:
        return wrong("Allowed hosts", "every name is accepted", "Name them: ML_ALLOWED_HOSTS=ml.example.org")
    return fine("Allowed hosts", ", ".join(settings.ALLOWED_HOSTS))


def time_zone() -> Finding:
    """Stored and scheduled times are in UTC."""
    if not settings.USE_TZ or settings.CELERY_TIMEZONE != "UTC" or settings.TIME_ZONE != "UTC":
        return wrong("Time zone", f"{settings.TIME_ZONE}", "Keep TIME_ZONE and CELERY_TIMEZONE at UTC.")
    return fine("Time zone", "UTC everywhere")
