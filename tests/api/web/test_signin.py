"""The sign-in at pages, and those who would like to be signed in as somebody else."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from api.web.signin.forms import MOST_FIELDS
from api.web.signin.handlers import local
from tests.support.accounts import PASSWORD, add_account
from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.product import serve
from tests.support.shared import SharedApi
from tests.support.staff import send, sign_in, signed_in_at_pages, token_of, visitor


def is_in(browser: Client) -> bool:
    """Whether a browser is signed in."""
    return Page(browser.get("/sign-in")).texts("h1") == ["You are signed in"]


def cookie(browser: Client, name: str = "session") -> str:
    return browser.session.cookies.get(name) or ""


def plant(browser: Client, name: str, value: str) -> None:
    browser.session.cookies.set(name, value, domain="127.0.0.1", path="/")


def with_cookie(api: Client, token: str) -> Client:
    """Somebody who has the cookie of another browser."""
    browser = visitor(api)
    plant(browser, "session", token)
    return browser


def age(database: Database, browser: Client, change: str) -> None:
    """Change the token of a browser's session in the database."""
    with database.begin() as connection:
        changed = connection.execute(
            text(
                f"UPDATE refresh_tokens SET {change} "
                "WHERE token_hash = encode(sha256(convert_to(:token, 'UTF8')), 'hex')"
            ),
            {"token": cookie(browser)},
        )
    assert changed.rowcount == 1


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_pages_are_valid_in_both_languages(language: str, shared: SharedApi) -> None:
    browser = visitor(shared.listener)
    assert browser.get(f"/language/{language}").headers["location"] == "/sign-in"
    before = read(browser, "/sign-in")
    sign_in(browser, "editor")
    for page in (before, read(browser, "/sign-in")):
        assert (page.root.get("lang"), page.root.get("dir")) == (
            language,
            "rtl" if language == "ar" else "ltr",
        )
        assert page.headers["cache-control"] == "no-store"
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert len(page.all("h1")) == 1
        assert not [
            e for e in page.root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)
        ]


def test_somebody_signs_in_and_out(shared: SharedApi) -> None:
    browser = visitor(shared.listener)
    answer = sign_in(browser, "reviewer", next="/en/search?q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/search?q=a")
    given = answer.headers["set-cookie"]
    assert re.search(r"session=\S+; .*HttpOnly; Max-Age=43200; Path=/; SameSite=strict", given), given
    assert "Secure" not in given
    page = read(browser, "/sign-in")
    assert "Account: reviewer@example.com" in page.texts("p")
    assert page.texts("li") == ["Reviewer"]
    kept = with_cookie(shared.listener, cookie(browser))
    assert is_in(kept)
    answer = send(browser, "/sign-out", token=token_of(page))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert cookie(browser) == ""
    # The cookie is worth nothing now, whoever kept it.
    assert not is_in(kept)
    assert send(kept, "/sign-out", token=token_of(page)).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("public_url", "environment"), [("https://programs.example", "local"), ("", "production")]
)
def test_behind_tls_cookies_are_secure_and_of_this_host_alone(
    settings: Settings, database: Database, public_url: str, environment: str
) -> None:
    changed = {"public_url": public_url, "environment": environment}
    safe = replace(settings, api=settings.api.model_copy(update=changed))
    with serve(safe) as (client, _):
        answer = visitor(client).get("/sign-in")
        assert re.match(
            r"__Host-form=\S+; HttpOnly; Path=/; SameSite=strict; Secure", answer.headers["set-cookie"]
        )


@pytest.mark.parametrize(
    "fields",
    [{"password": "wrong"}, {"email": "nobody@example.com"}, {"password": PASSWORD * 30}, {"email": ""}],
)
def test_who_is_not_known_stays_outside(shared: SharedApi, fields: dict[str, str]) -> None:
    browser = visitor(shared.listener)
    answer = sign_in(browser, "ops", **fields)
    page = Page(answer)
    assert page.status == 401
    assert page.texts("p", role="alert") == ["The e-mail address or the password is wrong."]
    assert page.one("input", name="email").get("value") == fields.get("email", "ops@example.com")
    assert cookie(browser) == ""


def test_a_cookie_that_an_attacker_planted_is_never_signed_in(shared: SharedApi) -> None:
    attacker = signed_in_at_pages(shared.listener, "editor")
    victim = with_cookie(shared.listener, cookie(attacker))
    token = token_of(Page(victim.get("/sign-in")))
    # The victim's browser is signed in as the attacker; signing in gives it a session of its own.
    send(victim, "/sign-out", token=token)
    plant(victim, "session", "planted" * 6)
    assert sign_in(victim, "ops").status_code == 303
    assert "planted" not in cookie(victim)
    assert not is_in(attacker)
    assert not is_in(with_cookie(shared.listener, "planted" * 6))


def test_the_session_before_ends_when_somebody_signs_in(shared: SharedApi) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    before = with_cookie(shared.listener, cookie(browser))
    # The form of somebody who is signed in is not shown; one that was open still works.
    other = visitor(shared.listener)
    token = token_of(Page(other.get("/sign-in")))
    plant(browser, "form", cookie(other, "form"))
    fields = {"email": "ops@example.com", "password": PASSWORD, "token": token}
    assert send(browser, "/sign-in", **fields).status_code == 303
    assert is_in(browser)
    assert not is_in(before)


def test_a_form_of_another_site_or_of_another_browser_is_refused(shared: SharedApi) -> None:
    browser, other = (signed_in_at_pages(shared.listener, role) for role in ("ops", "editor"))
    own, theirs = (token_of(read(b, "/sign-in")) for b in (browser, other))
    for fields in (
        {"next": "/"},
        {"token": ""},
        {"token": theirs},
        {"token": own[:-1]},
        {"token": own + "0"},
    ):
        answer = send(browser, "/sign-out", **fields)
        assert (answer.status_code, "form has expired" in answer.text) == (403, True), fields
    answer = browser.ask("POST", "/sign-out", data={"token": own}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert browser.ask("POST", "/sign-out", json={"token": own}).status_code == 415
    assert is_in(browser)
    # Nor is anybody signed in by the form of another site, as whoever made it.
    stranger = visitor(shared.listener)
    foreign = token_of(Page(visitor(shared.listener).get("/sign-in")))
    for token in ("", foreign):
        page = Page(send(stranger, "/sign-in", token=token, email="ops@example.com", password=PASSWORD))
        assert (page.status, page.texts("p", role="alert")) == (
            403,
            ["This form has expired. Please try again."],
        )
    assert cookie(stranger) == ""


def test_a_form_that_cannot_be_read_is_refused(shared: SharedApi) -> None:
    browser = visitor(shared.listener)
    for body in (
        b"email=\xff",
        b"email=%ff",
        b"email=a%00b",
        b"&".join(b"a%d=1" % n for n in range(MOST_FIELDS + 1)),
    ):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert browser.ask("POST", "/sign-in", data=body, headers=headers).status_code == 400, body


@pytest.mark.parametrize(
    "change",
    [
        "expires_at = now()",
        "revoked_at = now()",
        # Exchanged long ago: it was stolen.
        "used_at = now() - interval '2 minutes'",
        # A token of the API is none of a browser.
        "family = 'abc'",
    ],
)
def test_a_session_that_ended_leads_to_the_form(shared: SharedApi, change: str) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    token = token_of(read(browser, "/sign-in"))
    age(shared.database, browser, change)
    assert Page(browser.get("/sign-in")).texts("h1") == ["Sign in"]
    assert send(browser, "/sign-out", token=token).headers["location"] == "/sign-in"


def test_an_account_that_changes_is_signed_out(shared: SharedApi) -> None:
    add_account(shared.settings, shared.database, "leaving", ["ops"])
    browser = signed_in_at_pages(shared.listener, "leaving")
    users = shared.staff["admin"].get("/accounts/users").json()["data"]
    number = next(user["id"] for user in users if user["email"] == "leaving@example.com")
    assert shared.staff["admin"].patch(f"/accounts/users/{number}", {"roles": ["editor"]}).status_code == 200
    assert not is_in(browser)


def test_an_old_token_is_exchanged_and_a_stolen_one_ends_the_session(shared: SharedApi) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    first = with_cookie(shared.listener, cookie(browser))
    assert is_in(browser)
    assert cookie(browser) == cookie(first)
    page = read(browser, "/sign-in")
    age(shared.database, browser, "created_at = now() - interval '1 hour'")
    assert is_in(browser)
    assert cookie(browser) != cookie(first)
    # What was on its way with the old token is answered, and forms that are open stay good.
    assert is_in(first)
    assert token_of(read(browser, "/sign-in")) == token_of(page)
    age(shared.database, first, "used_at = now() - interval '2 minutes'")
    assert not is_in(first)
    assert not is_in(browser)


def test_the_token_of_a_browser_is_none_of_the_api(shared: SharedApi) -> None:
    browser = signed_in_at_pages(shared.listener, "ops")
    answer = shared.listener.post("/accounts/refresh", {"refreshToken": cookie(browser)})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    answer = browser.get("/ops/engines")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert is_in(browser)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/" + "a" * 9000,
    ],
)
def test_nobody_is_led_to_another_site(elsewhere: str) -> None:
    assert local(elsewhere) == "/sign-in"
    assert local("/ops/board?a=//b") == "/ops/board?a=//b"


def test_every_way_on_is_a_path_of_this_site(shared: SharedApi) -> None:
    browser = visitor(shared.listener)
    assert browser.get("/language/en", next="//evil.example").headers["location"] == "/sign-in"
    assert (
        read(browser, "/sign-in", next="//evil.example").one("input", name="next").get("value") == "/sign-in"
    )
    assert sign_in(browser, "ops", next="https://evil.example").headers["location"] == "/sign-in"
    assert browser.get("/sign-in", next="//evil.example").status_code == 200
    assert browser.get("/sign-in", next="/en").headers["location"] == "/en"


def test_who_guesses_is_slowed_as_at_the_api(settings: Settings, database: Database) -> None:
    strict = replace(settings, api=settings.api.model_copy(update={"login_per_minute": 2}))
    with serve(strict) as (client, _):
        # One budget for both ways in: whichever minute begins meanwhile, three of four are more than two of one minute.
        browser, statuses = visitor(client), []
        for n in range(8):
            if n % 2:
                answer = client.post("/accounts/login", {"email": f"{n}@example.com", "password": "x"})
            else:
                answer = sign_in(browser, str(n), password="x")
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
        assert statuses.count(429) >= 4
        assert set(statuses[:2]) == {401}
