"""What a document's hash is made of."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.engines.document import content_hash
from tests.support.examples import examples

VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()


@pytest.mark.slow
@examples()
@given(st.dictionaries(st.text(), VALUES | st.lists(VALUES)))
def test_the_hash_is_over_canonical_json_whoever_writes_it(document: dict[str, object]) -> None:
    # Indexes keep hashes for years: another encoder must not make every document look stale.
    written = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert content_hash(document) == hashlib.blake2b(written.encode(), digest_size=8).hexdigest()
