"""What a signed request must be (签名请求): HTTP Message Signatures, RFC 9421, with Ed25519 keys of the partner."""

from __future__ import annotations

from datetime import datetime, timedelta

from tanpuhui.foundation.kernel.errors import Refusal

COVERED_ALWAYS = ("@method", "@authority", "@path", "@query")
COVERED_WITH_BODY = ("content-digest", "idempotency-key")
NONCE_LENGTH_MIN = 16
NONCE_LENGTH_MAX = 128


class SignatureInvalid(Refusal):
    """The signature does not fit the request."""

    code = "SIGNATURE_INVALID"
    zh = "请求的签名不成立：{why}。请按接口文档（RFC 9421）重新签名。"
    en = "The signature of the request does not hold: {why}. Sign again as the documents say (RFC 9421)."


class SignatureKeyUnknown(Refusal):
    """The key id is not one of ours, not yet or no longer."""

    code = "SIGNATURE_KEY_UNKNOWN"
    zh = "签名公钥 {key_id} 没有登记、尚未生效或已停用。请核对 keyid，或请本机构管理员登记。"
    en = "The signing key {key_id} is not registered, not yet valid, or revoked. Check the keyid, or have it registered."


class SignatureStale(Refusal):
    """The request was signed too long ago, or by a clock that is ahead."""

    code = "SIGNATURE_STALE"
    zh = "请求签名于 {created}，现在是 {now}，相差超过 {seconds_max} 秒。请校准时钟，重新签名后再发。"
    en = "The request was signed at {created} and it is {now} here: more than {seconds_max} seconds apart. Set your clock and sign anew."


class SignatureReplayed(Refusal):
    """The same signed request came before."""

    code = "SIGNATURE_REPLAYED"
    zh = "这个 nonce 已经用过，请求没有执行。每次请求（重发也是）都要用新的 nonce 签名。"
    en = "This nonce was used before and the request was not carried out. Sign every request, a resend too, with a new nonce."


class SignatureNeeded(Refusal):
    """A partner that has registered a signing key signs."""

    code = "SIGNATURE_NEEDED"
    zh = "本机构已登记签名公钥，接口密钥不再单独有效。请为请求签名。"
    en = "Your organisation has registered a signing key, so an API key alone does not do any more. Sign the request."


class ContentDigestWrong(Refusal):
    """The body is not the one that was signed."""

    code = "CONTENT_DIGEST_WRONG"
    zh = "收到的内容与 Content-Digest 不一致，没有接收。请检查传输后重发。"
    en = "The body is not what Content-Digest says, so it was not taken. Check the transfer and resend."


class SigningKeyUnusable(Refusal):
    """The text is no Ed25519 public key."""

    code = "SIGNING_KEY_UNUSABLE"
    zh = "这不是 PEM 格式的 Ed25519 公钥。请用 openssl genpkey -algorithm ed25519 生成密钥，只提交公钥。"
    en = "This is no Ed25519 public key in PEM. Make one with openssl genpkey -algorithm ed25519 and submit the public half only."


class SigningKeyRevoked(Refusal):
    """A key is revoked once."""

    code = "SIGNING_KEY_REVOKED"
    zh = "签名公钥“{name}”已于 {revoked_at} 停用，不必再停。"
    en = "The signing key {name} was revoked at {revoked_at} already."


def check_age(*, created: datetime, expires: datetime | None, at: datetime, age_max: timedelta) -> None:
    """Refuse what was signed longer ago than allowed, or as far in the future, or has expired by its own word.

    Clocks may be apart by as much as a request may be old. Raises SignatureStale.
    """
    if abs(at - created) > age_max or (expires is not None and expires < at):
        raise SignatureStale(
            created=created.isoformat(), now=at.isoformat(), seconds_max=int(age_max.total_seconds())
        )
