"""The templates of pages, cards and texts, and the words that they share; Jinja2 is imported when one is needed."""

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
    """Return a file of the folder templates with its values filled in; what goes into HTML is escaped."""
    return _environment().get_template(template).render(**values)


def between(estimate: Estimate, scale: float = 100.0, digits: int = 1, unit: str = " %") -> str:
    """Return "84.0 to 86.5 %", or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{scale * estimate.low:.{digits}f} to {scale * estimate.high:.{digits}f}{unit}"


def with_interval(estimate: Estimate | None, form: str, bounds: str = "", scale: float = 1.0, unit: str = "") -> str:
    """Return "85.2 % [84.0, 86.5]"; "–" where nothing was measured.

    Value and interval are multiplied by the scale and written in the form, ".1f", the interval in that of the bounds if
    it has its own; the unit stands behind the value.
    """
    if estimate is None:
        return "–"
    value = f"{scale * estimate.value:{form}}{unit}"
    if estimate.low is None or estimate.high is None:
        return value
    bounds = bounds or form
    return f"{value} [{scale * estimate.low:{bounds}}, {scale * estimate.high:{bounds}}]"


def tied(text: str) -> str:
    """Return a text whose signs stay with their numbers, and what was with what is."""
    return text.replace(" %", "\u00a0%").replace(" → ", "\u00a0→\u00a0")


def png_address(image: np.ndarray) -> str:
    """Return a picture, RGB uint8 (H, W, 3), as what an <img> has for its source."""
    from fer.images import encode_png  # here, as it costs a tenth of a second, and the first view has no picture

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
    """Return "85.2 [84.0, 86.5]": the mean, the least and the greatest."""
    three = sum(values) / len(values), min(values), max(values)
    return "{} [{}, {}]".format(*(f"{scale * value:.{digits}f}" for value in three))


def _paragraph(text: str, indent: str = "") -> str:
    """Return a text in lines of equal length, with the end of the last one."""
    words = " ".join(text.split())
    return textwrap.fill(words, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"
