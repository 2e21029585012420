"""Email addresses: one rule for users, forms and leads."""

import email_validator
from email_validator import EmailNotValidError, validate_email

email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # people at corp.local are people, too


def is_email(text: str) -> bool:
    """Whether the text is an email address. Its domain may be one of an internal network, such as
    `corp.local` or a name without a dot."""
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return False
    return True


def normalize_public_email(text: str) -> str:
    """The address with its domain in lower case. Raises ValueError for an address that the public
    internet can't deliver to, or that is none."""
    return validate_email(text, check_deliverability=False).normalized
