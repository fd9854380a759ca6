"""What is seen of requests: a line in the log, a span, how long they took, and how often answers are given."""
