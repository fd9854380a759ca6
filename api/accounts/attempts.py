"""How many attempts to prove who one is are allowed in a minute. `sessions` and `passwords` spend them.

An address is refused when it has used up its attempts. An account never is: whoever guesses its password could lock its
owner out. Attempts on an account beyond its budget wait before the password is checked, whether it is right or not.
"""

import asyncio

from api.http.errors import Problem
from api.http.limits.rate_limit import Budget
from api.http.request import ApiRequest

SLOW_SECONDS = 2.0
_sleep = asyncio.sleep


async def limit_attempts(request: ApiRequest, name: str) -> None:
    """Spend one attempt of a budget of `LOGIN_LIMIT_PER_MINUTE`; `name` says whose.

    Raises:
        Problem: There were too many attempts in this minute.
    """
    budget = Budget(name, request.shared.settings.api.login_per_minute)
    seconds = await request.shared.limiter.spend(budget)
    if seconds:
        raise Problem("rate_limited", "Too many attempts.", headers={"Retry-After": str(seconds)})


async def limit_address(request: ApiRequest) -> None:
    """Spend one attempt of the client's address.

    Raises:
        Problem: There were too many attempts in this minute.
    """
    await limit_attempts(request, f"login:{request.shared.limiter.addresses.of(request.scope)}")


async def slow_attempts(request: ApiRequest, name: str) -> None:
    """Spend one attempt of a budget of `LOGIN_LIMIT_PER_MINUTE`; wait when it is used up. `name` says whose it is."""
    budget = Budget(name, request.shared.settings.api.login_per_minute)
    if await request.shared.limiter.spend(budget):
        await _sleep(SLOW_SECONDS)
