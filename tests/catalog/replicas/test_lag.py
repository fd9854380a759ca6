"""How far behind a replica counts as, from positions in the log."""

import math
from dataclasses import replace

from catalog.replicas.lag import MAX_POSITIONS, History, Position

PRIMARY = Position(in_recovery=False, position=0, timeline="00000001", now=1000.0, replayed_at=None)


def replica(position: int, replayed_at: float | None = None) -> Position:
    return Position(in_recovery=True, position=position, timeline="", now=0.0, replayed_at=replayed_at)


def history(*positions: int) -> History:
    """A primary that was asked once a second, and stood at these positions."""
    found = History()
    for second, position in enumerate(positions):
        found.add(replace(PRIMARY, position=position, now=1000.0 + second), float(second))
    return found


def test_a_replica_with_everything_is_not_behind_however_long_nothing_was_written() -> None:
    idle = history(*[500] * 100)
    assert idle.behind(replica(500, replayed_at=3.0)) == 0
    assert idle.behind(replica(501)) == 0


def test_a_replica_is_as_old_as_the_newest_position_that_it_has_replayed() -> None:
    busy = history(100, 200, 300, 400)
    assert [busy.behind(replica(position)) for position in (400, 399, 200, 100)] == [0, 1, 2, 3]


def test_a_position_from_before_this_process_is_dated_by_its_last_commit() -> None:
    busy = history(100, 200)
    assert busy.behind(replica(50, replayed_at=991.0)) == 10
    assert math.isinf(busy.behind(replica(50)))


def test_a_primary_that_is_away_makes_no_replica_older() -> None:
    assert history(100, 200).behind(replica(200)) == 0
    assert math.isinf(History().behind(replica(200)))


def test_a_server_that_was_promoted_is_no_replica_until_it_is_the_primary() -> None:
    promoted = replace(PRIMARY, position=900, timeline="00000002")
    found = history(100, 200, 800)
    assert math.isinf(found.behind(promoted))
    # It is the primary now, without the old one's last bytes: what those were compared with is forgotten.
    found.add(replace(promoted, position=700), 3.0)
    assert found.behind(replace(promoted, position=700)) == 0
    assert found.behind(replica(700)) == 0
    assert math.isinf(found.behind(replica(600)))


def test_the_positions_that_are_remembered_have_a_bound() -> None:
    found = history(*range(MAX_POSITIONS + 50))
    assert found.behind(replica(50)) == MAX_POSITIONS - 1
    assert math.isinf(found.behind(replica(49)))
