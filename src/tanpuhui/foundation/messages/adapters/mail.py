"""Mail behind a port (邮件端口): Django's own backends, to a file, to the console, or by SMTP.

`TANPUHUI_MAIL` names the one in use: `file`, `console`, `smtp`, or the dotted path of a Django mail backend. Unset, the
demonstration writes to files and everything else has no mail, so that a production system never leaves letters in a folder.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from tanpuhui.foundation.messages.domain import MailNotConfigured

OUTBOX = Path("outbox", "mail")
BACKENDS = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
}


def mail_configured() -> bool:
    """Say whether mail can leave at all."""
    return bool(_name())


def send_mail(*, address: str, subject: str, body: str) -> None:
    """Hand one letter over; an exception means that it was not taken. Raises MailNotConfigured, OSError."""
    name = _name()
    if not name:
        raise MailNotConfigured
    if name == "file":
        folder = Path(settings.TANPUHUI_DATA_DIR) / OUTBOX
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=folder)
    else:
        connection = get_connection(BACKENDS.get(name, name))
    EmailMessage(
        # A line break in a header is how letters are forged; a title may carry one by accident.
        subject=" ".join(subject.split()),
        body=body,
        from_email=settings.TANPUHUI_MAIL_FROM,
        to=[address],
        connection=connection,
    ).send()


def forget_mail(address: str) -> None:
    """Delete the letters to an address from the demonstration's folder; mail that was sent is with its readers."""
    folder = Path(settings.TANPUHUI_DATA_DIR) / OUTBOX
    for path in folder.glob("*.log") if folder.is_dir() else ():
        if address.encode() in path.read_bytes():
            path.unlink()


def _name() -> str:
    return settings.TANPUHUI_MAIL or ("file" if settings.TANPUHUI_DEMO else "")
