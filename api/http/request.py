"""The type of requests in route handlers, and of the state that all requests of a process share.

`api.app` makes every request of the framework an ApiRequest and puts one AppState into the application.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import SerializationException, ValidationException
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.http.errors import Problem
from api.http.found.schemas import InSearchOut
from api.http.limits.rate_limit import Limiter
from api.http.schemas import PreviewAnswer
from api.settings import Settings
from catalog.core.actor import Actor
from catalog.core.changes import ProgramChange, TaxonomyChange
from catalog.core.errors import FieldError
from catalog.core.text import has_control_characters
from catalog.curation.expansions import Replaced, Rule
from catalog.replicas.servers import ReadServers
from indexer.engines.document import ListedFields
from indexer.engines.search import SearchPool

Sessions = async_sessionmaker[AsyncSession]


class CachedAnswers(Protocol):
    """The methods of this process's cache that writing routes call. `api.answers.cache.Cache` has them."""

    def changed(self, changes: Iterable[ProgramChange]) -> None:
        """Drop every answer that shows a changed program; call it after the commit."""

    def taxonomy_changed(self, changes: Iterable[TaxonomyChange]) -> None:
        """Drop the names of changed categories and series; call it after the commit."""

    def curation_changed(self, generation: int) -> None:
        """Supersede pages that show what editors curate; call it after the commit."""

    def clear(self) -> None:
        """Drop every answer."""


class CurationPreviews(Protocol):
    """Says what listeners would find. `api.discovery.around.preview.Previews` does."""

    async def preview(
        self, q: str, limit: int, places: Mapping[int, int], rules: Sequence[Rule], replaced: Replaced
    ) -> PreviewAnswer:
        """Return the first page of a query without curation, and with it.

        Args:
            q: The query.
            limit: Programs on a page.
            places: Pins to try: program -> place.
            rules: Synonyms to try.
            replaced: What is in force and left out of `after`.
        """
        raise NotImplementedError


class SearchPlaces(Protocol):
    """Says where a query finds a program. `api.discovery.around.places.Places` does."""

    async def place(self, q: str, program_id: int) -> InSearchOut:
        """Return where a query finds a program, and what put it there."""
        raise NotImplementedError

    def missing(self, q: str, program: ListedFields) -> list[str]:
        """Return the words of a query that a program does not have."""
        raise NotImplementedError


class CatalogueWords(Protocol):
    """Knows the words of the catalogue. `api.discovery.lookups.vocabulary.Vocabulary` does."""

    def unknown(self, text: str) -> list[str]:
        """Return the words of a text that the catalogue does not have."""
        raise NotImplementedError

    def near(self, word: str) -> list[str]:
        """Return words of the catalogue that resemble a word."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AppState:
    """The state that all requests of a process share. `api.app` opens it once.

    `db` opens sessions on the primary; `servers` are the primary and its replicas, for listeners' reads.
    """

    settings: Settings
    db: Sessions
    servers: ReadServers
    redis_cache: "Redis"
    redis_queue: "Redis"
    limiter: Limiter
    search: SearchPool
    cache: CachedAnswers
    previews: CurationPreviews
    vocabulary: CatalogueWords
    places: SearchPlaces


@dataclass(frozen=True, slots=True)
class Principal:
    """The account or API key behind a request, after `api.http.auth.authenticate` has checked it.

    `quota` is the key's own limit of requests a minute; None is the limit of every account.
    """

    account_id: int
    name: str
    roles: frozenset[str]
    key_id: int | None = None
    quota: int | None = None

    def actor(self, request_id: str) -> Actor:
        """Return the principal as audit events name it."""
        if self.key_id is not None:
            return Actor("api_key", self.key_id, self.name, request_id)
        return Actor("account", self.account_id, self.name, request_id)


class ApiRequest(Request[Principal, None, State]):
    """The framework's request, with a typed state. A body that cannot be read is answered with 400, never with 500.

    `request.user` is the Principal on routes that need a role.
    """

    @property
    def shared(self) -> AppState:
        """The state that all requests of this process share."""
        found: AppState = self.app.state.shared
        return found

    async def json(self) -> Any:
        """Return the decoded body.

        The framework would take "false" for false and "5" for 5; here each value must have the type that the OpenAPI
        document names.

        Raises:
            Problem: The body is not JSON, or a text in it has NUL or another control character.
            ValidationException: A value has another type than the route's body declares.
        """
        try:
            found = await super().json()
        except RecursionError:
            raise Problem("malformed_body", "The body is nested too deeply.") from None
        except UnicodeDecodeError:
            raise Problem("malformed_body", "The body is not UTF-8.") from None
        except SerializationException as error:
            raise Problem("malformed_body", str(error.__cause__ or error)) from None
        _check_texts(found)
        declared = self.route_handler.parsed_fn_signature.parameters.get("data")
        if declared is not None:
            _require_types(found, declared.annotation)
        return found


def _check_texts(body: object) -> None:
    """Refuse control characters: PostgreSQL stores no NUL, and pages cannot show the others.

    Raises:
        Problem: A text of the body has one.
    """
    waiting: list[tuple[str, object]] = [("", body)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += ((f"{name}.{key}" if name else key, inner) for key, inner in value.items())
            waiting += ((name or "body", key) for key in value)
        elif isinstance(value, list):
            waiting += ((f"{name}[{n}]", inner) for n, inner in enumerate(value))
        elif isinstance(value, str) and has_control_characters(value):
            errors = [FieldError(name, "invalid", "Contains control characters.")]
            raise Problem("validation_failed", f"{name}: Contains control characters.", errors=errors)


def _require_types(value: object, declared: type) -> None:
    """Check a body strictly, and report its first wrong value as the framework does.

    Raises:
        ValidationException: Names the wrong field.
    """
    try:
        msgspec.convert(value, declared, strict=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        entry = {"message": message, "key": path.rstrip("`") or "data", "source": "body"}
        raise ValidationException(extra=[entry]) from None


def actor_of(request: ApiRequest) -> Actor:
    """Return the signed-in sender of a request, as audit events name it."""
    return request.user.actor(request.scope["state"]["request_id"])


def expected_rev(if_match: str | None) -> int | None:
    """Return the revision in the value of an If-Match header; None without the header, and for `*`.

    Raises:
        Problem: The value is no ETag of this API.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit()) or len(tag) > 18:
        raise Problem(
            "bad_request", errors=[FieldError("If-Match", "invalid", 'Must be an ETag such as "3".')]
        )
    return int(tag)
