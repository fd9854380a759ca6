"""The state that listeners' routes share, and their request type. `api.app` builds the state once for each process."""

from dataclasses import dataclass

from api.answers.state import AnsweringState
from api.discovery.around.chance import Chance
from api.discovery.around.popular import PopularSearches
from api.discovery.around.related import Related
from api.discovery.around.trending import Trending
from api.discovery.counted.asked import Asked
from api.discovery.counted.events import Events
from api.discovery.counted.views import ViewBuffer
from api.discovery.lookups.changes import Changes
from api.discovery.lookups.collections import Collections
from api.discovery.lookups.programs import Programs
from api.discovery.lookups.taxonomy import Taxonomy
from api.discovery.searching.service import Searches
from api.discovery.searching.suggestions import Suggestions
from api.discovery.subjects.service import Subjects
from api.discovery.subjects.values import FacetValues
from api.http.request import ApiRequest


@dataclass(frozen=True, kw_only=True)
class DiscoveryState(AnsweringState):
    """The shared state of all requests, with the services of listeners' routes."""

    searches: Searches
    facet_values: FacetValues
    subjects: Subjects
    suggestions: Suggestions
    programs: Programs
    taxonomy: Taxonomy
    collections: Collections
    changes: Changes
    views: ViewBuffer
    asked: Asked
    events: Events
    related: Related
    trending: Trending
    chance: Chance
    popular_searches: PopularSearches


class DiscoveryRequest(ApiRequest):
    """A request of a listener's route, with the type of its shared state."""

    @property
    def shared(self) -> DiscoveryState:
        """What all requests of this process share."""
        found: DiscoveryState = self.app.state.shared
        return found
