"""Indexes of programs: one for each filter and order of lists, searches and chores."""

from alembic import op

revision: str = "20261125_06"
down_revision: str | None = "20261125_05"

_LISTED = "WHERE status = 'published' AND deleted_at IS NULL"
_NEWEST = "release_date DESC NULLS LAST, id DESC"
_LIVE = "WHERE deleted_at IS NULL"

INDEXES = {
    # Listeners' filters and orders.
    "programs_status_release_date_idx": "(status, release_date DESC, id)",
    "programs_category_release_date_idx": f"(category_id, {_NEWEST}) {_LISTED}",
    "programs_language_release_date_idx": f"(language, {_NEWEST}) {_LISTED}",
    "programs_media_type_release_date_idx": f"(media_type, {_NEWEST}) {_LISTED}",
    "programs_kind_release_date_idx": f"(kind, {_NEWEST}) {_LISTED}",
    "programs_featured_release_date_idx": (
        f"({_NEWEST}) WHERE is_featured AND status = 'published' AND deleted_at IS NULL"
    ),
    "programs_view_count_idx": f"(view_count DESC, id) {_LISTED}",
    "programs_duration_sec_idx": f"(duration_sec, id) {_LISTED}",
    "programs_published_at_idx": f"(published_at DESC, id) {_LISTED}",
    "programs_published_id_idx": f"(id) {_LISTED}",
    "programs_series_order_idx": (
        "(series_id, season NULLS FIRST, episode NULLS FIRST, id) "
        "WHERE series_id IS NOT NULL AND deleted_at IS NULL"
    ),
    # Searches that no engine answers.
    "programs_title_trgm_idx": "USING gin (catalog_fold(title) gin_trgm_ops)",
    "programs_words_idx": "USING gin (catalog_words(title, description))",
    # Editors' lists.
    "programs_created_at_idx": f"(created_at DESC, id DESC) {_LIVE}",
    "programs_updated_at_idx": f"(updated_at DESC, id DESC) {_LIVE}",
    "programs_status_updated_at_idx": f"(status, updated_at DESC, id DESC) {_LIVE}",
    "programs_category_id_idx": "(category_id)",
    # Publishing and expiring on time, and removing what was deleted.
    "programs_scheduled_publish_at_idx": (
        "(scheduled_publish_at) WHERE status = 'scheduled' AND deleted_at IS NULL"
    ),
    "programs_expire_at_idx": (
        "(expire_at) WHERE status = 'published' AND expire_at IS NOT NULL AND deleted_at IS NULL"
    ),
    "programs_deleted_at_idx": "(deleted_at) WHERE deleted_at IS NOT NULL",
    # Imports look for the same title from another source.
    "programs_folded_title_idx": f"(md5(catalog_fold(title))) {_LIVE}",
    # The audit reads the published programs of one bucket after the other.
    "programs_bucket_idx": f"((id % 256), id) {_LISTED}",
}


def upgrade() -> None:
    for name, definition in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON programs {definition}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
