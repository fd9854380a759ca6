"""What e-mail addresses, passwords and roles may be, and how secrets are stored and compared.

A password is stored as an Argon2 hash. A token or key is random, so a plain hash of it is enough.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from catalog.accounts.models import ROLES
from catalog.core.errors import CatalogError, FieldError
from catalog.core.fields import require_valid

# A minimum length and a list of common passwords, but no rules about kinds of characters, as NIST SP 800-63B-4 asks
# in section 3.1.1.2.
MIN_PASSWORD, MAX_PASSWORD = 12, 200
# zxcvbn's score from 0 to 4: 3 needs more than 10^8 guesses.
_MIN_SCORE = 3
# zxcvbn reads no more.
_SCORED_CHARACTERS = 72
_KNOWN_WORD = 3
_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,255}")
# argon2-cffi's defaults, which are the second choice of RFC 9106: 64 MiB, three passes, four lanes.
HASHER = PasswordHasher()


class InvalidCredentials(CatalogError):
    """The e-mail or the password is wrong, or the account is closed; which of them is not said."""

    code = "invalid_credentials"


@dataclass(frozen=True, slots=True)
class NewPassword:
    """The hash of a password that `new_password` has accepted."""

    hash: str


def new_password(password: str, known: Sequence[str] = ()) -> NewPassword:
    """Check and hash a password that somebody has chosen. Takes tens to hundreds of milliseconds of CPU.

    Args:
        password: In clear.
        known: The e-mail address and name of its owner, which guessers try first.

    Raises:
        ValidationFailed: The password is too short, too long or too common.
    """
    errors = []
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        errors.append(FieldError("password", "invalid", f"{MIN_PASSWORD} to {MAX_PASSWORD} characters."))
    elif _is_common(password, known):
        message = "Too common. Use several unrelated words, or random characters."
        errors.append(FieldError("password", "too_common", message))
    require_valid(errors)
    return NewPassword(HASHER.hash(password))


def _is_common(password: str, known: Sequence[str]) -> bool:
    """Return whether lists of common passwords, names, words, keys and dates make the password easy to guess."""
    # Its lists take 15 MB, which processes that set no password need not have.
    from zxcvbn import zxcvbn

    # What a guesser knows of the owner adds nothing.
    words = [w for text in ("thmanyah", *known) for w in re.split(r"[\W_]+", text) if len(w) >= _KNOWN_WORD]
    rest = re.sub("|".join(map(re.escape, words)), "", password, flags=re.IGNORECASE)
    return int(zxcvbn(rest[:_SCORED_CHARACTERS])["score"]) < _MIN_SCORE


def check(*, email: str | None = None, roles: Sequence[str] | None = None) -> None:
    """Check the values that are not None.

    Args:
        email: The address to sign in with.
        roles: Must be some of `models.ROLES`.

    Raises:
        ValidationFailed: Names every wrong value.
    """
    errors = []
    if email is not None and not _EMAIL.fullmatch(email):
        errors.append(FieldError("email", "invalid", "Must be an e-mail address."))
    if roles is not None and (not roles or set(roles) - set(ROLES)):
        errors.append(FieldError("roles", "invalid", f"One or more of {', '.join(ROLES)}."))
    require_valid(errors)


def verify(password_hash: str | None, password: str) -> bool:
    """Return whether the password is right. Takes tens of milliseconds of CPU.

    Without an account (`password_hash` None) it takes as long, so that the time does not tell which e-mail
    addresses have an account.
    """
    try:
        return HASHER.verify(password_hash or _decoy(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return HASHER.hash("no account has this password")


def digest(secret: str) -> str:
    """Return how a random token or key is stored: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
