"""The pages of the editor of one program, for the router of the studio."""

from api.web.studio.editor import decisions, drafting

HANDLERS = [*drafting.HANDLERS, *decisions.HANDLERS]
