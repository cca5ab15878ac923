"""All that was found out about a training set, and its short form for a terminal."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.exploration.statistics import Distribution, category_table, distribution
from model.exploration.survey import Gallery, Survey
from model.exploration.suspects import CATEGORY, DUPLICATE, MODEL, Suspect

LISTED_CATEGORIES = 12
"""Categories of a level that the terminal shows."""
REASONS = {
    MODEL: "held-out predictions contradict the label",
    DUPLICATE: "a near-duplicate has another label",
    CATEGORY: "the class is next to unheard of in the product category",
}


@dataclass(frozen=True, eq=False)
class Findings:
    """What is told on the page and in the terminal."""

    gallery: Gallery
    survey: Survey
    suspects: list[Suspect]
    """By reason, the worst of each reason first."""
    judged_by: str
    """Name of the table of predictions; empty if there was none."""

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Pictures of each class, int [K]."""
        return np.bincount(self.gallery.labels, minlength=len(self.gallery.class_names))

    @property
    def quarrels(self) -> list[NDArray[np.int64]]:
        """Groups of near-duplicates that do not all have the same label."""
        labels = self.gallery.labels
        return [part for part in self.survey.repeated if len(np.unique(labels[part])) > 1]

    @property
    def sizes(self) -> dict[str, Distribution | None]:
        """Distribution of width, height and size of the file, by what it is called."""
        return {
            "width, pixels": distribution(self.survey.widths),
            "height, pixels": distribution(self.survey.heights),
            "file, bytes": distribution(self.survey.octets),
        }


def terminal_lines(findings: Findings) -> list[str]:
    """The findings as plain lines."""
    gallery, survey = findings.gallery, findings.survey
    total = len(gallery.names)
    lines = [f"{total} pictures in {gallery.files.folder}", *gallery.notes, "", "Classes"]
    lines += _class_lines(findings)
    lines += [
        "",
        "Sizes           least   a quarter      median        mean  three quarters   most",
    ]
    lines += [_size_line(name, found) for name, found in findings.sizes.items() if found]
    lines += _category_lines(gallery)
    repeated = survey.repeated
    copies = sum(len(part) - 1 for part in repeated)
    lines += [
        "",
        f"Unreadable files: {len(survey.unreadable)}; cut short: {len(survey.truncated)}",
        f"Near-duplicates: {copies} pictures repeat another one, in {len(repeated)} groups; "
        f"{len(findings.quarrels)} groups have different labels",
        f"Suspected labels: {len(findings.suspects)}"
        + (f", judged by {findings.judged_by}" if findings.judged_by else ""),
    ]
    for reason, sentence in REASONS.items():
        count = sum(suspect.reason == reason for suspect in findings.suspects)
        if count:
            lines.append(f"  {count} because {sentence}")
    return lines


def padded(text: str, width: int) -> str:
    """The text with spaces up to `width` columns of a terminal, in which Korean takes two each."""
    taken = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(0, width - taken)


def _class_lines(findings: Findings) -> list[str]:
    counts = findings.class_counts.tolist()
    total, most = max(1, sum(counts)), max(1, *counts)
    return [
        f"  {number} {padded(name, 18)} {count:>8} {count / total:>7.1%} "
        + "█" * round(30 * count / most)
        for number, (name, count) in enumerate(
            zip(findings.gallery.class_names, counts, strict=True)
        )
    ]


def _size_line(name: str, found: Distribution) -> str:
    values = (found.least, *found.quartiles[:2], found.mean, found.quartiles[2], found.most)
    return f"  {name:<14}" + "".join(f"{value:>12,.0f}" for value in values)


def _category_lines(gallery: Gallery) -> list[str]:
    if not any(gallery.categories):
        return ["", "No product categories."]
    classes = len(gallery.class_names)
    table = category_table(
        gallery.categories, gallery.labels, num_classes=classes, level=1, most=LISTED_CATEGORIES
    )
    lines = ["", "Categories" + " " * 12 + _cells([str(k) for k in range(classes)])]
    for path, counts in zip(table.paths, table.counts.tolist(), strict=True):
        lines.append(f"  {padded(path[0], 20)}{_cells(counts)}")
    if table.distinct > len(table.paths):
        lines.append(f"  {padded('others', 20)}{_cells(table.others.tolist())}")
    return lines


def _cells(values: Sequence[object]) -> str:
    return "".join(f"{value!s:>9}" for value in values)
