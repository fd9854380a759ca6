"""What the settings of an index say about its attributes: which are searchable, filterable, sortable.

`index.py` owns one object of each class and replaces it when the settings change.
"""

from deploy.searchnode.attributes import FilterableRule, filterable_rule, is_within, is_within_any
from deploy.searchnode.index.settings import Settings, attributes_read_by_document


class SearchableFields:
    """The searchable fields of an index, numbered in the order in which documents first had them.

    The number of a field is part of every posting. The weight of a field is the place of its attribute
    in `searchableAttributes`, 0 being the most important.
    """

    def __init__(self, attributes: list[str]) -> None:
        """Start without any field; `attributes` is the setting `searchableAttributes`."""
        self.attributes = attributes
        self.names: list[str] = []
        self.weights: list[int] = []
        # Name -> number; None for a name that is not searchable. Bounded by the names in documents.
        self._numbers: dict[str, int | None] = {}

    def number(self, name: str) -> int | None:
        """Return the number of a field, which is registered when it is new; None if not searchable."""
        if name not in self._numbers:
            self._numbers[name] = self._register(name)
        return self._numbers[name]

    def _register(self, name: str) -> int | None:
        weight = (
            0
            if "*" in self.attributes
            else next((n for n, wanted in enumerate(self.attributes) if is_within(name, wanted)), None)
        )
        if weight is None:
            return None
        self.names.append(name)
        self.weights.append(weight)
        return len(self.names) - 1

    def max_weight(self) -> int | None:
        """Return the weight of the last searchable attribute; None when all fields weigh the same."""
        return None if "*" in self.attributes else len(self.attributes) - 1


class FilterableAttributes:
    """Which attributes requests may filter by, count and sort by."""

    def __init__(self, settings: Settings) -> None:
        self.rules = [filterable_rule(entry) for entry in settings["filterableAttributes"]]
        self._by_document = attributes_read_by_document(settings)
        # Bounded by the names in documents.
        self._has_facet: dict[str, bool] = {}

    def rule(self, name: str) -> FilterableRule | None:
        """Return the first entry of `filterableAttributes` that covers this attribute."""
        return next((rule for rule in self.rules if rule.covers(name)), None)

    def names(self) -> list[str]:
        """Return the names and patterns of all attributes that may be filtered by, in order."""
        return sorted({p for rule in self.rules if rule.features.filterable for p in rule.patterns})

    def allows(self, name: str) -> bool:
        """Return whether requests may filter by this attribute, count it and be distinct by it."""
        rule = self.rule(name)
        return rule is not None and rule.features.filterable

    def has_facet(self, name: str) -> bool:
        """Return whether the values of this attribute are kept, for filters or for sorting."""
        known = self._has_facet.get(name)
        if known is None:
            rule = self.rule(name)
            known = self._has_facet[name] = (
                rule is not None and (rule.features.filterable or rule.features.facet_search)
            ) or self.is_read_by_document(name)
        return known

    def is_read_by_document(self, name: str) -> bool:
        """Return whether sorting or distinct results read the attribute's values document by document."""
        return is_within_any(name, self._by_document)
