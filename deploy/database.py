"""The group `thmanyah db`: the commands of `catalog.care`, and those that need more than the catalogue."""

from catalog.care.cli import db
from deploy.backup import verify_backup

db.add_command(verify_backup)

__all__ = ["db"]
