"""How somebody signed in and with what, in words that every face uses."""

from __future__ import annotations

from django.utils.translation import gettext


def way_name(way: str) -> str:
    """Return by what somebody signed in, in words."""
    names = {
        "code": gettext("短信验证码"),
        "totp": gettext("密码和动态口令"),
        "passkey": gettext("通行密钥"),
        "recovery_code": gettext("密码和恢复码"),
    }
    return names.get(way, way)


def device_name(device: str) -> str:
    """Return what a browser says of itself in a few words: the browser, then the system; unknown ones as they wrote."""
    browsers = (
        ("MicroMessenger", gettext("微信")),
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("HarmonyOS", "HarmonyOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for sign, name in browsers if sign in device), "")
    system = next((name for sign, name in systems if sign in device), "")
    return " ".join(part for part in (browser, system) if part) or device[:40] or gettext("没有写明")
