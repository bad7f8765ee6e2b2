"""Settings, all of them, read from the environment through a strict reader.

``docs/configuration.md`` explains each variable.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from mlplatform.broker import broker_options
from mlplatform.composition import (  # noqa: F401  # settings are names of this module
    BEFORE_DJANGO,
    INSTALLED_APPS,
    LOGGING,
    MIDDLEWARE,
    REST_FRAMEWORK,
    SPECTACULAR_SETTINGS,
    TEMPLATES,
    UNFOLD,
)
from mlplatform.env import Environment
from mlplatform.headers import CLOSED_POLICY
from mlplatform.machine import usable_memory_mb
from mlplatform.oidc import oidc_providers
from mlplatform.outbound.policy import Policy
from mlplatform.periodic import beat_schedule
from mlplatform.secret_key import MASTER_KEY_FILE, kept_secret_key

env = Environment(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent

# --- The basics -------------------------------------------------------------------------------
DATA_DIR = env.path("ML_DATA_DIR", BASE_DIR / "data")
# What lies there is read back and believed, the cache's entries among it: nobody else may write.
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
DEBUG = env.boolean("ML_DEBUG", False)
SECRET_KEY = env.optional("ML_SECRET_KEY") or kept_secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env.items("ML_SECRET_KEY_FALLBACKS")
# Signs artefacts. A key of its own lets the session key be rotated without touching stored models.
ARTIFACT_KEY = env.optional("ML_ARTIFACT_KEY") or SECRET_KEY
# Keys that still vouch for what they signed; a key that was never set apart follows the session key's past.
ARTIFACT_KEY_FALLBACKS = env.items("ML_ARTIFACT_KEY_FALLBACKS") or (
    SECRET_KEY_FALLBACKS if ARTIFACT_KEY == SECRET_KEY else []
)
# Installations whose archives of models are taken, as NAME=KEY; the command transfer_key tells a key.
TRUSTED_INSTALLATIONS = env.items("ML_TRUSTED_INSTALLATIONS")
# Opens what is encrypted at rest: the first one seals, the further ones still open.
MASTER_KEY_GIVEN = bool(env.items("ML_MASTER_KEYS"))
MASTER_KEYS = env.items("ML_MASTER_KEYS") or [kept_secret_key(DATA_DIR, MASTER_KEY_FILE)]
if any(len(key) < 32 for key in MASTER_KEYS):
    raise ImproperlyConfigured("A key in ML_MASTER_KEYS is shorter than 32 characters. Use random ones.")
ALLOWED_HOSTS = env.items("ML_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("ML_TRUSTED_ORIGINS")
# Other sites' pages may call the API with a token of theirs, and never with a person's cookie.
CORS_ALLOWED_ORIGINS = env.items("ML_CORS_ORIGINS")
CORS_URLS_REGEX = r"^/(api|v2)/"
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Retry-After"]
HTTPS = env.boolean("ML_HTTPS", False)
ROOT_URLCONF = "mlplatform.urls"
WSGI_APPLICATION = "mlplatform.wsgi.application"
AUTH_USER_MODEL = "tenancy.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-us"

# --- Database and files -----------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'platform.sqlite3'}")
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers and one writer work together; IMMEDIATE makes writers queue instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
    # A file, as in production: SQLite's database in memory locks differently, so races could not be tested.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Behind pgbouncer in transaction mode the next statement may go to another session.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.boolean("ML_PGBOUNCER", False)
else:
    raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL.")

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "mlplatform" / "static"]
# Files are served from where they are installed: no collection step to forget.
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = env.integer("ML_MAX_BODY_BYTES", 5_000_000, minimum=1_000)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
MAX_UPLOAD_BYTES = env.integer("ML_MAX_UPLOAD_BYTES", 2_000_000_000, minimum=1_000)
MAX_TABLE_BYTES = env.integer("ML_MAX_TABLE_BYTES", 2_000_000_000, minimum=1_000)
MAX_COLUMNS = env.integer("ML_MAX_COLUMNS", 2_000, minimum=2)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- Who signs in, and how it is protected ----------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses an account that is locked out
    "mlplatform.tenancy.backends.TenantBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
# Proxies in front, each of which adds the address that it saw to X-Forwarded-For.
TRUSTED_PROXIES = env.integer("ML_TRUSTED_PROXIES", 0)
# A proof of identity older than this is asked for again before what cannot easily be taken back.
REAUTHENTICATION_SECONDS = 60 * env.integer("ML_REAUTH_MINUTES", 10, minimum=1)
ACCOUNT_ADAPTER = "mlplatform.identity.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "mlplatform.identity.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; the sign-in form is made of these
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by invitation or by single sign-on
ACCOUNT_SESSION_REMEMBER = True
# Wrong answers are counted in the database, below; this brake is for guesses at many accounts.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": None, "reauthenticate": None}
MFA_ADAPTER = "mlplatform.identity.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whoever invites vouches for the address
MFA_REAUTHENTICATION_REQUIRED = False  # asked for by our own rule, which counts a sign-in as a proof
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "ML platform"
MFA_FORMS = {
    "add_webauthn": "mlplatform.identity.forms.PasskeyForm",
    "authenticate": "mlplatform.identity.forms.SecondStepForm",
    "reauthenticate": "mlplatform.identity.forms.ConfirmCodeForm",
}
SOCIALACCOUNT_ADAPTER = "mlplatform.identity.single_sign_on.SignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": oidc_providers(env)}}
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = False  # asked for by our own rule
AXES_FAILURE_LIMIT = env.integer("ML_LOCKOUT_FAILURES", 10, minimum=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.integer("ML_LOCKOUT_MINUTES", 15, minimum=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "email"
AXES_USERNAME_CALLABLE = "mlplatform.identity.lockout.account_key"
AXES_CLIENT_IP_CALLABLE = "mlplatform.identity.lockout.counted_address"
AXES_SENSITIVE_PARAMETERS = ["login", "username", "email", "code", "credential", "csrfmiddlewaretoken"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else anybody could keep an account locked for ever
AXES_DISABLE_ACCESS_LOG = True  # sign-ins stand in the audit trail
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SESSION_COOKIE_AGE = env.integer("ML_SESSION_HOURS", 12, minimum=1) * 3600
SESSION_COOKIE_HTTPONLY = True
# The prefix lets browsers refuse a session that a neighbouring sub-domain set.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": CLOSED_POLICY}  # pages get the console's: mlplatform/headers.py
# Whether a domain enters the browsers' preload list is for its owner to say; the middleware of axes would
# tell a locked account from a wrong password.
SILENCED_SYSTEM_CHECKS = ["security.W021", "axes.W002"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "mlplatform.api.problems.csrf_failure"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
# Audit rows that one principal's refused attempts at one thing may cause; more are counted, not written.
AUDIT_ATTEMPTS_PER_MINUTE = env.integer("ML_AUDIT_ATTEMPTS_PER_MINUTE", 10, minimum=1)

# --- Background work --------------------------------------------------------------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "filesystem://localhost")
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL, DATA_DIR / "broker")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the sweep decides whether a lost job runs again
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"training.*": {"queue": "training"}, "monitoring.*": {"queue": "monitoring"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CHECK_INTERVAL_MINUTES = env.integer("ML_CHECK_INTERVAL_MINUTES", 15, minimum=1)
CELERY_BEAT_SCHEDULE = beat_schedule(check_minutes=CHECK_INTERVAL_MINUTES)
RETRAINING_FEEDBACK_THRESHOLD = env.integer("ML_RETRAINING_FEEDBACK_THRESHOLD", 50, minimum=1)
PERFORMANCE_THRESHOLD = env.decimal("ML_PERFORMANCE_THRESHOLD", 0.7)
TRAINING_HEARTBEAT_SECONDS = env.integer("ML_TRAINING_HEARTBEAT_SECONDS", 5, minimum=1)
TRAINING_LEASE_SECONDS = env.integer("ML_TRAINING_LEASE_SECONDS", 60, minimum=2)
TRAINING_MAX_ATTEMPTS = env.integer("ML_TRAINING_MAX_ATTEMPTS", 2, minimum=1)
# The job's own worker and its helpers together.
TRAINING_MAX_WORKERS = env.integer("ML_TRAINING_MAX_WORKERS", 4, minimum=1)
# Threads of one training: the worker runs two jobs at a time.
TRAINING_THREADS = env.integer("ML_TRAINING_THREADS", max(1, (os.cpu_count() or 1) // 2), minimum=1)
TRAINING_TIMEOUT_MINUTES = env.integer("ML_TRAINING_TIMEOUT_MINUTES", 30, minimum=1)
# Beyond what the libraries take; two jobs at once leave a fifth of the machine to the rest.
TRAINING_MEMORY_MB = env.integer("ML_TRAINING_MEMORY_MB", max(200, 2 * usable_memory_mb() // 5), minimum=50)
# Batches are answered in pieces of about so many bytes of text, or so many rows of other files.
BATCH_BYTES = env.integer("ML_BATCH_BYTES", 1 << 24, minimum=1_000)
BATCH_ROWS = env.integer("ML_BATCH_ROWS", 50_000, minimum=1)
BATCH_MAX_ROWS = env.integer("ML_BATCH_MAX_ROWS", 50_000_000, minimum=1)
BATCH_KEEP_DAYS = env.integer("ML_BATCH_KEEP_DAYS", 7, minimum=1)
# Fits in a process of their own can be stopped at any moment; without it, only between folds.
TRAINING_ISOLATED = env.boolean("ML_TRAINING_ISOLATED", True)

# --- For how long things are kept, in days; a tenant may choose otherwise. Zero: for ever ------
MAX_MODEL_VERSIONS = env.integer("ML_MAX_MODEL_VERSIONS", 10, minimum=1)
MODEL_RETENTION_DAYS = env.integer("ML_MODEL_RETENTION_DAYS", 30, minimum=0) or None
PREDICTION_RETENTION_DAYS = env.integer("ML_PREDICTION_RETENTION_DAYS", 90, minimum=0) or None
DATASET_RETENTION_DAYS = env.integer("ML_DATASET_RETENTION_DAYS", 0, minimum=0) or None
JOB_RETENTION_DAYS = env.integer("ML_JOB_RETENTION_DAYS", 365, minimum=0) or None

# With this token the operator's Prometheus reads /metrics; without one, nobody does.
METRICS_TOKEN = env.optional("ML_METRICS_TOKEN") or ""
if 0 < len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured("ML_METRICS_TOKEN is too short to be a secret: 20 characters at least.")

# --- Limits -----------------------------------------------------------------------------------
# What each tenant may use; a platform administrator may set others for one tenant.
LIMITS = {
    "requests_per_minute": env.integer("ML_LIMIT_REQUESTS_PER_MINUTE", 6000, minimum=1),
    "running_jobs": env.integer("ML_LIMIT_RUNNING_JOBS", 2, minimum=1),
    "active_jobs": env.integer("ML_LIMIT_ACTIVE_JOBS", 50, minimum=1),
    "storage_bytes": env.integer("ML_LIMIT_STORAGE_BYTES", 50_000_000_000, minimum=1),
    "stored_rows": env.integer("ML_LIMIT_STORED_ROWS", 100_000_000, minimum=1),
}
PERSON_REQUESTS_PER_MINUTE = env.integer("ML_LIMIT_PERSON_REQUESTS_PER_MINUTE", 600, minimum=1)
CACHE_URL = env.optional("ML_CACHE_URL")
REQUEST_COUNTERS = "mlplatform.tenancy.counters." + (
    "redis.RedisCounters" if CACHE_URL else "database.DatabaseCounters"
)

# --- What the platform itself opens -----------------------------------------------------------
# Private addresses that tenants' data sources may lead to: hosts, host:port, or networks.
OUTBOUND_HOSTS = env.items("ML_OUTBOUND_HOSTS")
try:
    Policy.of(OUTBOUND_HOSTS)
except ValueError as error:
    raise ImproperlyConfigured(f"ML_OUTBOUND_HOSTS: {error}. Write networks like 10.1.0.0/16.") from error
# The folder whose SQLite files data sources may read; none without it.
SOURCE_FILES = env.optional("ML_SOURCE_FILES")
SOURCE_MAX_ROWS = env.integer("ML_SOURCE_MAX_ROWS", 5_000_000, minimum=1)
SOURCE_MAX_BYTES = env.integer("ML_SOURCE_MAX_BYTES", 2_000_000_000, minimum=1_000)
SOURCE_MAX_SECONDS = env.integer("ML_SOURCE_MAX_SECONDS", 600, minimum=1)
# What is asked for by the console or the API is waited for; a job and a command have longer.
SOURCE_REQUEST_SECONDS = env.integer("ML_SOURCE_REQUEST_SECONDS", 60, minimum=1)

# --- The API ----------------------------------------------------------------------------------
MAX_PREDICTION_ROWS = env.integer("ML_MAX_PREDICTION_ROWS", 1000, minimum=1)
# For so long a request that comes again under the same Idempotency-Key is answered as before.
IDEMPOTENCY_HOURS = env.integer("ML_IDEMPOTENCY_HOURS", 24, minimum=1)
# So many outcomes of a tenant may wait for their predictions; further ones are refused.
MAX_HELD_OUTCOMES = env.integer("ML_MAX_HELD_OUTCOMES", 100_000, minimum=0)
# How long a server process may go on with what it knows of a key, its rights, and which version answers.
SERVING_MEMORY_SECONDS = env.decimal("ML_SERVING_MEMORY_SECONDS", 1.0)
MODEL_CACHE_SIZE = env.integer("ML_MODEL_CACHE_SIZE", 16, minimum=1)
MODEL_CACHE_MB = env.integer("ML_MODEL_CACHE_MB", max(200, usable_memory_mb() // 4), minimum=1)
ANSWER_CACHE_MB = env.integer("ML_ANSWER_CACHE_MB", 32, minimum=1)
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            "OPTIONS": {"serializer": "mlplatform.cache.PlainSerializer"},
        }
        if CACHE_URL
        else {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": DATA_DIR / "cache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    )
}
# Without a mail server, letters are printed to where the log goes.
EMAIL_HOST = env.optional("ML_EMAIL_HOST") or ""
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.integer("ML_EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.optional("ML_EMAIL_USER") or ""
EMAIL_HOST_PASSWORD = env.optional("ML_EMAIL_PASSWORD") or ""
EMAIL_USE_TLS = env.boolean("ML_EMAIL_TLS", True)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("ML_EMAIL_FROM", "platform@localhost")
LOGGING["root"]["level"] = env.text("ML_LOG_LEVEL", "INFO")
