"""The sender (`thmanyah sync`): one leader per target sends what is marked, others stand by."""
