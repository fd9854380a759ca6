"""What the product's processes may do in Redis: two users, `api` and `worker`, with the commands and keys they need.

`thmanyah up` gives its Valkey these users, docker-compose.yml has them, deploy/terraform makes them from the access
strings, and `thmanyah redis-acl` prints them for a server of your own. Users called `default` may nothing.

| user | processes |
|---|---|
| `api` | `thmanyah api` |
| `worker` | `thmanyah sync`, `worker`, `scheduler`, and commands that a person types |

See https://valkey.io/topics/acl
"""

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Literal

import click

Role = Literal["api", "worker"]
Server = Literal["cache", "queue"]
ROLES: tuple[Role, ...] = ("api", "worker")
SERVERS: tuple[Server, ...] = ("cache", "queue")

# What every client says when it connects. RQ asks for its own address, and clients of a cluster for its nodes. INFO says
# whether a server fits its role.
_CONNECTION = (
    "auth hello ping quit reset select client|info client|setinfo client|setname "
    "asking cluster|info cluster|shards cluster|slots command info readonly"
)
# Scripts of api/answers, api/http/limits/rate_limit.py, api/discovery/counted, api/http/presence, indexer/jobs/insight.py and
# indexer/stores/invalidation.py run with the rights of their user. `scan` shows names of keys, not what they have.
_SCRIPTS = (
    "eval del expire get hdel hget hincrby hmget hset incrby pfadd pfcount publish set zadd zcard zrangebyscore zrem "
    "zremrangebyrank zremrangebyscore"
)
_CACHE: Mapping[Role, str] = {
    "api": f"{_SCRIPTS} exists sadd scan scard sismember subscribe time unlink unsubscribe zincrby zrange zrevrange zscore",
    "worker": f"{_SCRIPTS} discard exec hgetall incr multi rename sadd scan smembers spop srem subscribe unsubscribe unwatch watch "
    "zunionstore",
}
# RQ looks through its registries and changes them in transactions (MULTI) and scripts, for whoever asks. It looks for
# the server's version in INFO.
_JOBS = (
    "del discard eval evalsha exec exists expire hdel hexists hget hgetall hincrby hincrbyfloat hmget hset info "
    "llen lpop lpos lpush lrange lrem multi persist rpush sadd scard script|exists script|load set smembers "
    "srem ttl unwatch watch xadd xlen xrevrange zadd zcard zcount zrange zrangebyscore zrem zremrangebyrank "
    "zremrangebyscore zrevrange zscore"
)
_QUEUE: Mapping[Role, str] = {
    "api": _JOBS,
    "worker": f"{_JOBS} blmove blpop get lmove publish rename rpop subscribe unsubscribe xread zscan",
}
# RQ and rq-scheduler begin each key with this.
_RQ = "rq:"


def hashed(password: str) -> str:
    """Return a password as a rule of an ACL file, from which it cannot be read."""
    return f"#{sha256(password.encode()).hexdigest()}"


def users(servers: Collection[Server], credentials: Mapping[Role, str], prefix: str) -> str:
    """Return the users of a server as an ACL file (`aclfile`).

    Args:
        servers: What the server is: the cache, the queue, or both.
        credentials: The rule with each user's password, such as `hashed` makes.
        prefix: `REDIS_PREFIX`; the settings allow no character that means something in a pattern.
    """
    lines = ["user default off resetpass resetkeys resetchannels -@all"]
    for role in ROLES:
        # A selector for each kind of keys: what is allowed with the one is not with the other.
        selectors = []
        if "cache" in servers:
            selectors.append(_selector(prefix, _CACHE[role]))
        if "queue" in servers:
            selectors.append(_selector(_RQ, _QUEUE[role]))
        lines.append(
            f"user {role} on {credentials[role]} resetchannels -@all {_allowed(_CONNECTION)} "
            + " ".join(selectors)
        )
    return "\n".join(lines) + "\n"


def access_strings(server: Server, prefix: str) -> dict[str, str]:
    """Return the rights of each user of a server as ElastiCache takes them: without its password.

    Args:
        server: What the server is. Each has one kind of keys, so no selectors are needed.
        prefix: `REDIS_PREFIX`.

    Source:
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
    """
    keys, commands = (prefix, _CACHE) if server == "cache" else (_RQ, _QUEUE)
    return {
        role: f"on resetkeys ~{keys}* resetchannels &{keys}* -@all "
        + _allowed(f"{_CONNECTION} {commands[role]}")
        for role in ROLES
    }


def _selector(prefix: str, commands: str) -> str:
    return f"(~{prefix}* &{prefix}* -@all {_allowed(commands)})"


def _allowed(commands: str) -> str:
    return " ".join(f"+{command}" for command in sorted(commands.split()))


def elasticache(servers: Collection[Server]) -> str:
    """Return the access strings of these servers by server and user, as a JSON file for deploy/terraform."""
    return json.dumps({server: access_strings(server, _prefix()) for server in servers}, indent=2) + "\n"


@click.command("redis-acl")
@click.argument("servers", nargs=-1, required=True, type=click.Choice(SERVERS))
@click.option("--api-password", envvar="REDIS_API_PASSWORD", default="", help="Of the user `api`.")
@click.option("--worker-password", envvar="REDIS_WORKER_PASSWORD", default="", help="Of the user `worker`.")
@click.option(
    "--access-strings",
    "as_access_strings",
    is_flag=True,
    help="Print JSON for ElastiCache, without passwords.",
)
def redis_acl(
    servers: tuple[Server, ...], api_password: str, worker_password: str, *, as_access_strings: bool
) -> None:
    """Print the users of a Redis or Valkey server as an ACL file.

    SERVERS is what the server is for: cache, queue, or both. Passwords are read from REDIS_API_PASSWORD and
    REDIS_WORKER_PASSWORD, the prefix of the cache's keys from REDIS_PREFIX. The file has hashes of the passwords only.
    """
    if as_access_strings:
        click.echo(elasticache(servers), nl=False)
        return
    credentials = _credentials({"api": api_password, "worker": worker_password})
    click.echo(users(servers, credentials, _prefix()), nl=False)


def _prefix() -> str:
    # `thmanyah up` writes its users without the settings' libraries.
    from indexer.settings import IndexerSettings

    return IndexerSettings().redis_prefix


def _credentials(passwords: Mapping[Role, str]) -> dict[Role, str]:
    """Return each user's password as a rule.

    Raises:
        click.UsageError: There is none for a user.
    """
    for role, password in passwords.items():
        if not password:
            raise click.UsageError(
                f"REDIS_{role.upper()}_PASSWORD is not set: the password of the user {role}."
            )
    return {role: hashed(password) for role, password in passwords.items()}
