"""Categories, series, tags and people are edited in one way, and every edit is audited in JSON's names."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from catalog.core.audit import AuditEvent
from catalog.core.errors import Conflict, NotFound, StaleRevision, ValidationFailed
from catalog.taxonomy import categories, joining, names, series
from catalog.taxonomy.models import Category, Person, Series, Tag
from tests.support.programs import EDITOR, make

CATEGORY = {"name_ar": "علوم", "name_en": "Science"}
SERIES = {"title": "Coffee talks", "language": "en"}
# The module of each kind, the values of a new row, an edit, and how the two are audited.
KINDS = [
    pytest.param(
        categories,
        CATEGORY,
        {"name_ar": "طبيعة", "sort_order": 7, "is_active": False},
        {"nameEn": [None, "Science"]},
        {"nameAr": ["علوم", "طبيعة"], "sortOrder": [0, 7], "isActive": [True, False]},
        id="category",
    ),
    pytest.param(
        series,
        SERIES,
        {"thumbnail_url": "https://example.com/a.jpg", "slug": "Coffee & talks"},
        {"title": [None, "Coffee talks"]},
        {"thumbnailUrl": [None, "https://example.com/a.jpg"]},
        id="series",
    ),
]


def events(session: Session) -> list[tuple[str, str, dict[str, object]]]:
    """Every audit event: action, entity, diff."""
    rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    return [(event.action, event.entity, event.diff) for event in rows]


@pytest.mark.parametrize(("module", "values", "edit", "created", "edited"), KINDS)
def test_creates_edits_and_deletes_are_audited_by_their_json_names(
    session: Session,
    module: Any,
    values: dict[str, object],
    edit: dict[str, object],
    created: dict[str, object],
    edited: dict[str, object],
) -> None:
    row = module.create(session, values, EDITOR)
    entity = type(row).__name__.lower()
    module.edit(session, row.id, edit, EDITOR, expected_rev=1)
    module.edit(session, row.id, edit, EDITOR)
    module.delete(session, row.id, EDITOR)
    assert events(session) == [
        (f"{entity}.create", entity, created),
        (f"{entity}.edit", entity, edited),
        (f"{entity}.delete", entity, {"slug": [row.slug, None]}),
    ]


@pytest.mark.parametrize(("module", "values"), [(categories, CATEGORY), (series, SERIES)])
def test_an_older_revision_is_not_overwritten(session: Session, module: Any, values: dict[str, Any]) -> None:
    row = module.create(session, values, EDITOR)
    module.edit(session, row.id, {"slug": "first"}, EDITOR, expected_rev=1)
    with pytest.raises(StaleRevision) as refused:
        module.edit(session, row.id, {"slug": "second"}, EDITOR, expected_rev=1)
    assert refused.value.current == 2
    session.refresh(row)
    assert row.slug == "first"


@pytest.mark.parametrize(
    ("create", "values", "field", "code"),
    [
        (categories.create, {"name_ar": "علوم"}, "nameEn", "required"),
        (categories.create, CATEGORY | {"name_en": " "}, "nameEn", "required"),
        (categories.create, CATEGORY | {"name_ar": "x" * 121}, "nameAr", "too_long"),
        (categories.create, CATEGORY | {"slug": "!!!"}, "slug", "invalid"),
        (categories.create, CATEGORY | {"sort_order": 2**31}, "sortOrder", "out_of_range"),
        (categories.create, {"name_ar": "؟", "name_en": "?"}, "nameEn", "invalid"),
        (series.create, {"title": "Coffee"}, "language", "required"),
        (series.create, SERIES | {"title": "?!"}, "title", "invalid"),
        (series.create, SERIES | {"slug": "?!"}, "slug", "invalid"),
        (series.create, SERIES | {"category_id": 404}, "categoryId", "not_found"),
        (series.create, SERIES | {"colour": "red"}, "colour", "unknown"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_written(
    session: Session, create: Callable[..., object], values: dict[str, object], field: str, code: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        create(session, values, EDITOR)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]
    for model in (Category, Series, AuditEvent):
        assert session.scalar(select(func.count()).select_from(model)) == 0


@pytest.mark.parametrize(
    ("module", "values", "column"), [(categories, CATEGORY, "category_id"), (series, SERIES, "series_id")]
)
def test_what_programs_refer_to_stays(
    session: Session, module: Any, values: dict[str, object], column: str
) -> None:
    row = module.create(session, values, EDITOR)
    make(session, **{column: row.id})
    with pytest.raises(Conflict):
        module.delete(session, row.id, EDITOR)
    session.commit()
    with pytest.raises(Conflict) as refused:
        module.create(session, values, EDITOR)
    assert refused.value.field == "slug"
    session.rollback()
    assert session.scalar(text(f"SELECT count(*) FROM {type(row).__tablename__}")) == 1


def test_renames_are_audited_and_meet_no_other_spelling(session: Session) -> None:
    coffee, tea = names.get_or_create(session, Tag, ["قهوة", "شاي", "قهوه"]).values()
    (host,) = names.get_or_create(session, Person, ["Ann"]).values()
    joining.rename(session, Tag, tea.id, "  green   tea ", EDITOR)
    joining.rename(session, Person, host.id, "Anne", EDITOR)
    with pytest.raises(Conflict) as refused:
        joining.rename(session, Tag, tea.id, "قهوه", EDITOR)
    assert refused.value.field == "name"
    with pytest.raises(NotFound):
        joining.rename(session, Person, 404, "Bob", EDITOR)
    assert (coffee.name, tea.slug) == ("قهوة", "green-tea")
    assert events(session) == [
        ("tag.rename", "tag", {"name": ["شاي", "green tea"]}),
        ("person.rename", "person", {"name": ["Ann", "Anne"]}),
    ]
