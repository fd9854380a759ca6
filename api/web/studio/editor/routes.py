"""The pages of the editor of one program, for the router of the studio."""

from api.web.studio.editor import decisions, disputes, drafting, history, pickers, preview, talk
from api.web.studio.editor.media import handlers as media
from api.web.studio.editor.presence import handlers as presence

HANDLERS = [
    *drafting.HANDLERS,
    *decisions.HANDLERS,
    *preview.HANDLERS,
    *disputes.HANDLERS,
    *history.HANDLERS,
    *talk.HANDLERS,
    *pickers.HANDLERS,
    *presence.HANDLERS,
    *media.HANDLERS,
]
