"""Production: everything that must be set is read from the environment, and a careless value stops the start."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

from tanpuhui.config.settings.base import *  # noqa: F403

_WEAK_SECRETS = {"", "secret", "changeme", "only-for-tests", "django-insecure"}


def _required(name: str, what: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        message = f"{name} 未设置：{what}。/ {name} is not set: {what}."
        raise ImproperlyConfigured(message)
    return value


SECRET_KEY = _required("TANPUHUI_SECRET_KEY", "50 or more random characters")
if len(SECRET_KEY) < 50 or any(weak and weak in SECRET_KEY for weak in _WEAK_SECRETS):
    _message = "TANPUHUI_SECRET_KEY 太弱：需要 50 个以上随机字符。/ too weak: 50 or more random characters are needed."
    raise ImproperlyConfigured(_message)
if os.environ.get("TANPUHUI_DEBUG", "") not in {"", "0"}:
    _message = "生产环境不能打开 TANPUHUI_DEBUG。/ TANPUHUI_DEBUG must stay off in production."
    raise ImproperlyConfigured(_message)
ALLOWED_HOSTS = [
    host.strip() for host in _required("TANPUHUI_HOSTS", "the public host names, comma separated").split(",")
]
if any(host in {"*", ""} for host in ALLOWED_HOSTS):
    _message = "TANPUHUI_HOSTS 要写明域名，不能用 *。/ TANPUHUI_HOSTS names hosts; * is refused."
    raise ImproperlyConfigured(_message)
_required("DATABASE_URL", "the PostgreSQL server, as the app role")
_required("TANPUHUI_PUBLIC_URL", "the address that certificates and QR codes carry")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
