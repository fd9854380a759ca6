"""Random requests from the OpenAPI document in every role: no server error, no answer that the document does not name.

`python -m tests.attack.fuzz [--cases 20000] [--seed 1]`. tests/api/test_contract.py is the short run of CI.
"""

import argparse
import os
import sys
from collections import Counter
from contextlib import closing, suppress
from copy import deepcopy
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from rich.console import Console
from rich.table import Table
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.checks import AcceptedNegativeData

from api import openapi
from api.app import routers
from catalog.accounts.models import ROLES
from catalog.core.db import make_engine, session_factory
from tests.support.accounts import add_account
from tests.support.databases import new_database
from tests.support.product import sending, serve
from tests.support.programs import make
from tests.support.servers import Servers
from tests.support.stores import new_settings

# Not among them are checks of what the document cannot say: that valid data is accepted (a program in the wrong status
# is refused), and that a resource is there for a moment after it was made (another request may have deleted it).
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.ignored_auth,
]


def main() -> None:
    """Send the requests, print the table, and exit with 1 when anything broke the contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="in all roles and routes together")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    servers = Servers()
    failures: Counter[str] = Counter()
    sent: Counter[tuple[str, int]] = Counter()
    try:
        os.environ.update(servers.start())
        with new_database(os.environ["TEST_POSTGRES"]) as url:
            _fuzz(url, wanted.cases, wanted.seed, sent, failures)
    finally:
        servers.stop()
    table = Table(title=f"{sum(sent.values()):,} requests")
    for column in ("role", "2xx", "3xx", "4xx", "5xx"):
        table.add_column(column, justify="right")
    for role in sorted({role for role, _ in sent}):
        table.add_row(role, *(f"{sent[role, kind]:,}" for kind in range(2, 6)))
    Console().print(table)
    for failure, times in failures.most_common():
        print(f"{times}x {failure}")
    sys.exit(bool(failures))


def _fuzz(
    url: str, cases: int, first_seed: int, sent: Counter[tuple[str, int]], failures: Counter[str]
) -> None:
    settings = new_settings(url, os.environ)
    database = make_engine(settings.catalog)
    with session_factory(database).begin() as session:
        for status in ("draft", "in_review", "scheduled", "published", "archived"):
            make(session, status, title=f"A {status} program")
    with sending(settings), serve(settings) as (client, _), closing(client.session):
        schema = schemathesis.openapi.from_dict(deepcopy(openapi.document(routers(settings))))
        schema.config.update(base_url=client.base)
        # An address that is too long is refused before its parameters are looked at.
        statuses = schema.config.checks.negative_data_rejection.expected_statuses
        schema.config.checks.negative_data_rejection.expected_statuses = [*statuses, "414"]
        operations = [found.ok() for found in schema.get_all_operations()]
        # Routes without parameters have fewer different requests than their share.
        share = -(-cases * 11 // (10 * 2 * len(operations) * (1 + len(ROLES))))
        for role in ("nobody", *ROLES):
            # A token lives for minutes: everybody signs in when it is their turn.
            token = "" if role == "nobody" else add_account(settings, database, role, [role])
            for operation in operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    _send(operation, mode, role, token, share, first_seed, sent, failures)
            count = sum(n for (r, _), n in sent.items() if r == role)
            print(f"{role}: {count:,} requests, {failures.total()} failures so far", flush=True)
    database.dispose()


def _is_valid_as_sent(case: Any) -> bool:
    """Whether wrong data became right on its way: a blank parameter is an absent one, and a file has any bytes."""
    blank = ("", [""], [], None)
    return case.media_type == "text/csv" or any(value in blank for value in (case.query or {}).values())


def _send(
    operation: Any,
    mode: GenerationMode,
    role: str,
    token: str,
    count: int,
    first_seed: int,
    sent: Counter[tuple[str, int]],
    failures: Counter[str],
) -> None:
    """Send so many requests to one route in one role."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    @seed(first_seed)
    @examples(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # A made-up key is refused before anything else is looked at; the check `ignored_auth` sends such keys.
        case.headers.pop("X-API-Key", None)
        response = case.call(headers=headers, timeout=60)
        sent[role, response.status_code // 100] += 1
        if response.status_code == 414 and not response.content:
            # Beyond 65,534 bytes the server refuses an address itself, before the product sees it.
            return
        try:
            case.validate_response(response, headers=headers, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                if isinstance(failure, AcceptedNegativeData) and _is_valid_as_sent(case):
                    continue
                failures[f"{role} {operation.label}: {response.status_code} {failure}"[:700]] += 1

    # A route without parameters and body has no wrong ones.
    with suppress(Unsatisfiable):
        send()


if __name__ == "__main__":
    main()
