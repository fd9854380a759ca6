"""Every table of the catalogue, with its indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("token_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
    )
    op.create_index(
        "accounts_email_key", "accounts", [sa.literal_column("lower(email)")], unique=True
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "diff",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_events_pkey")),
    )
    op.create_index(
        "audit_events_actor_idx",
        "audit_events",
        ["actor_kind", "actor_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("audit_events_at_idx", "audit_events", ["at"], unique=False)
    op.create_index(
        "audit_events_entity_idx",
        "audit_events",
        ["entity", "entity_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("categories_pkey")),
        sa.UniqueConstraint("slug", name=op.f("categories_slug_key")),
    )
    op.create_index(
        "categories_active_sort_order_idx",
        "categories",
        ["is_active", "sort_order", "id"],
        unique=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index(
        "idempotency_keys_created_at_idx", "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "index_dirty",
        sa.Column("target_id", sa.SmallInteger(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            server_default=sa.text("nextval('index_dirty_seq')"),
            nullable=False,
        ),
        sa.Column(
            "marked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("parked", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("target_id", "program_id", name=op.f("index_dirty_pkey")),
    )
    op.create_index(
        "index_dirty_due_idx",
        "index_dirty",
        ["target_id", "next_at", "seq"],
        unique=False,
        postgresql_where=sa.text("NOT parked"),
    )
    op.create_index(
        "index_dirty_marked_at_idx", "index_dirty", ["target_id", "marked_at"], unique=False
    )
    op.create_table(
        "index_targets",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("index_uid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="live", nullable=False),
        sa.Column("settings_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('live', 'building', 'retired')", name=op.f("index_targets_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("index_targets_pkey")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("people_pkey")),
        sa.UniqueConstraint("slug", name=op.f("people_slug_key")),
    )
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("tags_pkey")),
        sa.UniqueConstraint("slug", name=op.f("tags_slug_key")),
    )
    op.create_table(
        "view_flushes",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("view_flushes_pkey")),
    )
    op.create_index("view_flushes_at_idx", "view_flushes", ["at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("quota_per_minute", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("api_keys_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("key_hash", name=op.f("api_keys_key_hash_key")),
    )
    op.create_index("api_keys_account_id_idx", "api_keys", ["account_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("refresh_tokens_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("refresh_tokens_pkey")),
    )
    op.create_index("refresh_tokens_account_id_idx", "refresh_tokens", ["account_id"], unique=False)
    op.create_index("refresh_tokens_expires_at_idx", "refresh_tokens", ["expires_at"], unique=False)
    op.create_index("refresh_tokens_family_idx", "refresh_tokens", ["family"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("series_category_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("series_pkey")),
        sa.UniqueConstraint("slug", name=op.f("series_slug_key")),
    )
    op.create_index("series_category_id_idx", "series", ["category_id"], unique=False)
    op.create_table(
        "programs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("duration_sec", sa.Integer(), nullable=True),
        sa.Column("release_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("media_url", sa.Text(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("series_id", sa.BigInteger(), nullable=True),
        sa.Column("season", sa.Integer(), nullable=True),
        sa.Column("episode", sa.Integer(), nullable=True),
        sa.Column("is_featured", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_explicit", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("scheduled_publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("view_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "popularity",
            sa.BigInteger(),
            sa.Computed("catalog_popularity(view_count)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "locked_fields", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("source_type", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("rev", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('episode', 'film', 'documentary', 'series', 'trailer', 'short')",
            name=op.f("programs_kind_check"),
        ),
        sa.CheckConstraint(
            "media_type IN ('audio', 'video')", name=op.f("programs_media_type_check")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'in_review', 'scheduled', 'published', 'archived')",
            name=op.f("programs_status_check"),
        ),
        sa.CheckConstraint("duration_sec >= 0", name=op.f("programs_duration_sec_check")),
        sa.CheckConstraint("view_count >= 0", name=op.f("programs_view_count_check")),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("programs_category_id_fkey"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("programs_series_id_fkey"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("programs_pkey")),
        sa.UniqueConstraint("slug", name=op.f("programs_slug_key")),
        sa.UniqueConstraint(
            "source_type", "external_id", name=op.f("programs_source_type_external_id_key")
        ),
    )
    op.create_index("programs_category_id_idx", "programs", ["category_id"], unique=False)
    op.create_index(
        "programs_category_release_date_idx",
        "programs",
        [
            "category_id",
            sa.literal_column("release_date DESC NULLS LAST"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_created_at_idx",
        "programs",
        [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "programs_deleted_at_idx",
        "programs",
        ["deleted_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "programs_duration_sec_idx",
        "programs",
        ["duration_sec", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_expire_at_idx",
        "programs",
        ["expire_at"],
        unique=False,
        postgresql_where=sa.text(
            "status = 'published' AND expire_at IS NOT NULL AND deleted_at IS NULL"
        ),
    )
    op.create_index(
        "programs_featured_release_date_idx",
        "programs",
        [sa.literal_column("release_date DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("is_featured AND status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_kind_release_date_idx",
        "programs",
        ["kind", sa.literal_column("release_date DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_language_release_date_idx",
        "programs",
        [
            "language",
            sa.literal_column("release_date DESC NULLS LAST"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_media_type_release_date_idx",
        "programs",
        [
            "media_type",
            sa.literal_column("release_date DESC NULLS LAST"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_published_at_idx",
        "programs",
        [sa.literal_column("published_at DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_published_id_idx",
        "programs",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_scheduled_publish_at_idx",
        "programs",
        ["scheduled_publish_at"],
        unique=False,
        postgresql_where=sa.text("status = 'scheduled' AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_series_order_idx",
        "programs",
        [
            "series_id",
            sa.literal_column("season NULLS FIRST"),
            sa.literal_column("episode NULLS FIRST"),
            "id",
        ],
        unique=False,
        postgresql_where=sa.text("series_id IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "programs_status_release_date_idx",
        "programs",
        ["status", sa.literal_column("release_date DESC"), "id"],
        unique=False,
    )
    op.create_index(
        "programs_status_updated_at_idx",
        "programs",
        ["status", sa.literal_column("updated_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.execute(
        "CREATE INDEX programs_title_trgm_idx ON programs USING gin (catalog_fold(title) gin_trgm_ops)"
    )
    op.create_index(
        "programs_updated_at_idx",
        "programs",
        [sa.literal_column("updated_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "programs_view_count_idx",
        "programs",
        [sa.literal_column("view_count DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.create_table(
        "program_people",
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "role IN ('host', 'guest', 'director', 'producer', 'narrator', 'cast')",
            name=op.f("program_people_role_check"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("program_people_person_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("program_people_program_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "program_id", "person_id", "role", name=op.f("program_people_pkey")
        ),
    )
    op.create_index(
        "program_people_person_id_program_id_idx",
        "program_people",
        ["person_id", "program_id"],
        unique=False,
    )
    op.create_table(
        "program_revisions",
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("program_revisions_program_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("program_id", "rev", name=op.f("program_revisions_pkey")),
    )
    op.create_table(
        "program_slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("program_slugs_program_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("program_slugs_pkey")),
    )
    op.create_index("program_slugs_program_id_idx", "program_slugs", ["program_id"], unique=False)
    op.create_table(
        "program_tags",
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.id"],
            name=op.f("program_tags_program_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("program_tags_tag_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("program_id", "tag_id", name=op.f("program_tags_pkey")),
    )
    op.create_index(
        "program_tags_tag_id_program_id_idx", "program_tags", ["tag_id", "program_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("program_tags_tag_id_program_id_idx", table_name="program_tags")
    op.drop_table("program_tags")
    op.drop_index("program_slugs_program_id_idx", table_name="program_slugs")
    op.drop_table("program_slugs")
    op.drop_table("program_revisions")
    op.drop_index("program_people_person_id_program_id_idx", table_name="program_people")
    op.drop_table("program_people")
    op.drop_index(
        "programs_view_count_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_updated_at_idx",
        table_name="programs",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_status_updated_at_idx",
        table_name="programs",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index("programs_status_release_date_idx", table_name="programs")
    op.drop_index(
        "programs_series_order_idx",
        table_name="programs",
        postgresql_where=sa.text("series_id IS NOT NULL AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_scheduled_publish_at_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'scheduled' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_published_id_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_published_at_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_media_type_release_date_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_language_release_date_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_kind_release_date_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_featured_release_date_idx",
        table_name="programs",
        postgresql_where=sa.text("is_featured AND status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_expire_at_idx",
        table_name="programs",
        postgresql_where=sa.text(
            "status = 'published' AND expire_at IS NOT NULL AND deleted_at IS NULL"
        ),
    )
    op.drop_index(
        "programs_duration_sec_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_deleted_at_idx",
        table_name="programs",
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.drop_index(
        "programs_created_at_idx",
        table_name="programs",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index(
        "programs_category_release_date_idx",
        table_name="programs",
        postgresql_where=sa.text("status = 'published' AND deleted_at IS NULL"),
    )
    op.drop_index("programs_category_id_idx", table_name="programs")
    op.drop_table("programs")
    op.drop_index("series_category_id_idx", table_name="series")
    op.drop_table("series")
    op.drop_index("refresh_tokens_family_idx", table_name="refresh_tokens")
    op.drop_index("refresh_tokens_expires_at_idx", table_name="refresh_tokens")
    op.drop_index("refresh_tokens_account_id_idx", table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index("api_keys_account_id_idx", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index("view_flushes_at_idx", table_name="view_flushes")
    op.drop_table("view_flushes")
    op.drop_table("tags")
    op.drop_table("people")
    op.drop_table("index_targets")
    op.drop_index("index_dirty_marked_at_idx", table_name="index_dirty")
    op.drop_index(
        "index_dirty_due_idx", table_name="index_dirty", postgresql_where=sa.text("NOT parked")
    )
    op.drop_table("index_dirty")
    op.drop_index("idempotency_keys_created_at_idx", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("categories_active_sort_order_idx", table_name="categories")
    op.drop_table("categories")
    op.drop_index("audit_events_entity_idx", table_name="audit_events")
    op.drop_index("audit_events_at_idx", table_name="audit_events")
    op.drop_index("audit_events_actor_idx", table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_index("accounts_email_key", table_name="accounts")
    op.drop_table("accounts")
