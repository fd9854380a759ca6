"""What one process remembers is bounded, whatever clients ask: docs/security.md lists the bounds."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Every address is another one, of another client and with another answer; a tenth of them is as long as may be.
FLOOD = """
import asyncio, os, sys, time

from api.answers.front import known, told
from api.answers.answer import Answer, Answered, NOT_FOUND
from api.answers.cache import Cache
from api.answers.edge import Edge
from api.discovery.counted.views import ViewBuffer
from api.http.cors import Cors
from api.http.limits import rate_limit
from api.http.limits.rate_limit import Budget, Limiter
from api.http.observed.tally import Tally

# A quarter of what the product holds: reached four times as soon, and kept by the same code.
known.MAX_HOT_BYTES //= 4
for name in ("MAX_CLIENTS", "MAX_CREDENTIALS", "MAX_BUDGETS"):
    setattr(rate_limit, name, getattr(rate_limit, name) // 4)

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

async def main(addresses):
    cache = Cache(None, "", max_bytes=2**20)
    cache.invalidations.heard_at = time.monotonic() + 3600
    limiter = Limiter(None, "", 6000)

    async def app(scope, receive, send):
        key = f"page:{scope['path']}:{scope['query_string']}"
        missing = hash(key) % 3 == 0
        async def load():
            return NOT_FOUND if missing else Answer(b"x" * 200, ids=(1,))
        found = await cache.get(key, "page", load, ttl=600)
        if found.answer.status == 200:
            scope["state"]["answered"] = Answered(key, "page")
        await send({"type": "http.response.start", "status": found.answer.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    edge = Edge(app)
    tally = Tally()
    edge.bind(cache, limiter, Cors("*"), tally)

    async def nothing(*_):
        return None

    async def ask(n, longest):
        path = f"/discovery/programs/{n}" + ("x" * (told.MAX_TARGET - 60) if n % 10 == 0 else "")
        peer = (f"2001:db8:{n >> 16:x}:{n & 0xffff:x}::1", 1)
        headers = [(b"authorization", b"Bearer %d" % n)]
        await edge({"type": "http", "method": "GET", "path": path, "query_string": b"a=%d" % n,
                    "headers": headers, "client": peer}, nothing, nothing)
        limiter.proven(b"%016d" % n, Budget(f"key:{n}", 1))
        tally.add(f"note {n}", b"client %d " % n + b"x" * (longest if n % 10 == 0 else 500), peer[0])

    # All bounds are reached before the first look.
    for n in range(6_500):
        await ask(10**9 + n, 500)
    before = resident()
    for n in range(addresses):
        await ask(n, 2**17)
    print(resident() - before)

asyncio.run(main(int(sys.argv[1])))
"""


# How many addresses come when all bounds are reached. `make attack` asks for more of them.
ADDRESSES = int(os.environ.get("ADDRESSES", "14000"))
# So little that keeping anything of every address shows: a dict's entry with its key is more.
BYTES_AN_ADDRESS = 60


@pytest.mark.slow
def test_further_addresses_cost_no_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FLOOD, str(ADDRESSES)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) * 2**20 <= ADDRESSES * BYTES_AN_ADDRESS


def _constants(module: str) -> dict[str, float]:
    """The numbers that a module assigns to names at its top."""
    found = {}
    for node in ast.parse((ROOT / module).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = _number(node.value)
            if value is not None:
                found[node.targets[0].id] = value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else []
            for name, part in zip(node.targets[0].elts, values, strict=False):
                number = _number(part)
                if isinstance(name, ast.Name) and number is not None:
                    found[name.id] = number
    return found


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _number(node.left), _number(node.right)
        return left * right if left is not None and right is not None else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def test_the_list_of_bounds_is_what_the_code_has() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\|[^|]+\| ([\d,]+) [^|]+\| `([\w/]+\.py)`, `(\w+)` \|", page, re.MULTILINE)
    assert len(rows) >= 14
    for bound, module, name in rows:
        assert _constants(module)[name] == int(bound.replace(",", "")), (module, name)
