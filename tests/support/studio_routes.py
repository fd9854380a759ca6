"""The addresses of the studio's pages of imports, names and curation. Who may see them is tested with each page."""

_RUN, _SOURCE = "/studio/imports/{run_id:int}", "/studio/imports/sources/{source_id:int}"
_MERGE = "/studio/imports/merges/{proposal_id:int}"
# Pages that also take a form at their own address.
_BOTH = ("/studio/imports/sources", "/studio/imports/conflicts", _SOURCE, f"{_SOURCE}/{{name:str}}")
_READ = ("/studio/imports", "/studio/imports/merges", _RUN, f"{_RUN}/events", f"{_RUN}/errors")
_WRITTEN = (
    *("/studio/imports/address", "/studio/imports/file"),
    *(f"{_RUN}/{step}" for step in ("cancel", "retry", "apply")),
    *(f"{_MERGE}/{step}" for step in ("merge", "dismiss")),
)
_NAMED = ("/studio/names/tags", "/studio/names/people")
_TAXONOMY = ("/studio/names/series", "/studio/names/categories")
_BOTH += tuple(
    f"{path}{rest}" for path in _TAXONOMY for rest in ("", "/{row_id:int}", "/{row_id:int}/delete")
)
_BOTH += tuple(
    f"{path}{rest}" for path in _NAMED for rest in ("", "/{row_id:int}/merge", "/{row_id:int}/delete")
)
_READ += ("/studio/names", *(f"{path}/{{row_id:int}}" for path in _NAMED))
_WRITTEN += tuple(f"{path}/{{row_id:int}}/rename" for path in _NAMED)
_WRITTEN += tuple(f"{path}/{{row_id:int}}/pending" for path in _TAXONOMY)
_COLLECTION = "/studio/curation/collections/{collection_id:int}"
_TRIED = ("pins/{pin_id:int}", "synonyms/{synonym_id:int}")
_BOTH += ("/studio/curation/collections", _COLLECTION, f"{_COLLECTION}/delete")
_BOTH += tuple(f"/studio/curation/{path}{rest}" for path in _TRIED for rest in ("", "/delete"))
_BOTH += ("/studio/curation/pins/new", "/studio/curation/synonyms/new")
_READ += tuple(f"/studio/curation{rest}" for rest in ("", "/pins", "/synonyms", "/searches"))
_WRITTEN += (f"{_COLLECTION}/programs",)
NAMES_OF_THE_STUDIO = (
    *(("GET", path) for path in (*_BOTH, *_READ)),
    *(("POST", path) for path in (*_BOTH, *_WRITTEN)),
)
