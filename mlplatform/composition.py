"""What the platform is put together from, the same on every installation; a part of ``settings.py``."""

from pathlib import Path
from typing import Any

INSTALLED_APPS = [
    "mlplatform",
    "mlplatform.tenancy",
    "mlplatform.identity",
    "registry",
    "feedback",
    "training",
    "monitoring",
    "unfold",
    "unfold.contrib.filters",
    "mlplatform.admin.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "corsheaders",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
]

# On the server the usual request for answers is answered before Django begins; all else passes through.
BEFORE_DJANGO = "registry.api.quick.quick_answers"
MIDDLEWARE = [
    # The same for whoever goes past the server's own door.
    "registry.api.predict_now.PredictNowMiddleware",
    "mlplatform.tenancy.middleware.RequestContextMiddleware",
    # Around all that may refuse a request, and where its context is known.
    "registry.api.counting.CountRequestsMiddleware",
    # Above all that may answer by itself, so that no answer goes without its headers.
    "mlplatform.headers.AnswerHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mlplatform.api.middleware.KnownLengthMiddleware",
    "mlplatform.api.middleware.RefusedAgainMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "mlplatform.tenancy.middleware.TenancyMiddleware",
    "mlplatform.api.middleware.RequestLimitMiddleware",
    "mlplatform.tenancy.middleware.TenantTransactionMiddleware",
]

# --- The API ----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["mlplatform.api.authentication.PlatformAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["mlplatform.api.permissions.RequiresCapability"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mlplatform.api.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["mlplatform.api.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "mlplatform.api.pagination.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "mlplatform.api.schema.PlatformSchema",
    "EXCEPTION_HANDLER": "mlplatform.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ML platform API",
    "VERSION": "1",
    "DESCRIPTION": "Data, training, registry, serving, feedback and monitoring of one tenant's models. "
    "Send an API key as `Authorization: Bearer mlp_...`.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Role": "mlplatform.tenancy.models.membership.Role",
        "RoleOnModel": "mlplatform.tenancy.models.team.GRANTABLE",
        "AlertMetric": "monitoring.models.alert.AlertMetric",
        "ReferenceKind": "training.evaluation.against_library.KINDS",
        "DriftRule": "monitoring.models.drift.DriftRule",
        "AlertState": "monitoring.models.alert.AlertState",
        "ChannelKind": "monitoring.models.channel.ChannelKind",
        "Severity": "monitoring.models.alert.Severity",
        "DeliveryState": "monitoring.models.delivery.DeliveryState",
        "LabelState": "feedback.models.label.LabelState",
        "QuarantineState": "feedback.models.quarantine.QuarantineState",
        "EventKind": "monitoring.models.delivery.EventKind",
        "ReportFiles": "monitoring.models.report_schedule.ReportFiles",
        "ReportRhythm": "monitoring.models.report_schedule.Rhythm",
        "DecisionState": "monitoring.models.policy.DecisionState",
        "JobState": "training.models.job.JobState",
        "BatchFormat": "training.models.batch.FileForm",
        "BatchPartKind": "training.models.batch.PartKind",
        "RolloutKind": "registry.models.rollout.RolloutKind",
        "OnSourceFailureEnum": "training.models.source.OnSourceFailure",
        "ScheduleKindEnum": "training.models.schedule.ScheduleKind",
        "SourceKindEnum": "training.models.source.SourceKind",
        "HeldState": "feedback.models.held.HeldState",
        "RequestState": "registry.models.request.RequestState",
        "VersionStatus": "registry.models.version.VersionStatus",
    },
    "SERVE_PERMISSIONS": ["mlplatform.api.permissions.SignedIn"],
}

# --- The console ------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "ML platform",
    "SITE_HEADER": "ML platform",
    "SITE_SYMBOL": "model_training",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [f"/static/platform/{name}.css" for name in ("console", "pictures", "card")],
    "SIDEBAR": {"show_search": True},
    "SITE_DROPDOWN": "mlplatform.admin.navigation.tenant_switcher",
    "ACCOUNT": {"navigation": "mlplatform.admin.navigation.account_links"},
    "BORDER_RADIUS": "8px",
}

# --- Pages and logs ---------------------------------------------------------------------------
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parent.parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "mlplatform.tenancy.request_context.ContextFilter"}},
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} request={request_id} tenant={tenant_id} {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # A line for every request, every step of a sign-in, or every table of a font says nothing new.
    # httpcore would repeat the headers of answers, in which a service may repeat a credential.
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "INFO"},
        "axes": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}
