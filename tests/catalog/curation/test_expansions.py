"""What synonyms mean: the setting of an index, and other wordings of a query."""

import pytest

from catalog.curation.expansions import MAX_VARIANTS, Expansions, Rule, compiled

RULES = [
    Rule("two_way", ["الذكاء الاصطناعي", "AI", "تعلم الآلة"], []),
    Rule("one_way", ["show"], ["podcast", "Series"]),
    Rule("two_way", ["ai", "machine"], []),
    Rule("one_way", ["SHOW"], ["show", "series!"]),
]


INTELLIGENCE = ["الذكا الاصطناعي", "الذكاء الاصطناعي", "ذكا اصطناعي"]
LEARNING = ["التعلم الاله", "تعلم الاله", "تعلم اله"]


def test_rules_become_one_setting_in_the_spelling_of_comparison() -> None:
    assert compiled(RULES) == {
        "ai": sorted(["machine", *INTELLIGENCE, *LEARNING]),
        "machine": ["ai"],
        "show": ["podcast", "series"],
        "تعلم اله": sorted(["ai", *INTELLIGENCE]),
        "ذكا اصطناعي": sorted(["ai", *LEARNING]),
    }
    assert compiled([]) == {}


@pytest.mark.parametrize(
    ("words", "variants"),
    [
        ("new show", ["new podcast", "new series"]),
        ("الذكا الاصطناعي", ["ai", "تعلم اله"]),
        ("عصر ذكا اصطناعي جديد", ["عصر ai جديد", "عصر تعلم اله جديد"]),
        ("ذكا", []),
        ("podcast", []),
        ("machine show", ["ai show", "machine podcast", "machine series"]),
        ("", []),
    ],
)
def test_a_query_has_other_wordings(words: str, variants: list[str]) -> None:
    found = Expansions(RULES).of(words.split())
    assert [" ".join(variant) for variant in found] == variants


def test_wordings_are_few() -> None:
    many = Expansions([Rule("one_way", ["a"], [f"b{n}" for n in range(50)])])
    assert len(many.of(["a"] * 10)) == MAX_VARIANTS
