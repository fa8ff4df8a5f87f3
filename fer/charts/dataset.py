"""How much people agree on the pictures of a data set, as a chart."""

import numpy as np
import plotly.graph_objects as go

from fer.charts.chart import FIRST, PERCENT, Chart, lay_out

BINS = 10


def rater_agreement(shares: np.ndarray) -> Chart:
    """Return how many pictures have how large a share of raters who chose the most frequent label.

    Args:
        shares: float (n,), 0..1, of each picture.
    """
    places = np.clip(np.ceil(np.asarray(shares, float) * BINS - 1e-6).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    names = [f"{100 * place // BINS} to {100 * (place + 1) // BINS}" for place in range(BINS)]
    width = 100 / BINS
    figure = go.Figure(
        go.Bar(
            x=[(place + 0.5) * width for place in range(BINS)],
            y=counts,
            customdata=names,
            marker={"color": FIRST},
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{customdata} % of the raters: %{y:,} pictures<extra></extra>",
        )
    )
    x = PERCENT | {"range": [0, 100], "dtick": 20, "title": "of the raters chose the most frequent label"}
    lay_out(figure, 300, x, {"title": "pictures", "nticks": 5}, bargap=0.15, margin_t=20)
    return Chart(
        "rater-agreement",
        "How much the raters agree",
        "Pictures at the right are clear to people; at the left even people disagree, so no model can please all.",
        figure,
    )
