"""Turns text of feeds and files into values of programs: durations, flags, languages, addresses, plain text.

A function returns None for text that it cannot read; it never raises.
"""

import html
import re
from urllib.parse import urljoin, urlsplit

import nh3

from catalog.programs.rules import MAX_DESCRIPTION, MAX_DURATION, MAX_TITLE, MAX_URL
from indexer.importing.reading.dates import digits
from indexer.importing.reading.texts import references
from indexer.importing.reading.texts.html_words import BEGINNING, literal_angles, without_flowing_tags

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_BREAKS = re.compile(r"<\s*(br|/p|/div|/li|/h[1-6]|/tr|/blockquote|hr)\b[^>]{0,200}>", re.IGNORECASE)
# What begins on a line of its own, though nothing ends before it: text<ul><li>.
_BEGINS = re.compile(
    r"<(?=(?:p|div|ul|ol|li|dl|dt|dd|h[1-6]|blockquote|table|tr|pre|section|article)[\s>/])", re.IGNORECASE
)
_BEGUN = re.compile(rf"\s*{BEGINNING}[\s{BEGINNING}]*")
# Everything that is not one plain space already.
_SPACES, _LINES = re.compile(r"[^\S\n]{2,}|[^\S\n ]"), re.compile(r"\n{3,}")
# An address in which nothing has to be repaired or resolved: that of nearly every file and picture.
_PLAIN_ADDRESS = re.compile(
    r"https?://[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?/[\w.~!$&'()*+,=:@%/-]*(?:\?[\w.~!$&'()*+,=:@%/-]+)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{0,4}):(\d{1,2})(?:[.,]\d+)?")
_DAYS = re.compile(r"(\d{1,4}) ?(?:days?|d),? (?=\d{1,3}:)", re.IGNORECASE)
# 01h05: an hour and five minutes, as French feeds write it.
_HOURS_MINUTES = re.compile(r"(\d{1,3}) ?h ?(\d{2})", re.IGNORECASE)
_CLOCK_UNIT = re.compile(r"\s*(?:hours?|hrs?|h|minutes?|mins?|m|ساعة|دقيقة)\.?$", re.IGNORECASE)
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?)?", re.IGNORECASE)
_UNITS = (
    (3600, r"h|hr|hrs|hour|hours|std|ساعات|ساعة|ساعه|س"),
    (60, r"m|min|mins|minute|minutes|دقائق|دقيقة|دقيقه|د|'|′"),
    (1, r"s|sec|secs|second|seconds|ثواني|ثوان|ثانية|ثانيه|ث|''|\"|″"),
)
# Lengths that Arabic says without a number: an hour, two hours, half an hour.
_ARABIC_LENGTHS = (
    (re.compile(r"نصف ساع[ةه]"), " 30 دقيقة"),
    (re.compile(r"ربع ساع[ةه]"), " 15 دقيقة"),
    (re.compile("ونصف"), " 30 دقيقة"),
    (re.compile("ساعت[اي]ن"), " 2 ساعة"),
    (re.compile("دقيقت[اي]ن"), " 2 دقيقة"),
    (re.compile("ثانيت[اي]ن"), " 2 ثانية"),
    (re.compile(r"(?<![\d\w])(?<!\d\s)(?=(?:ساع[ةه]|دقيق[ةه])(?!\w))"), "1 "),
)
_NUMBER_AND_UNIT = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:" + "|".join(f"({names})" for _, names in _UNITS) + r")\.?(?![^\W\d])",
    re.IGNORECASE,
)
_LANGUAGES = {
    "arabic": "ar",
    "العربية": "ar",
    "عربي": "ar",
    "عربية": "ar",
    "english": "en",
    "الإنجليزية": "en",
    "انجليزي": "en",
    "french": "fr",
    "german": "de",
    "spanish": "es",
    "turkish": "tr",
    "persian": "fa",
    "urdu": "ur",
    "hebrew": "he",
    "ara": "ar",
    "eng": "en",
    "fra": "fr",
    "fre": "fr",
    "deu": "de",
    "ger": "de",
    "spa": "es",
    "tur": "tr",
    "fas": "fa",
    "per": "fa",
    "urd": "ur",
    "heb": "he",
    "rus": "ru",
    "ita": "it",
    "por": "pt",
    "jpn": "ja",
    "hin": "hi",
    "italian": "it",
    "portuguese": "pt",
    "russian": "ru",
    "japanese": "ja",
    "hindi": "hi",
    "indonesian": "id",
}
_TRUE = {"true", "yes", "y", "1", "t", "on", "explicit", "نعم", "صحيح"}
_FALSE = {"false", "no", "n", "0", "f", "off", "clean", "none", "not explicit", "", "لا", "خطأ"}


_MAX_UNESCAPES = 20  # more than any feed has; each round of a hostile text takes milliseconds


def safe_text(value: str, limit: int = MAX_DESCRIPTION) -> str:
    """Return the plain text of HTML: without tags, scripts and control characters.

    HTML that was escaped, however often, is unescaped until nothing changes; plain text stays as it is. Text that
    is not plain after `_MAX_UNESCAPES` rounds loses its angle brackets.

    Args:
        value: HTML or plain text.
        limit: Longest result, in characters.
    """
    return _text(value, limit, words=False)


def one_line(value: str, limit: int = MAX_TITLE) -> str:
    """Return the same as `safe_text` in one line of at most `limit` characters: for titles and names.

    A tag that a title speaks of stays: `Using <script> safely`.
    """
    return " ".join(_text(value, limit * 4, words=True).split())[:limit].strip()


def _text(value: str, limit: int, *, words: bool) -> str:
    # No control character, no markup, no spaces to tidy: most titles and names.
    if value.isprintable() and "<" not in value and "&" not in value and "  " not in value:
        return value[:limit].strip()
    # Cut before the expensive steps: twenty times the limit leaves enough for the markup around the text.
    text = references.join_surrogates(value[: limit * 20]).replace(BEGINNING, "")
    for _ in range(_MAX_UNESCAPES):
        if "<" not in text and "&" not in text:
            break
        cleaned = text
        if "<" in text:
            cleaned = _without_tags(text, words)
        cleaned = html.unescape(cleaned)
        if cleaned == text:
            break
        text = cleaned
    else:
        text = text.replace("<", "").replace(">", "")
    text = text.replace(f"\n{BEGINNING}", "\n")
    if BEGINNING in text:
        text = _BEGUN.sub(_on_a_line, text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "  " in text or not text.replace("\n", "").isprintable():
        text = _SPACES.sub(" ", _CONTROL.sub("", text))
    text = "\n".join([line.strip() for line in text.split("\n")])
    if "\n\n\n" in text:
        text = _LINES.sub("\n\n", text)
    return text.strip()[:limit].strip()


def _on_a_line(found: "re.Match[str]") -> str:
    """The beginning of a line; of the spaces around it, the lines that were there stay."""
    return "\n" * max(1, found[0].count("\n"))


def _without_tags(text: str, words: bool) -> str:
    flowing = None if words else without_flowing_tags(text)
    if flowing is not None:
        return flowing
    marked = literal_angles(text, words=words)
    return nh3.clean(_in_lines(marked), tags=set()) if "<" in marked else marked


def _in_lines(text: str) -> str:
    """The text with a mark where a tag begins or ends a line."""
    return _BEGINS.sub(BEGINNING + "<", _BREAKS.sub(r"\g<0>" + "\n", text))


def address(value: object, base: str = "") -> str | None:
    """Return the http(s) address, or None. A relative address is resolved against `base`."""
    if not isinstance(value, str):
        return None
    if _PLAIN_ADDRESS.fullmatch(value):
        return value if len(value) <= MAX_URL else None
    text = _CONTROL.sub("", value).strip().replace(" ", "%20").replace("\t", "").replace("\n", "")
    if text.startswith("//"):
        text = f"https:{text}"
    try:
        if base and text:
            text = urljoin(base, text)
        parts = urlsplit(text)
        # With a name and a password it is somebody's own address; listeners would read them.
        is_plain = parts.port != 0 and "@" not in parts.netloc
        fine = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and is_plain
    except ValueError:
        return None
    return text if fine and len(text) <= MAX_URL else None


def duration(value: object) -> int | None:
    """Return whole seconds of 3600, 1:00:00, 60:00, PT1H, 1h 2m, 62 min …; None when it is none of these.

    The callers take 0 for unknown.
    """
    text = digits(str(value)).replace("٫", ".").replace("٬", ",").replace("：", ":").strip()
    if text.startswith('"') and text.endswith('"'):
        text = text.strip('" ')
    found: float | None = None
    days_before = _DAYS.match(text)
    if days_before is not None:
        # As pandas and Python write a time span: 0 days 00:45:30.
        rest = duration(text[days_before.end() :])
        found = int(days_before[1]) * 86_400 + rest if rest is not None else None
    elif match := _HOURS_MINUTES.fullmatch(text):
        found = int(match[1]) * 3600 + int(match[2]) * 60
    elif re.fullmatch(r"\d{1,3}(?:,\d{3})+", text):
        found = float(text.replace(",", ""))
    elif re.fullmatch(r"\d{1,9}(?:[.,]\d{0,9})?", text):
        found = float(text.replace(",", "."))
    elif match := _CLOCK.fullmatch(_CLOCK_UNIT.sub("", text).replace(" ", "")):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = hours * 3600 + minutes * 60 + seconds
    elif len(text) > 1 and (match := _ISO_DURATION.fullmatch(text)):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = days * 86_400 + hours * 3600 + minutes * 60 + seconds
    elif len(text) <= 100 and (parts := list(_NUMBER_AND_UNIT.finditer(text := _with_numbers(text)))):
        left = re.sub(r"[\s,.&+]|and|و", "", _NUMBER_AND_UNIT.sub("", text), flags=re.IGNORECASE)
        if not left:
            found = sum(
                float(part[1].replace(",", "."))
                * next(size for n, (size, _) in enumerate(_UNITS) if part[n + 2])
                for part in parts
            )
    return int(found) if found is not None and 0 <= found <= MAX_DURATION else None


def _with_numbers(text: str) -> str:
    for words, length in _ARABIC_LENGTHS:
        text = words.sub(length, text)
    return text


def flag(value: object) -> bool | None:
    """Return True for yes, true, 1, explicit, نعم …, False for their opposites, else None."""
    text = digits(str(value)).strip().casefold()
    return True if text in _TRUE else False if text in _FALSE else None


def whole(value: object) -> int | None:
    """Return the whole number of 3, "3.0" or ٣; None for anything else, such as "Season 3"."""
    text = digits(str(value)).strip()
    if re.fullmatch(r"-?\d{1,9}(?:\.0*)?", text):
        return int(text.partition(".")[0])
    return None


def language(value: object) -> str | None:
    """Return the BCP 47 tag of ar, AR_sa, en-us, Arabic …; None when it names no language."""
    text = str(value).strip().replace("_", "-")
    named = _LANGUAGES.get(text.casefold())
    if named is not None:
        return named
    parts = text.split("-")
    parts[0] = _LANGUAGES.get(parts[0].casefold(), parts[0])
    if not re.fullmatch(r"[A-Za-z]{2,3}", parts[0]):
        return None
    found = [parts[0].lower()]
    for part in parts[1:]:
        if re.fullmatch(r"[A-Za-z]{4}", part) and len(found) == 1:
            found.append(part.capitalize())
        elif re.fullmatch(r"[A-Za-z]{2}|\d{3}", part):
            found.append(part.upper())
            break
    return "-".join(found)


def language_of(text: str) -> str:
    """Return the language of a text that does not declare it: "ar" by its letters, else "und".

    "und" is BCP 47's tag for an undetermined language.
    """
    arabic = sum("\u0600" <= c <= "\u06ff" for c in text[:2000])
    letters = sum(c.isalpha() for c in text[:2000])
    return "ar" if letters and arabic * 2 > letters else "und"


def names(value: object, limit: int = 50) -> list[str]:
    """Return the names in a list, or in text that separates them, each once.

    Args:
        value: A list, or text with commas, semicolons, bars, line ends, Arabic or full-width commas between the names.
        limit: Most names returned.
    """
    # A cell may hold a printed list, ['a', 'b']: its quotes and brackets are stripped.
    listed = (
        value
        if isinstance(value, list)
        else [n.strip(" '\"[]") for n in re.split(r"[,;|،؛，；、\n]", str(value))]
    )
    found = dict.fromkeys(one_line(str(name), 120) for name in listed if isinstance(name, str | int))
    return [name for name in found if any(c.isalnum() for c in name)][:limit]
