"""A report for the terminal: a table of classes and splits, and a few lines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer.datasets.report import DatasetReport

_BROKEN_SHOWN = 5


def write(report: "DatasetReport") -> str:
    """Return the text of a report, in lines."""
    lines = [f"{report.name}: {report.pictures:,} pictures", "", *_table(report), ""]
    if report.sizes:
        smallest, median, largest = (
            f"{width}×{height}" for width, height in (report.sizes.smallest, report.sizes.median, report.sizes.largest)
        )
        size = smallest if smallest == largest else f"{smallest} to {largest}, median {median}"
        lines.append(f"size      {size} pixels; {report.sizes.gray:,} gray, {report.sizes.colour:,} in colour")
    if report.subjects:
        people = ", ".join(f"{split} {count}" for split, count in report.subjects.items())
        lines.append(f"people    {people}; {report.subjects_across} on more than one side")
    lines.append(f"copies    {report.copies.within:,} pairs within a split, {report.copies.across:,} across splits")
    lines += [f"          {one} = {other}" for one, other in report.copies.examples]
    lines += [f"broken    {text}" for text in report.broken[:_BROKEN_SHOWN]]
    if len(report.broken) > _BROKEN_SHOWN:
        lines.append(f"broken    and {len(report.broken) - _BROKEN_SHOWN} more")
    lines += [f"note      {text}" for text in report.notes]
    lines += [f"warning   {text}" for text in report.warnings]
    return "\n".join(lines)


def _table(report: "DatasetReport") -> list[str]:
    """Return a line for each class, with a column for each split and their sum, and lines for the two rules."""
    splits = list(report.rules["argmax"])
    rows = [(label, [by_split[split] for split in splits]) for label, by_split in report.counts.items()]
    total = ("total", [report.rules["argmax"][split] for split in splits])
    extra = [total]
    if report.is_rated:
        extra.append(("majority of raters", [report.rules["majority"][split] for split in splits]))
    width = max(len(name) for name, _ in (*rows, *extra))
    head = f"{'':{width}}" + "".join(f"{split:>12}" for split in (*splits, "all"))

    def line(name: str, numbers: list[int]) -> str:
        return f"{name:{width}}" + "".join(f"{number:12,}" for number in (*numbers, sum(numbers)))

    return [head, *(line(*row) for row in rows), "-" * len(head), *(line(*row) for row in extra)]
