"""How much a sender has in flight: little, where a change of the live index would wait behind it."""

import time

from indexer.sender.pacing import Pace
from indexer.settings import IndexerSettings

SETTINGS = IndexerSettings(sync_max_documents=2000, sync_in_flight=3)


def test_many_small_batches_or_a_few_full_ones() -> None:
    pace = Pace(SETTINGS, beside=False)
    assert pace.room([]) == 2000
    assert pace.room([2000, 2000]) == 2000
    assert pace.room([2000, 2000, 1]) == 0
    assert pace.room([1] * 20) == 1980
    assert pace.room([400] * 4) == 400
    assert pace.room([1] * 32) == 0


def test_the_more_batches_are_in_flight_the_later_the_next_is_sent() -> None:
    pace = Pace(SETTINGS, beside=False)
    pace.sent()
    assert pace.room([1] * 2) == 2000
    assert pace.room([1] * 30) == 0
    pace._sent_at -= 0.31
    assert pace.room([1] * 30) == 1970


def test_beside_a_live_index_a_batch_takes_less_than_a_second() -> None:
    pace = Pace(SETTINGS, beside=True)
    assert 0 < pace.room([]) < 2000
    assert pace.room([500]) == pace.room([])
    assert pace.room([500, 500]) == 0
    for _ in range(30):
        # A slow engine: half a second for a hundred documents.
        pace.settled(100, time.monotonic() - 0.5)
        pace._settled_at = 0.0
    assert 100 <= pace.room([]) <= 200
    for _ in range(30):
        pace.settled(2000, time.monotonic() - 0.1)
        pace._settled_at = 0.0
    assert pace.room([]) == 2000
    # What a few documents took says nothing of thousands.
    pace.settled(1, time.monotonic() - 10)
    assert pace.room([]) == 2000


def test_looks_become_rare_while_nothing_moves() -> None:
    # The longer the oldest batch has waited for others, the less a moment more matters to it.
    for beside, waited, most in (
        (False, 0.01, 0.02),
        (False, 0.5, 0.05),
        (False, 60.0, 0.1),
        (True, 0.01, 0.1),
    ):
        pace = Pace(SETTINGS, beside=beside)
        pauses = [pace.pause(waited) for _ in range(12)]
        assert pauses == sorted(pauses)
        assert (pauses[0], pauses[-1]) == (0.004, most)
        pace.look_soon()
        assert pace.pause(waited) == 0.004
