"""The product runs with Redis users that may do what their processes need, and nothing that would harm others."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError
from sqlalchemy import Engine as Database

from api.settings import Settings
from deploy import redis_acl
from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import valkey
from indexer.rebuild.jobs import audit
from indexer.stores import queues
from tests.support.accounts import add_accounts
from tests.support.import_requests import CSV, look, upload
from tests.support.running import running_product
from tests.support.waiting import eventually

PREFIX = "thmanyah:"
HOME = {"redisApiPassword": secrets.token_urlsafe(8), "redisWorkerPassword": secrets.token_urlsafe(8)}


@dataclass
class Guarded:
    """A Valkey with the product's users, and one more that may read what was refused to them."""

    port: int

    def urls(self, role: redis_acl.Role) -> dict[str, str]:
        return valkey.addresses(self.port, role, HOME)

    def refused(self) -> list[object]:
        """What was refused since the start, in words."""
        with Redis.from_url(f"redis://judge:judge@127.0.0.1:{self.port}") as judge:
            return [
                (e["username"], e["reason"], e["object"], e["client-info"]["cmd"]) for e in judge.acl_log()
            ]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    port = ports.ephemeral()
    users = valkey.write_users(tmp_path / "valkey", HOME, PREFIX)
    with users.open("a") as file:
        file.write("user judge on >judge +acl +client +info\n")
    child = Child(
        "valkey",
        valkey.server_command(tmp_path / "valkey", port, durable=False, acl=users),
        lambda: not ports.is_free(port),
        "",
    )
    child.start(tmp_path)
    assert child.wait_ready(30, lambda: False)
    yield Guarded(port)
    child.stop(timeout=5)


def _commands(user: str) -> list[list[str]]:
    """Commands that harm others or show what no process needs."""
    own, other = f"{PREFIX}program:1", "rq:job:1"
    return [
        ["CONFIG", "GET", "*"],
        ["CONFIG", "SET", "dir", "/tmp"],
        ["KEYS", "*"],
        ["FLUSHALL"],
        ["FLUSHDB"],
        ["DEBUG", "SLEEP", "1"],
        ["MODULE", "LOAD", "/tmp/a.so"],
        ["ACL", "LIST"],
        ["ACL", "SETUSER", user, "+@all"],
        ["ACL", "LOG"],
        ["SHUTDOWN", "NOSAVE"],
        ["REPLICAOF", "127.0.0.1", "1"],
        ["MONITOR"],
        ["SAVE"],
        ["CLIENT", "KILL", "TYPE", "normal"],
        ["CLIENT", "LIST"],
        ["SCRIPT", "FLUSH"],
        ["FUNCTION", "LIST"],
        ["SWAPDB", "0", "1"],
        ["MIGRATE", "127.0.0.1", "1", own, "0", "1000"],
        ["DUMP", own],
        ["GET", "somebody:else"],
        ["HGETALL", "somebody:else"],
        ["EVAL", "return redis.call('GET', KEYS[1])", "1", "somebody:else"],
        ["PUBLISH", "somebody:else", "1"],
        # A command that it has for one kind of keys, with the other kind.
        ["RPUSH", own, "1"],
        ["PFADD", other, "1"],
    ]


@pytest.mark.parametrize("role", redis_acl.ROLES)
def test_a_user_may_not_do_what_its_processes_do_not_need(guarded: Guarded, role: redis_acl.Role) -> None:
    with Redis.from_url(guarded.urls(role)["REDIS_CACHE_URL"]) as redis:
        for command in _commands(role):
            with pytest.raises(ResponseError, match=r"permissions|(DEBUG|MODULE) command not allowed"):
                redis.execute_command(*command)
        with pytest.raises(ResponseError, match="permissions"):
            redis.eval("return redis.call('FLUSHALL')", 0)
        assert redis.ping()


@pytest.mark.parametrize("server", redis_acl.SERVERS)
def test_access_strings_say_the_same_as_the_users(guarded: Guarded, server: redis_acl.Server) -> None:
    own, other = (PREFIX, "rq:") if server == "cache" else ("rq:", PREFIX)
    with Redis.from_url(f"redis://judge:judge@127.0.0.1:{guarded.port}") as judge:
        for role, rights in redis_acl.access_strings(server, PREFIX).items():
            judge.execute_command("ACL", "SETUSER", "tried", "reset", ">tried", *rights.split())
            with Redis.from_url(f"redis://tried:tried@127.0.0.1:{guarded.port}") as redis:
                assert redis.zrem(f"{own}z", "a") == 0
                for command in (["ZREM", f"{other}z", "a"], ["PUBLISH", f"{other}c", "1"], *_commands(role)):
                    with pytest.raises(
                        ResponseError, match=r"permissions|(DEBUG|MODULE) command not allowed"
                    ):
                        redis.execute_command(*command)
            users = redis_acl.users([server], dict.fromkeys(redis_acl.ROLES, "nopass"), PREFIX)
            (line,) = (found for found in users.splitlines() if found.startswith(f"user {role} "))
            allowed = set(line.replace(")", "").split())
            assert {rule for rule in rights.split() if rule.startswith("+")} == {
                rule for rule in allowed if rule.startswith("+")
            }


def test_nobody_comes_in_without_a_password(guarded: Guarded) -> None:
    for url in ("redis://", "redis://:wrong@", "redis://api:wrong@", "redis://default:@"):
        with Redis.from_url(f"{url}127.0.0.1:{guarded.port}") as redis, pytest.raises(AuthenticationError):
            redis.ping()


def test_passwords_are_stored_as_hashes_in_a_private_file(tmp_path: Path) -> None:
    file = valkey.write_users(tmp_path, HOME, PREFIX)
    file.chmod(0o644)
    assert valkey.write_users(tmp_path, HOME, PREFIX).stat().st_mode & 0o777 == 0o600
    assert not any(password in file.read_text() for password in HOME.values())


@pytest.mark.slow
def test_the_product_needs_no_more_than_its_users_may(
    guarded: Guarded, settings: Settings, database: Database, tmp_path: Path
) -> None:
    urls = guarded.urls("worker")
    stores = {
        "redis_cache_url": urls["REDIS_CACHE_URL"],
        "redis_queue_url": urls["REDIS_QUEUE_URL"],
        "redis_prefix": PREFIX,
    }
    settings = Settings(settings.catalog, settings.indexer.model_copy(update=stores), settings.api)
    add_accounts(settings, database)
    names = ("sync", "scheduler", "worker")
    limits = {"RATE_LIMIT_PER_MINUTE": "100000"}
    with running_product(settings, tmp_path, others=names, api=guarded.urls("api") | limits) as product:
        editor, reviewer, ops = (product.sign_in(role) for role in ("editor", "reviewer", "ops"))
        draft = {"title": "Coffee", "language": "en", "mediaType": "audio", "kind": "episode"}
        made = editor.post("/catalog/programs", draft)
        number, read = made.json()["data"]["id"], {"If-Match": made.headers["etag"]}
        assert reviewer.post(f"/catalog/programs/{number}/publish", **read).status_code == 200
        for listener in (product.listener(0), product.listener(1)):
            eventually(lambda p=listener: p.get(f"/discovery/programs/{number}").status_code == 200)
            eventually(lambda p=listener: len(p.get("/discovery/search", q="coffe").json()["data"]) == 1)
            assert listener.post(f"/discovery/programs/{number}/views").status_code == 202
        eventually(lambda: editor.get(f"/catalog/programs/{number}").json()["data"]["viewCount"] == 1)

        run = upload(editor, CSV)["id"]
        eventually(lambda: look(editor, run)["status"] == "succeeded", what="the import")
        assert ops.post("/ops/cache/purge", {}).status_code == 200

        queue = queues.connect(settings.indexer.redis_queue_url)
        jobs = [
            queues.JsonQueue(queues.REINDEX, connection=queue).enqueue(audit, "no number") for _ in range(2)
        ]
        eventually(lambda: len(ops.get("/ops/queues/reindex/failed").json()["data"]) == 2, what="failed jobs")
        again = ops.post("/ops/queues/reindex/retry", {"jobIds": [jobs[0].id]})
        assert again.json()["data"]["count"] == 1
        eventually(
            lambda: len(ops.get("/ops/queues/reindex/failed").json()["data"]) == 2, what="failed again"
        )
        for ids in ([jobs[1].id], []):
            assert ops.post("/ops/queues/reindex/cancel", {"jobIds": ids}).status_code == 200
        assert {row["name"] for row in ops.get("/ops/queues").json()["data"]} == set(queues.NAMES)
        assert all(found["up"] for found in ops.get("/health/ready").json()["dependencies"])
        queue.close()
    assert guarded.refused() == []
