"""Load on a cluster: arrivals that do not wait for answers (`perf/locustfile.py`)."""
