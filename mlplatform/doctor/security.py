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


def master_key() -> Finding:
    """Say where the key lies that opens everything encrypted, never showing it."""
    if settings.MASTER_KEY_GIVEN:
        return fine("Master key", "given by the environment, apart from the data")
    return fine(
        "Master key",
        f"kept in {settings.DATA_DIR}, beside the data: that protects a copy of the files alone, not a "
        "stolen disk; in production set ML_MASTER_KEYS",
    )


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


def trusted_proxies() -> Finding:
    """Refuse HTTPS without a proxy that is counted: every client would have the proxy's address."""
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        return wrong(
            "Trusted proxies",
            "none, though ML_HTTPS says that a proxy stands in front: its address counts as everybody's",
            "Set ML_TRUSTED_PROXIES to the number of proxies, each of which adds to X-Forwarded-For.",
        )
    return fine("Trusted proxies", f"{settings.TRUSTED_PROXIES} in front")


def time_zone() -> Finding:
    """Stored and scheduled times are in UTC."""
    if not settings.USE_TZ or settings.CELERY_TIMEZONE != "UTC" or settings.TIME_ZONE != "UTC":
        return wrong("Time zone", f"{settings.TIME_ZONE}", "Keep TIME_ZONE and CELERY_TIMEZONE at UTC.")
    return fine("Time zone", "UTC everywhere")
