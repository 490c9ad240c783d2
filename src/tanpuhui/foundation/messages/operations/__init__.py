"""Tell people, let them read, choose and give an address; send what leaves the platform.

Errors: TemplateUnknown, TemplateDataWrong, MailNotConfigured, MailAddressWrong, ConfirmationExpired, kernel NotFound and
Invalid; of loading also rulebook's JurisdictionInvalid and RuleInForce.
"""

from tanpuhui.foundation.messages.domain import (
    ConfirmationExpired,
    MailAddressWrong,
    MailNotConfigured,
    TemplateDataWrong,
    TemplateUnknown,
)
from tanpuhui.foundation.messages.operations._choose_channels import ChannelsChosen, choose_channels
from tanpuhui.foundation.messages.operations._deliver import (
    DeliveryClaimed,
    DeliverySettled,
    claim_delivery,
    deliver,
    settle_delivery,
)
from tanpuhui.foundation.messages.operations._forget_messages import forget_messages
from tanpuhui.foundation.messages.operations._load_templates import TemplatesLoaded, load_templates
from tanpuhui.foundation.messages.operations._mail_address import (
    MailAddressChanged,
    confirm_mail_address,
    give_mail_address,
    remove_mail_address,
    send_confirmation,
)
from tanpuhui.foundation.messages.operations._read_messages import MessagesRead, read_messages
from tanpuhui.foundation.messages.operations._tell import Told, tell

__all__ = [
    "ChannelsChosen",
    "ConfirmationExpired",
    "DeliveryClaimed",
    "DeliverySettled",
    "MailAddressChanged",
    "MailAddressWrong",
    "MailNotConfigured",
    "MessagesRead",
    "TemplateDataWrong",
    "TemplateUnknown",
    "TemplatesLoaded",
    "Told",
    "choose_channels",
    "claim_delivery",
    "confirm_mail_address",
    "deliver",
    "forget_messages",
    "give_mail_address",
    "load_templates",
    "read_messages",
    "remove_mail_address",
    "send_confirmation",
    "settle_delivery",
    "tell",
]
