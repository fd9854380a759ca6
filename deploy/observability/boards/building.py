"""Grafana's objects from the tables of `contents.py`."""

from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import LegendDisplayMode, TooltipDisplayMode

from deploy.observability.boards.contents import Board, Panel

# The data source is chosen on the board.
_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH, _HEIGHT = 12, 8


def text(board: Board) -> str:
    """Return a board as Grafana imports it."""
    built = (
        dashboard.Dashboard(f"Thmanyah: {board.title}")
        .uid(board.uid)
        .tags(["thmanyah"])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("utc")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for panel in board.panels:
        built = built.with_panel(_panel(panel))
    return JSONEncoder(sort_keys=True, indent=1).encode(built.build()) + "\n"


def _panel(panel: Panel) -> timeseries.Panel:
    built = (
        timeseries.Panel()
        .legend(common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .title(panel.title)
        .unit(panel.unit)
        .datasource(_SOURCE)
        .span(_WIDTH)
        .height(_HEIGHT)
    )
    if panel.note:
        built = built.description(panel.note)
    if panel.limit is not None:
        steps = [models.Threshold(None, "green"), models.Threshold(panel.limit, "red")]
        built = built.thresholds(
            dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
        )
    for letter, (legend, expression) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter)
        if expression.startswith("histogram_quantile"):
            # Marks that lead to traces, where there are any (docs/operations.md#traces).
            query = query.exemplar(True)
        built = built.with_target(query)
    return built
