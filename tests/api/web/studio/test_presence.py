"""Who has the editor of a program open: said to the others, forgotten by itself, and no hindrance when Redis is away."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.http.presence import pages
from api.settings import Settings
from api.web.rendering.locales import locale
from api.web.studio.editor.presence.handlers import said
from tests.support.accounts import add_accounts, signed_in
from tests.support.client import Client
from tests.support.editorial import created
from tests.support.pages import read
from tests.support.product import serve
from tests.support.scraping import metric
from tests.support.shared import SharedApi
from tests.support.staff import send, sign_in, signed_in_at_pages, token_of, visitor
from tests.support.studio import at, save


class Tab:
    """A tab with the editor of a program, as its script speaks."""

    def __init__(self, browser: Client, program_id: int, page: str) -> None:
        self._browser, self._path, self._page = browser, f"{at(program_id)}/presence", page
        self._token = token_of(read(browser, "/sign-in"))

    def beat(self, **more: str) -> str:
        answer = send(self._browser, self._path, token=self._token, page=self._page, **more)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        text: str = answer.json()["text"]
        return text.replace("\u2068", "").replace("\u2069", "")


@pytest.fixture
def redis(shared: SharedApi) -> Iterator["Redis"]:
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as client:
        yield client


def test_others_are_named_and_nobody_is_told_of_himself(shared: SharedApi, redis: "Redis") -> None:
    program_id, other_id = (created(shared.staff["editor"])["id"] for _ in range(2))
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    mine, again = Tab(editor, program_id, "a1"), Tab(editor, program_id, "a2")
    assert [mine.beat(), again.beat(), mine.beat()] == ["", "", ""]
    theirs = Tab(reviewer, program_id, "b1")
    assert theirs.beat() == "editor@example.com is editing this now."
    assert mine.beat() == "reviewer@example.com is editing this now."
    assert Tab(reviewer, other_id, "b1").beat() == ""
    # One of two tabs is left.
    assert mine.beat(leaving="on") == ""
    assert theirs.beat() == "editor@example.com is editing this now."
    again.beat(leaving="on")
    assert theirs.beat() == ""
    seconds = redis.ttl(pages.key(shared.settings.indexer.redis_prefix, program_id))
    assert 0 < int(seconds) <= pages.KEPT_SECONDS  # type: ignore[arg-type]  # redis-py has one type for both clients


def test_a_page_that_falls_silent_is_forgotten(shared: SharedApi, redis: "Redis") -> None:
    program_id = created(shared.staff["editor"])["id"]
    editor, reviewer = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    Tab(editor, program_id, "a1").beat()
    theirs = Tab(reviewer, program_id, "b1")
    assert theirs.beat() == "editor@example.com is editing this now."
    name = pages.key(shared.settings.indexer.redis_prefix, program_id)
    (silent,) = [member for member in redis.zrange(name, 0, -1) if b"editor@" in member]  # type: ignore[union-attr]  # as above
    # As many seconds later: Redis has the only clock of this.
    redis.zincrby(name, -pages.KEPT_SECONDS, silent)
    assert theirs.beat() == ""
    assert redis.zscore(name, silent) is None


def test_pages_of_one_program_have_a_bound(
    shared: SharedApi, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 3)
    program_id = created(shared.staff["editor"])["id"]
    editor = signed_in_at_pages(shared.listener, "editor")
    for n in range(6):
        Tab(editor, program_id, f"a{n}").beat()
    assert redis.zcard(pages.key(shared.settings.indexer.redis_prefix, program_id)) == 3


def test_a_person_is_called_by_the_name_of_the_account(shared: SharedApi) -> None:
    admin = shared.staff["admin"]
    password = "three quiet llamas by the harbour"
    body = {"email": "amal@example.com", "name": "أمل", "password": password, "roles": ["editor"]}
    assert admin.post("/accounts/users", body).status_code == 201
    amal = visitor(shared.listener)
    assert sign_in(amal, "amal", password=password).status_code == 303
    program_id = created(shared.staff["editor"])["id"]
    Tab(amal, program_id, "c1").beat()
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    assert Tab(reviewer, program_id, "b1").beat() == "أمل is editing this now."
    reviewer.get("/language/ar")
    assert Tab(reviewer, program_id, "b1").beat() == "معك في المحرّر الآن: أمل."


def test_many_are_counted() -> None:
    names = ["Amal", "Badr", "<b>Dalal</b>", "Essa", "Fahd"]
    english = said(locale("en"), names)
    assert (
        english
        == "\u2068Amal\u2069, \u2068Badr\u2069, \u2068<b>Dalal</b>\u2069 and 2 more people are editing this now."
    )
    assert "شخصان آخران" in said(locale("ar"), names)


@pytest.mark.parametrize("page", ["", "A", "a b", "a" * 33, "é"])
def test_a_page_that_does_not_say_which_it_is_is_refused(
    page: str, shared: SharedApi, redis: "Redis"
) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    token = token_of(read(editor, "/sign-in"))
    assert send(editor, f"{at(777)}/presence", token=token, page=page).status_code == 400
    assert redis.exists(pages.key(shared.settings.indexer.redis_prefix, 777)) == 0


def test_without_redis_nobody_is_seen_and_editing_goes_on(settings: Settings, database: Database) -> None:
    away = settings.indexer.model_copy(update={"redis_cache_url": "redis://127.0.0.1:1/0"})
    with serve(Settings(settings.catalog, away, settings.api)) as (client, _):
        tokens = add_accounts(settings, database)
        program_id = created(signed_in(client, tokens["editor"]))["id"]
        editor = signed_in_at_pages(client, "editor")
        before = metric(client, "cache_redis_errors_total")
        assert Tab(editor, program_id, "a1").beat() == ""
        assert metric(client, "cache_redis_errors_total") > before
        assert save(editor, at(program_id), title="Written all the same") == f"{at(program_id)}?done=saved"
