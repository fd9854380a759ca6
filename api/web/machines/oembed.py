"""oEmbed (https://oembed.com): what another site shows for a link to a program. It is a link with a title and a picture.

A frame is not offered, because the policy of the pages forbids frames.
"""

from urllib.parse import unquote, urlsplit

import msgspec

from api.answers.answer import NOT_FOUND, Answer
from api.discovery.state import DiscoveryState
from api.http.schemas import ProgramData
from api.web.listener import programs
from api.web.rendering.locales import LANGUAGES, locale
from api.web.rendering.page import Shown


class Embed(msgspec.Struct, omit_defaults=True):
    """The answer of the protocol; its names are the protocol's."""

    type: str
    version: str
    title: str
    provider_name: str
    provider_url: str
    author_name: str | None = None
    author_url: str | None = None


def parts(site: str, url: str) -> tuple[str, str] | None:
    """Return the language and the key of the program that an address of this site names; None of any other.

    Args:
        site: The address of the site.
        url: What another site asks about.
    """
    asked, own = urlsplit(url), urlsplit(site)
    steps = asked.path.split("/")
    is_program = len(steps) == 4 and steps[1] in LANGUAGES and steps[2] == "programs"
    if asked.netloc != own.netloc or not is_program:
        return None
    return steps[1], unquote(steps[3])


async def load(shared: DiscoveryState, language: str, key: str) -> Answer:
    """Return what another site shows for a program, or NOT_FOUND.

    Args:
        shared: Has the services.
        language: Of the page.
        key: The last part of the address.
    """
    place = await programs.find(shared, key)
    answer = await programs.answer(shared, place.program_id) if place is not None else NOT_FOUND
    if answer.status == 404:
        return NOT_FOUND
    shown = Shown()
    program = shown.take(answer, ProgramData).data
    site, found = shared.settings.api.site, locale(language)
    embed = Embed("link", "1.0", program.title, str(found.text("site.name")), f"{site}/{language}")
    if program.series is not None:
        embed.author_name = program.series.title
        embed.author_url = site + found.links.series(program.series.slug)
    return Answer(msgspec.json.encode(embed), ids=tuple(shown.ids))
