"""Random examples of Hypothesis, without any limit of time: a busy machine is no fault of the code."""

from hypothesis import HealthCheck, settings


def examples(count: int = 100) -> settings:
    """Return the settings of a test that is tried with `count` examples."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
