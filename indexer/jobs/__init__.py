"""Background work: the worker's and the scheduler's processes, the schedule, the sweep, the clock."""
