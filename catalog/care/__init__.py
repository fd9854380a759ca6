"""The care of the database: what is used and what grows (`thmanyah db report`), plans, and maintenance."""
