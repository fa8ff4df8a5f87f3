"""The templates of pages, cards and texts, with their filters; Jinja2 is imported on first use."""

import base64
import textwrap
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fer.evaluation.figures import Estimate
from fer.faces import percent
from fer.labels import color_of
from fer.names import literal

if TYPE_CHECKING:
    from jinja2 import Environment

_WIDTH = 118


def render(template: str, **values: Any) -> str:
    """Render a file of the templates folder; values in HTML are escaped."""
    return _environment().get_template(template).render(**values)


def between(estimate: Estimate, scale: float = 100.0, digits: int = 1, unit: str = " %") -> str:
    """Return "84.0 to 86.5 %", or nothing without an interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{scale * estimate.low:.{digits}f} to {scale * estimate.high:.{digits}f}{unit}"


def with_interval(estimate: Estimate | None, form: str, bounds: str = "", scale: float = 1.0, unit: str = "") -> str:
    """Return "85.2 % [84.0, 86.5]"; "–" for None.

    Value and interval are multiplied by `scale` and formatted with `form`, such as ".1f", the interval with `bounds` if
    given; the unit follows the value.
    """
    if estimate is None:
        return "–"
    value = f"{scale * estimate.value:{form}}{unit}"
    if estimate.low is None or estimate.high is None:
        return value
    bounds = bounds or form
    return f"{value} [{scale * estimate.low:{bounds}}, {scale * estimate.high:{bounds}}]"


def tied(text: str) -> str:
    """Replace spaces before percent signs and around arrows by non-breaking ones."""
    return text.replace(" %", "\u00a0%").replace(" → ", "\u00a0→\u00a0")


def png_address(image: np.ndarray) -> str:
    """Return a picture, RGB uint8 (H, W, 3), as a data URL for an <img>."""
    from fer.images import encode_png  # imported here: it takes a tenth of a second, and the first view has no picture

    return f"data:image/png;base64,{base64.b64encode(encode_png(np.ascontiguousarray(image))).decode()}"


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("fer.reports"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "color": color_of,
        "literal": literal,
        "count": lambda number: f"{number:,}",
        "over_seeds": _over_seeds,
        "number": lambda value, digits: "–" if value is None else f"{value:.{digits}f}",
        "paragraph": _paragraph,
        "percent": percent,
        "png": png_address,
        "tied": tied,
        # Figures with their intervals:
        "share": partial(with_interval, form=".1f", scale=100, unit=" %"),
        "points": partial(with_interval, form="+.1f", scale=100),
        "ratio": partial(with_interval, form=".2f"),
        "exact": partial(with_interval, form=".4f", bounds=".3f"),
        "difference": partial(with_interval, form="+.4f", bounds="+.3f"),
    }
    return environment


def _over_seeds(values: tuple[float, ...], digits: int, scale: float = 1.0) -> str:
    """Return "85.2 [84.0, 86.5]": the mean, the minimum and the maximum."""
    three = sum(values) / len(values), min(values), max(values)
    return "{} [{}, {}]".format(*(f"{scale * value:.{digits}f}" for value in three))


def _paragraph(text: str, indent: str = "") -> str:
    """Wrap a text into lines of equal width, ending with a newline."""
    words = " ".join(text.split())
    return textwrap.fill(words, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"
