"""What an engine is asked for a search. `service` sends it."""

import re

import msgspec
from msgspec import UNSET

from api.discovery.facets.counting import conditions, of_documents
from api.discovery.narrowing.orders import SORTS
from api.discovery.params import SearchRequest
from api.discovery.searching import highlights
from api.discovery.searching.asking.cursors import sorting
from indexer.engines.document import ListedFields
from indexer.engines.messages import Query

# The attributes of a document that a card needs.
CARD = [field.encode_name for field in msgspec.structs.fields(ListedFields)]
# In the engine's query language, a hyphen before a word excludes the programs with this word.
EXCLUSION = re.compile(r"(?:(?<=\s)|^)-+(?=\S)")
# The engine splits the Arabic article off as a word, and this word matches nearly every Arabic text.
_ARTICLE = re.compile(r"(?<!\w)ال(?=\w\w)")
_EXCLUDED_ARTICLE = re.compile(rf"(?:(?<=\s)|^)-{_ARTICLE.pattern}")


def query_of(request: SearchRequest) -> Query:
    """Return the engine's query of a search: its words, order, filters, facets and highlights.

    The strategy says what becomes of programs that lack some of the words.
    """
    q = _EXCLUDED_ARTICLE.sub("-", request.q) if request.operators else EXCLUSION.sub("", request.q)
    query = Query(q=q, page=request.page, hits_per_page=request.limit, attributes_to_retrieve=CARD)
    order = SORTS[request.sort]
    if order is not None:
        # Sorted by another value than relevance, poor matches would come first. So a program must have all words.
        query.q, query.matching_strategy = _ARTICLE.sub("", q), "all"
        query.sort = [f"{order[0]}:{order[1]}"] if request.cursor is None else sorting(order)
    elif _ARTICLE.match(q.lstrip()):
        # By default the engine drops words from the end until only the article is left, which matches nearly all. With
        # this strategy it drops the most frequent word first: the article.
        query.matching_strategy = "frequency"
    query.filter = conditions(request, request.filters) or UNSET
    query.facets = of_documents(request.facets)
    if request.highlight and request.q:
        query.attributes_to_highlight = ["title", "description"]
        query.attributes_to_crop = ["description:40"]
        query.highlight_pre_tag, query.highlight_post_tag = highlights.OPEN, highlights.CLOSE
    return query
