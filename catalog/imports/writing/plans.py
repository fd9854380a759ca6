"""What a row would be as a program: the run's options filled in, the category and the series found, all checked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.errors import CatalogError, FieldError, ValidationFailed
from catalog.core.text import fold, slugify
from catalog.imports.options import Options, defaults
from catalog.imports.writing.rows import Row, SeriesRef, content_hash
from catalog.programs.rules import NewProgramValues, validate
from catalog.taxonomy import series as series_editing
from catalog.taxonomy.models import Category, Series

# A program may be released so far ahead; imports with the policy publish are scheduled for that moment.
MAX_AHEAD = timedelta(days=365)


@dataclass(slots=True)
class Plan:
    """A row, its validated values as a program, and the hash of what its source says."""

    row: Row
    values: NewProgramValues
    content_hash: str

    @property
    def external_id(self) -> str:
        """The id by which the program is found again; the planner refuses a row without one."""
        return self.row.external_id or ""


class Invalid(Exception):
    """The row cannot be a program; `errors` says why."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class Planner:
    """Makes the plans of one run. It remembers categories and series that it has looked up."""

    def __init__(self, options: Options, actor: Actor, *, dry_run: bool) -> None:
        self._options, self._actor, self._dry_run = options, actor, dry_run
        self._category_ids: dict[str, int] | None = None
        self._series_ids: dict[str, int] = {}

    def forget(self) -> None:
        """Forget what was looked up: the series that were created may have been rolled back."""
        self._category_ids, self._series_ids = None, {}

    def plan(self, session: Session, row: Row) -> Plan:
        """Return the plan of a row; a series that it names is created unless the run is dry.

        Raises:
            Invalid: A value is wrong or missing, or the category is unknown.
        """
        values = defaults(self._options)
        values |= {name: value for name, value in row.values.items() if value is not None}
        if self._options.tags:
            tags = values.get("tags")
            values["tags"] = [*(tags if isinstance(tags, list) else []), *self._options.tags]
        errors = list(row.errors)
        _leave_out_far_date(values, row)
        # Before the category is found: categories may change, what the source says is the same.
        hashed = content_hash(row, values)
        if row.category is not None:
            category_id = self._category_id(session, row.category)
            if category_id is None:
                errors.append(FieldError("category", "not_found", f"No category {row.category[:60]!r}."))
            else:
                values["category_id"] = category_id
        else:
            known = (self._category_id(session, hint) for hint in row.hints)
            hinted = next((category_id for category_id in known if category_id is not None), None)
            if hinted is not None:
                values.setdefault("category_id", hinted)
        valid: NewProgramValues | None = None
        try:
            valid = validate(values, creating=True)
        except ValidationFailed as refusal:
            named = {error.field for error in errors}
            errors += [error for error in refusal.errors if error.field not in named]
        if not row.external_id:
            errors.append(FieldError("externalId", "required", "Must be given."))
        if valid is None or errors:
            raise Invalid(errors)
        if row.series is not None and "series_id" not in valid:
            series_id = self._series_id(session, row.series, valid["language"])
            if series_id is not None:
                valid["series_id"] = series_id
        return Plan(row, valid, hashed)

    def _category_id(self, session: Session, name: str) -> int | None:
        """The category of this id, slug or name, whatever its spelling."""
        if self._category_ids is None:
            self._category_ids = {}
            columns = select(Category.id, Category.slug, Category.name_ar, Category.name_en)
            for category_id, *names in session.execute(columns):
                for key in (str(category_id), *names):
                    self._category_ids.setdefault(fold(key), category_id)
        return self._category_ids.get(fold(name.strip()))

    def _series_id(self, session: Session, ref: SeriesRef, language: str) -> int | None:
        """The series with the address of this title; a new one if there is none and the run is not dry."""
        slug = slugify(ref.title)
        if not slug:
            return None
        if slug not in self._series_ids:
            series_id = session.scalar(select(Series.id).where(Series.slug == slug))
            if series_id is None and not self._dry_run:
                series_id = self._create_series(session, ref, language)
            if series_id is None:
                return None
            self._series_ids[slug] = series_id
        return self._series_ids[slug]

    def _create_series(self, session: Session, ref: SeriesRef, language: str) -> int | None:
        values: dict[str, object] = {
            "title": ref.title[: series_editing.MAX_TITLE],
            "language": language,
            "description": ref.description[: series_editing.MAX_DESCRIPTION],
        }
        if ref.thumbnail_url:
            values["thumbnail_url"] = ref.thumbnail_url
        try:
            with session.begin_nested():
                return series_editing.create(session, values, self._actor).id
        except CatalogError:
            # Another process has created it, or its title is not valid: then the program has no series.
            return session.scalar(select(Series.id).where(Series.slug == slugify(ref.title)))


def _leave_out_far_date(values: dict[str, object], row: Row) -> None:
    """Leave out a release date more than a year ahead: it is a mistake or a joke, and would lead every list."""
    released = values.get("release_date")
    if isinstance(released, datetime) and released > datetime.now(UTC) + MAX_AHEAD:
        del values["release_date"]
        detail = f"The date {released.date().isoformat()} is more than a year ahead and was left out."
        row.note = ("future_date", detail)
        # The same item may be read with its date later.
        row.raw_hash = None
