"""What a key is, how a signature is checked, how a field is sealed: pure, without settings, files or clock."""

from tanpuhui.foundation.keys.domain.published import (
    KEY_SET_FORMAT,
    KeySetUnreadable,
    PublishedKey,
    parse_key_set,
)
from tanpuhui.foundation.keys.domain.sealing import (
    KeyUnknown,
    SealBroken,
    SealingKey,
    blind_index,
    blind_indexes,
    seal,
    sealed_with,
    unseal,
)
from tanpuhui.foundation.keys.domain.signatures import (
    ED25519,
    SIGNATURE_ALGORITHMS,
    SM2_SM3,
    Signer,
    is_public_key,
    verify_signature,
)

__all__ = [
    "ED25519",
    "KEY_SET_FORMAT",
    "SIGNATURE_ALGORITHMS",
    "SM2_SM3",
    "KeySetUnreadable",
    "KeyUnknown",
    "PublishedKey",
    "SealBroken",
    "SealingKey",
    "Signer",
    "blind_index",
    "blind_indexes",
    "is_public_key",
    "parse_key_set",
    "seal",
    "sealed_with",
    "unseal",
    "verify_signature",
]
