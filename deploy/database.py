"""The group `thmanyah db`: the commands of `catalog.care`, and those that need more than the catalogue."""

from catalog.care.cli import db
from catalog.journal.cli import restored
from deploy.backup import verify_backup

db.add_command(verify_backup)
db.add_command(restored)

__all__ = ["db"]
