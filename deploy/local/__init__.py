"""The whole product on one machine: real servers from wheels, supervised by one process."""
