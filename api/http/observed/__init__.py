"""What is seen of requests: a line in the log, a span, and how often answers are given."""
