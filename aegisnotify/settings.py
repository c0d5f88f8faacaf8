"""Settings, read once from the environment. README.md has the table of all variables.

Two ways to run: *embedded* (no DATABASE_URL: SQLite and the ORM broker, nothing else needed) and *served* (PostgreSQL
by DATABASE_URL, Redis by REDIS_URL). What is unsafe to guess in the second refuses to start and says what is missing.
"""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from aegisnotify import environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("AEGIS_DATA_DIR", default=str(BASE_DIR / "var")))
DATABASE_URL = environment.secret("DATABASE_URL")
REDIS_URL = environment.secret("REDIS_URL")
EMBEDDED = not DATABASE_URL

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = environment.kept_secret(
    "SECRET_KEY", directory=DATA_DIR, embedded=EMBEDDED, generate=lambda: secrets.token_urlsafe(64)
)
SECRET_KEY_FALLBACKS = [key for key in environment.secret("SECRET_KEY_FALLBACKS").split(",") if key]

# The address people and links use. Its scheme decides about secure cookies, HSTS and the redirect to https.
AEGIS_BASE_URL = env.str("AEGIS_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
_base = urlsplit(AEGIS_BASE_URL)
if _base.scheme not in ("http", "https") or not _base.hostname:
    raise ImproperlyConfigured("AEGIS_BASE_URL must be an http(s) address such as https://notify.example.com.")
HTTPS = _base.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_base.hostname, "127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[f"{_base.scheme}://{_base.netloc}"])

INSTALLED_APPS = [
    "projects",
    "notifications",
    "digests",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "anymail",
    "axes",
    "csp",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "aegisnotify",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "aegisnotify.pages.middleware.leave_out_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Within the one above, which says how long the answer is.
    "aegisnotify.pages.middleware.explain_refused_methods",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "aegisnotify.urls"
WSGI_APPLICATION = "aegisnotify.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aegisnotify.pages.context.theme",
                "projects.context.workspace",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------------------------

if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": env.str("AEGIS_SQLITE_PATH", default=str(DATA_DIR / "aegisnotify.sqlite3")),
            # Connections stay open, so WAL and the pragmas are set once. Persistent connections tripled the intake.
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # IMMEDIATE takes the write lock at BEGIN, where the busy timeout applies; a later upgrade from a read
                # lock fails at once with "database is locked".
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # Pages of 16 KB, in databases made from now on: with 4 KB settling cost a third more at a million
                # deliveries than at ten thousand. 8 MB of cache for each connection: mapping the file into memory was
                # no faster, and counts as the memory of every process that does.
                "init_command": (
                    "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                    "PRAGMA foreign_keys=ON; PRAGMA cache_size=-8000; PRAGMA journal_size_limit=67108864;"
                ),
            },
        }
    }
    DATA_DIR.mkdir(parents=True, exist_ok=True)
else:
    DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    if "postgresql" in DATABASES["default"]["ENGINE"]:
        _options = DATABASES["default"].setdefault("OPTIONS", {})
        _options.setdefault("options", "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000")
        # A host that swallows packets would be waited for for minutes, by every request.
        _options.setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
            "KEY_PREFIX": "aegis",
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Fernet keys for stored URLs and secrets, comma separated: the first encrypts, all decrypt.
AEGIS_ENCRYPTION_KEYS = [
    key
    for key in environment.kept_secret(
        "AEGIS_ENCRYPTION_KEYS", directory=DATA_DIR, embedded=EMBEDDED, generate=lambda: Fernet.generate_key().decode()
    ).split(",")
    if key
]

# --- Background work ------------------------------------------------------------------------------------------------

# django-q2 is the runner, the deliveries table is the queue: tasks carry nothing but "wake up", so none is ever
# retried (max_attempts) or kept (save_limit), and a lost one costs nothing.
Q_CLUSTER = {
    "name": "aegisnotify",
    "workers": env.int("AEGIS_CLUSTER_WORKERS", default=2),
    "timeout": 60,
    "retry": 150,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "poll": 0.1,
    "queue_limit": 20,
    "guard_cycle": 1,
    "label": "Background tasks",
}
if REDIS_URL:
    Q_CLUSTER |= {"redis": REDIS_URL, "broker_class": "notifications.delivery.brokers.RedisBroker"}
else:
    Q_CLUSTER |= {"orm": "default", "broker_class": "notifications.delivery.brokers.OrmBroker"}

AEGIS_SENDER_THREADS = env.int("AEGIS_SENDER_THREADS", default=16)

# --- People ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 30 * 24 * 3600

# Five wrong passwords for one address from one place lock that pair out for a quarter of an hour. The handler works on
# the cache, so a flood of attempts never grows a table.
AXES_HANDLER = f"axes.handlers.{'cache.AxesCacheHandler' if REDIS_URL else 'database.AxesDatabaseHandler'}"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "aegisnotify.client_address.client_address"
AXES_LOCKOUT_CALLABLE = "projects.views.accounts.locked_out"
# Sign-in forms call the address `username`. Axes would look for the user model's `email`, find nothing in a failed try,
# and count under no name what it then looks up under one: nobody would ever be locked out.
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "projects.views.accounts.attempted_address"
AXES_VERBOSE = False

# Addresses or networks of reverse proxies whose X-Forwarded-For is believed. Empty: the header is ignored.
AEGIS_TRUSTED_PROXIES = env.list("AEGIS_TRUSTED_PROXIES", default=[])

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# --- Mail -----------------------------------------------------------------------------------------------------------

EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = environment.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="AegisNotify <notify@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
ANYMAIL = {
    # Click tracking would rewrite the signed links; providers that can't switch it off per message would raise.
    "IGNORE_UNSUPPORTED_FEATURES": True,
    "SEND_DEFAULTS": {"track_clicks": False, "track_opens": False},
    # user:password, comma separated (one is on its way out): what a mail provider signs in with to report bounces and
    # complaints. Without it reports are refused.
    "WEBHOOK_SECRET": [each for each in environment.secret("ANYMAIL_WEBHOOK_SECRET").split(",") if each],
    **(env.json("ANYMAIL", default=None) or {}),
}
# Threads per web process that hand over account mail, so that no page waits for a mail server. 0: the page does it.
AEGIS_MAIL_THREADS = env.int("AEGIS_MAIL_THREADS", default=2)
AEGIS_POSTAL_ADDRESS = env.str("AEGIS_POSTAL_ADDRESS", default="AegisRunner")

# --- Outgoing requests ----------------------------------------------------------------------------------------------

# Development only: adds loopback and private ranges to the allowed targets (never link-local or metadata addresses).
AEGIS_ALLOW_PRIVATE_TARGETS = env.bool("AEGIS_ALLOW_PRIVATE_TARGETS", default=False)
# kind=host[:port], comma separated: hosts that behave like a provider.
AEGIS_EXTRA_PROVIDER_HOSTS = env.list("AEGIS_EXTRA_PROVIDER_HOSTS", default=[])
# host:port of the quickstart's own sandbox receiver, the one private target it allows itself.
AEGIS_SANDBOX_TARGET = env.str("AEGIS_SANDBOX_TARGET", default="")
AEGIS_SANDBOX_DIR = Path(env.str("AEGIS_SANDBOX_DIR", default=str(DATA_DIR / "sandbox")))

# --- API ------------------------------------------------------------------------------------------------------------

AEGIS_AUDIT_DAYS = env.int("AEGIS_AUDIT_DAYS", default=730)
AEGIS_API_RATE = env.int("AEGIS_API_RATE", default=6000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.authentication.TokenAuthentication",
        "projects.authentication.WorkspaceSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["projects.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["aegisnotify.api.throttling.TokenRateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["aegisnotify.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "aegisnotify.api.autoschema.ScopedSchema",
    "EXCEPTION_HANDLER": "aegisnotify.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AegisNotify API",
    "VERSION": "1",
    "DESCRIPTION": "Report what happened, configure who is told, and read why a message was sent or not.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Its schemas are JSON Schema as it is, and it has webhooks.
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["aegisnotify.api.schema.without_trailing_slashes"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "notifications.api.payloads.add_payloads",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ChannelKind": "notifications.api.schemas.CHANNEL_KINDS",
        "OccurrenceKind": "notifications.api.schemas.OCCURRENCE_KINDS",
        "EventName": "notifications.api.schemas.EVENT_NAMES",
        "DeliveryStatus": "notifications.api.schemas.DELIVERY_STATUSES",
        "DecisionOutcome": "notifications.api.schemas.DECISION_OUTCOMES",
        "AttemptOutcome": "notifications.api.schemas.ATTEMPT_OUTCOMES",
        "Reason": "notifications.api.schemas.REASONS",
    },
}

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "aegisnotify.static_files.HashedWhenCollected"},
}
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()

# --- Security -------------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if AEGIS_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "aegisnotify.pages.errors.csrf_failure"
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Logs -----------------------------------------------------------------------------------------------------------

# Both formatters leave secrets out; every handler has to have one of them, so the libraries' own handlers are removed.
AEGIS_LOG_FORMAT = env.str("AEGIS_LOG_FORMAT", default="text")
_formatters = {"text": "aegisnotify.logs.TextFormatter", "json": "aegisnotify.logs.JsonFormatter"}
if AEGIS_LOG_FORMAT not in _formatters:
    raise ImproperlyConfigured("AEGIS_LOG_FORMAT must be text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": _formatters[AEGIS_LOG_FORMAT]}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django_q": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
DEFAULT_EXCEPTION_REPORTER = "aegisnotify.error_reports.Report"
DEFAULT_EXCEPTION_REPORTER_FILTER = "aegisnotify.error_reports.ReportFilter"

# What a monitoring system shows to read /metrics. Empty: there is no such page.
AEGIS_METRICS_TOKEN = environment.secret("AEGIS_METRICS_TOKEN")
