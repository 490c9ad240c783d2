"""Settings that hold everywhere. What differs between places is read from named environment variables."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

PROJECT_DIR = Path(__file__).resolve().parents[4]
DATA_DIR = Path(os.environ.get("TANPUHUI_DATA_DIR", PROJECT_DIR / "var"))
TANPUHUI_DATA_DIR = DATA_DIR
TANPUHUI_FONTS_DIR = Path(os.environ.get("TANPUHUI_FONTS_DIR", PROJECT_DIR / "build" / "vendor" / "fonts"))
_JURISDICTIONS = PROJECT_DIR / "jurisdictions"
TANPUHUI_JURISDICTION_DIR = Path(
    os.environ.get("TANPUHUI_JURISDICTION_DIR", "")
    or _JURISDICTIONS / (_JURISDICTIONS / "DEFAULT").read_text(encoding="utf-8").strip()
)
TANPUHUI_METHODOLOGIES_DIR = PROJECT_DIR / "methodologies"
TANPUHUI_PUBLIC_URL = os.environ.get("TANPUHUI_PUBLIC_URL", "http://127.0.0.1:8000")
TANPUHUI_DEMO = False
TANPUHUI_SMS = os.environ.get("TANPUHUI_SMS", "")
TANPUHUI_FEDERATION = os.environ.get("TANPUHUI_FEDERATION", "")
TANPUHUI_SEAL = os.environ.get("TANPUHUI_SEAL", "")
TANPUHUI_MAIL = os.environ.get("TANPUHUI_MAIL", "")
TANPUHUI_MAIL_FROM = os.environ.get("TANPUHUI_MAIL_FROM", "") or "tanpuhui@localhost"
TANPUHUI_ALLOW_TEST_PARAMETERS = False

DEBUG = False
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_I18N = True
LOCALE_PATHS = [PROJECT_DIR / "src" / "tanpuhui" / "interfaces" / "design" / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tanpuhui.config.urls"
WSGI_APPLICATION = "tanpuhui.config.wsgi.application"
AUTH_USER_MODEL = "identity.User"
LOGIN_URL = "/sign-in"
APPEND_SLASH = False

CONTEXTS = [
    "tanpuhui.foundation.persistence",
    "tanpuhui.foundation.audit",
    "tanpuhui.foundation.keys",
    "tanpuhui.foundation.documents",
    "tanpuhui.foundation.rulebook",
    "tanpuhui.foundation.identity",
    "tanpuhui.foundation.messages",
    "tanpuhui.foundation.workflow",
    "tanpuhui.books.transparency",
    "tanpuhui.books.ledger",
    "tanpuhui.science.methodology",
    "tanpuhui.behaviour.activity",
    "tanpuhui.behaviour.carbon_accounts",
    "tanpuhui.credits.projects",
    "tanpuhui.credits.registry",
    "tanpuhui.uses.rewards",
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "csp",
    "pgtrigger",
    "procrastinate.contrib.django",
    *CONTEXTS,
    "tanpuhui.interfaces.design",
    "tanpuhui.interfaces.access",
    "tanpuhui.interfaces.portal",
    "tanpuhui.interfaces.citizen",
    "tanpuhui.interfaces.workbench",
    "tanpuhui.interfaces.api",
    "tanpuhui.config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tanpuhui.interfaces.access.session_age.SessionAgeMiddleware",
    "tanpuhui.interfaces.access.middleware.AccessMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tanpuhui.interfaces.design.context.face",
                "tanpuhui.interfaces.design.context.face",
            ],
        },
    }
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

DATABASES = {
    "default": dj_database_url.parse(os.environ.get("DATABASE_URL", "postgresql://localhost/tanpuhui"))
}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["ATOMIC_REQUESTS"] = False

STATIC_URL = "/static/"
STATIC_ROOT = PROJECT_DIR / "build" / "static"
STATICFILES_DIRS = (
    [("vendor", PROJECT_DIR / "build" / "vendor")] if (PROJECT_DIR / "build" / "vendor").is_dir() else []
)

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "tanpuhui.interfaces.access.faults.stale_form"
# Of a visitor who has not signed in; a sign-in sets the age that the rules say (`session.age_hours`).
SESSION_COOKIE_AGE = 60 * 60
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
TANPUHUI_BATCH_BYTES_MAX = 2 * 1024 * 1024 * 1024

# A mail server that does not answer holds up one letter, not the worker.
EMAIL_TIMEOUT = 20
EMAIL_HOST = os.environ.get("TANPUHUI_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("TANPUHUI_SMTP_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("TANPUHUI_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("TANPUHUI_SMTP_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("TANPUHUI_SMTP_TLS", "1") != "0"

# Memory-hard, and quick enough that admitting an organisation's people does not hold up a transaction.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
# What a password must be is a rule of the jurisdiction (`password.…`), checked where one is set.
AUTH_PASSWORD_VALIDATORS: list[dict[str, str]] = []

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_ON_APP_READY = "tanpuhui.foundation.persistence.jobs.give_way_to_successors"
PROCRASTINATE_IMPORT_PATHS = ["tanpuhui.journeys.tasks"]
"""Journeys own no table and are no app, so their jobs are named here."""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("TANPUHUI_LOG_LEVEL", "WARNING")},
}
