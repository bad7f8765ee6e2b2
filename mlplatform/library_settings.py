"""What the libraries are told, the same on every installation; ``settings.py`` takes all of it."""

# --- Who signs in -----------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
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
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = False  # asked for by our own rule
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
        "AlertState": "monitoring.models.alert.AlertState",
        "DecisionState": "monitoring.models.policy.DecisionState",
        "JobState": "training.models.job.JobState",
        "ScheduleKindEnum": "training.models.schedule.ScheduleKind",
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
    "STYLES": ["/static/platform/console.css", "/static/platform/pictures.css"],
    "SIDEBAR": {"show_search": True, "navigation": "mlplatform.admin.navigation.sidebar"},
    "SITE_DROPDOWN": "mlplatform.admin.navigation.tenant_switcher",
    "ACCOUNT": {"navigation": "mlplatform.admin.navigation.account_links"},
    "BORDER_RADIUS": "8px",
}
