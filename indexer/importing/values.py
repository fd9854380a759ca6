"""Text as strangers write it, turned into values: durations, flags, languages, safe text."""

import html
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import nh3

from catalog.programs.data import MAX_DESCRIPTION, MAX_DURATION, MAX_TITLE, MAX_URL
from indexer.importing.dates import digits

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_BREAKS = re.compile(
    r"<\s*(br|/p|/div|/li|/h[1-6]|/tr|/blockquote|hr)\b[^>]{0,200}>", re.IGNORECASE
)
_SPACES, _LINES = re.compile(r"[^\S\n]+"), re.compile(r"\n{3,}")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2})(?:[.,]\d+)?")
_CLOCK_UNIT = re.compile(r"\s*(?:hours?|hrs?|h|minutes?|mins?|m|ساعة|دقيقة)\.?$", re.IGNORECASE)
_ISO_DURATION = re.compile(
    r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?)?", re.IGNORECASE
)
_UNITS = (
    (3600, r"h|hr|hrs|hour|hours|std|ساعات|ساعة|ساعه|س"),
    (60, r"m|min|mins|minute|minutes|دقائق|دقيقة|دقيقه|د|'|′"),
    (1, r"s|sec|secs|second|seconds|ثواني|ثوان|ثانية|ثانيه|ث|''|\"|″"),
)
# What Arabic says in one word: two hours, half an hour, an hour.
_WORDS = (
    (re.compile(r"نصف ساع[ةه]"), " 30 دقيقة"), (re.compile(r"ربع ساع[ةه]"), " 15 دقيقة"), (re.compile("ونصف"), " 30 دقيقة"),
    (re.compile("ساعت[اي]ن"), " 2 ساعة"), (re.compile("دقيقت[اي]ن"), " 2 دقيقة"), (re.compile("ثانيت[اي]ن"), " 2 ثانية"),
    (re.compile(r"(?<![\d\w])(?<!\d\s)(?=(?:ساع[ةه]|دقيق[ةه])(?!\w))"), "1 "),
)  # fmt: skip
_SPOKEN = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:" + "|".join(f"({names})" for _, names in _UNITS) + r")\.?(?![^\W\d])",
    re.IGNORECASE,
)
_LANGUAGES = {
    "arabic": "ar", "العربية": "ar", "عربي": "ar", "عربية": "ar", "english": "en", "الإنجليزية": "en", "انجليزي": "en",
    "french": "fr", "german": "de", "spanish": "es", "turkish": "tr", "persian": "fa", "urdu": "ur", "hebrew": "he",
    "ara": "ar", "eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es", "tur": "tr", "fas": "fa",
    "per": "fa", "urd": "ur", "heb": "he", "rus": "ru", "ita": "it", "por": "pt", "jpn": "ja", "hin": "hi",
    "italian": "it", "portuguese": "pt", "russian": "ru", "japanese": "ja", "hindi": "hi", "indonesian": "id",
}  # fmt: skip
_TRUE = {"true", "yes", "y", "1", "t", "on", "explicit", "نعم", "صحيح"}
_FALSE = {"false", "no", "n", "0", "f", "off", "clean", "none", "not explicit", "", "لا", "خطأ"}
_VIDEO = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
_AUDIO = (".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".aac", ".flac", ".wma")


def safe_text(value: str, limit: int = MAX_DESCRIPTION) -> str:
    """HTML (escaped once or twice, or none at all) as plain text: no tags, scripts or controls."""
    # A bound before anything else looks at it: what is cut off would not be kept anyway.
    text = value[: limit * 20]
    for _ in range(3):
        if "<" not in text and "&" not in text:
            break
        cleaned = html.unescape(nh3.clean(_BREAKS.sub(r"\g<0>" + "\n", text), tags=set()))
        if cleaned == text:
            break
        text = cleaned
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SPACES.sub(" ", text)
    return _LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()[:limit].strip()  # fmt: skip


def one_line(value: str, limit: int = MAX_TITLE) -> str:
    """The same in one line: titles and names."""
    return " ".join(safe_text(value, limit * 4).split())[:limit].strip()


def address(value: Any, base: str = "") -> str | None:
    """An http(s) address, or None. A relative one is resolved against `base`."""
    if not isinstance(value, str):
        return None
    text = _CONTROL.sub("", value).strip().replace(" ", "%20").replace("\t", "").replace("\n", "")
    if text.startswith("//"):
        text = f"https:{text}"
    try:
        if base and text:
            text = urljoin(base, text)
        parts = urlsplit(text)
        fine = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return text if fine and len(text) <= MAX_URL else None


def duration(value: Any) -> int | None:
    """Whole seconds of 3600, 1:00:00, 60:00, PT1H, 1h 2m, 62 min …; None when it is none of these."""
    text = digits(str(value)).replace("٫", ".").replace("٬", ",").strip()
    if text.startswith('"') and text.endswith('"'):
        text = text.strip('" ')
    found: float | None = None
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text):
        found = float(text.replace(",", ""))
    elif re.fullmatch(r"\d{1,9}(?:[.,]\d{0,9})?", text):
        found = float(text.replace(",", "."))
    elif match := _CLOCK.fullmatch(_CLOCK_UNIT.sub("", text).replace(" ", "")):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = hours * 3600 + minutes * 60 + seconds
    elif len(text) > 1 and (match := _ISO_DURATION.fullmatch(text)):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = days * 86_400 + hours * 3600 + minutes * 60 + seconds
    elif len(text) <= 100 and (parts := list(_SPOKEN.finditer(text := _in_digits(text)))):
        left = re.sub(r"[\s,.&+]|and|و", "", _SPOKEN.sub("", text), flags=re.IGNORECASE)
        if not left:
            found = sum(
                float(part[1].replace(",", "."))
                * next(size for n, (size, _) in enumerate(_UNITS) if part[n + 2])
                for part in parts
            )
    return int(found) if found is not None and 0 <= found <= MAX_DURATION else None


def _in_digits(text: str) -> str:
    for word, said in _WORDS:
        text = word.sub(said, text)
    return text


def flag(value: Any) -> bool | None:
    """yes, true, 1, explicit, نعم …; None when it is neither yes nor no."""
    text = digits(str(value)).strip().casefold()
    return True if text in _TRUE else False if text in _FALSE else None


def whole(value: Any) -> int | None:
    """A whole number, also ٣, "Season 3" not; None otherwise."""
    text = digits(str(value)).strip()
    if re.fullmatch(r"-?\d{1,9}(?:\.0*)?", text):
        return int(text.partition(".")[0])
    return None


def language(value: Any) -> str | None:
    """ar, AR_sa, en-us, Arabic … as BCP 47; None when it is none."""
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


def names(value: Any, limit: int = 50) -> list[str]:
    """A list, or text with commas, semicolons, bars or their Arabic forms between the names."""
    # A list printed into a cell, ['a', 'b'], is read as the list it was.
    listed = (
        value
        if isinstance(value, list)
        else [n.strip(" '\"[]") for n in re.split(r"[,;|،؛\n]", str(value))]
    )
    found = dict.fromkeys(
        one_line(str(name), 120) for name in listed if isinstance(name, str | int)
    )
    return [name for name in found if any(c.isalnum() for c in name)][:limit]


def media_type(mime: str | None, url: str | None) -> str | None:
    """audio or video, by the declared type, else by the file's name."""
    declared = (mime or "").strip().lower()
    for name in ("audio", "video"):
        if declared.startswith(f"{name}/") or declared == name:
            return name
    path = urlsplit(url or "").path.lower() if url else ""
    if path.endswith(_VIDEO):
        return "video"
    return "audio" if path.endswith(_AUDIO) else None
