"""A short one of what `make chaos` does for as long as it is told to."""

import pytest

from tests.faults import chaos

pytestmark = pytest.mark.slow


@pytest.mark.timeout(400)
def test_two_seeds_of_everything_at_once() -> None:
    # Without a rebuild among their faults: it would wait for the lease of whoever was killed.
    totals = chaos.run((10, 17), seconds=2.5, programs=100)
    assert totals.seeds == 2
    assert min(totals.writes, totals.reads, totals.faults) > 0
