"""A program as listeners would see it: the draft, or what publishing the pending revision would make."""

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.editorial.review import autosave
from api.editorial.review import programs as pending
from api.editorial.schemas import EditorAnswer
from api.http.parameters import Id
from api.http.schemas import ProgramData, ProgramDetail
from api.web.rendering.locales import LANGUAGES, locale
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page
from api.web.studio.editor import pages, telling
from catalog.review.states import LIVE


async def _shown(request: StaffRequest, program_id: int) -> ProgramDetail:
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    if answer.pending is not None and answer.data.status in LIVE:
        route = pending.preview_pending_program
        return (await ask(request, route, ProgramData, row_id=answer.data.id)).data
    program: ProgramDetail = answer.data
    if program.category is not None:
        # Listeners do not see a category that is not active.
        active = {one.id for one in await telling.categories(request) if one.is_active}
        if program.category.id not in active:
            program.category = None
    return program


@get("/programs/{program_id:int}/preview/{language:str}")
async def preview(request: StaffRequest, program_id: Id, language: FromPath[str]) -> Response[bytes]:
    """Return the listeners' page of a program in a language, with a word that it is a preview.

    Raises:
        NotFoundException: There are no pages in this language.
    """
    if language not in LANGUAGES:
        raise NotFoundException
    program = await _shown(request, program_id)
    context = {
        # Without a number, what is played here is counted for no program and remembered for none.
        "program": msgspec.structs.replace(program, id=0),
        "editor": pages.address(program_id),
        "beside": None,
        "before": None,
        "after": None,
        "in_series": [],
        "others": [],
    }
    answer = page(
        request,
        "studio/editor_preview.html",
        context,
        language=locale(language),
        address=lambda links: f"{pages.address(program_id)}/preview{links.home}",
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


HANDLERS = [preview]
