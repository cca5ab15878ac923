"""The page that shows what was found: one HTML file with its pictures inside."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from PIL import Image

from model.exploration.findings import REASONS, Findings
from model.exploration.statistics import CategoryTable, Distribution, category_table
from model.exploration.suspects import Suspect

TEMPLATE = Path(__file__).with_name("page.html")
COLOURS = ("#0072b2", "#b04a00", "#00795b", "#a8487f", "#6b7280", "#7570b3", "#8a6d00", "#4c6a92")
"""Of the classes, again from the front after the last; dark enough for white letters."""
LISTED_CATEGORIES = {1: 40, 2: 40}
"""How many categories of each level the page shows."""
SHOWN_SUSPECTS = 240
SHOWN_GROUPS = 30
GROUP_MEMBERS = 14
"""Pictures of one group that are shown."""
SHOWN_FILES = 200
"""Broken files that are listed."""
JPEG_QUALITY = 82

Thumbnail = Callable[[int], Image.Image]
"""Makes a small copy of the picture at a position."""


def class_colour(number: int) -> str:
    """Colour of a class, as CSS and Pillow write it."""
    return COLOURS[number % len(COLOURS)]


def page(findings: Findings, thumbnail: Thumbnail) -> str:
    """The whole page.

    Args:
        findings: What to show.
        thumbnail: Makes the small pictures.
    """
    title = f"Training set: {findings.gallery.files.folder.resolve().parents[1].name}"
    sections = [
        _facts(findings),
        _classes(findings),
        _sizes(findings),
        _categories(findings),
        _files(findings),
        _duplicates(findings, thumbnail),
        _suspects(findings, thumbnail),
    ]
    text = TEMPLATE.read_text(encoding="utf-8")
    # The title first: what comes from the data is not looked at for marks again.
    return text.replace("{{title}}", escape(title)).replace("{{body}}", "\n".join(sections))


def _facts(findings: Findings) -> str:
    survey = findings.survey
    broken = len(survey.unreadable) + len(survey.truncated)
    facts = {
        "pictures": len(findings.gallery.names),
        "classes": len(findings.gallery.class_names),
        "unreadable or cut short": broken,
        "repeat another picture": sum(len(part) - 1 for part in survey.repeated),
        "suspected labels": len(findings.suspects),
    }
    tiles = "".join(f"<li><b>{value:,}</b>{name}</li>" for name, value in facts.items())
    notes = "".join(f"<p class=faint>{escape(note)}</p>" for note in findings.gallery.notes)
    folder = escape(str(findings.gallery.files.folder))
    return f"<p class=faint>{folder}</p>{notes}<ul class=facts>{tiles}</ul>"


def _classes(findings: Findings) -> str:
    counts = findings.class_counts.tolist()
    total, most = max(1, sum(counts)), max(1, *counts)
    rows = "".join(
        f"<tr><td>{_chip(findings, k)}<td>{count:,}<td>{count / total:.1%}<td class=wide>"
        f'<div class=meter style="--class:{class_colour(k)};width:{100 * count / most:.1f}%"></div>'
        for k, count in enumerate(counts)
    )
    return (
        "<h2>Classes</h2><p>As labelled. The rarest class decides a geometric mean of F1 values as "
        "much as the most frequent one.</p><div class=scroll><table>"
        f"<tr><th>class<th>pictures<th>share<th>{rows}</table></div>"
    )


def _sizes(findings: Findings) -> str:
    plots = "".join(_histogram(name, found) for name, found in findings.sizes.items() if found)
    return f"<h2>Sizes</h2><div class=plots>{plots}</div>"


def _histogram(name: str, found: Distribution) -> str:
    most = max(1, int(found.counts.max()))
    bars = "".join(
        f'<i style="height:{100 * count / most:.1f}%" '
        f'title="{low:,.0f} to {high:,.0f}: {count:,}"></i>'
        for count, low, high in zip(
            found.counts.tolist(), found.edges[:-1].tolist(), found.edges[1:].tolist(), strict=True
        )
    )
    low, middle, high = found.quartiles
    return (
        f"<figure><figcaption>{name}</figcaption>"
        f"<small>median {middle:,.0f}, half between {low:,.0f} and {high:,.0f}, "
        f"mean {found.mean:,.0f}</small><div class=bars>{bars}</div>"
        f"<small class=ends><span>{found.least:,.0f}</span><span>{found.most:,.0f}</span></small>"
        "</figure>"
    )


def _categories(findings: Findings) -> str:
    gallery = findings.gallery
    if not any(gallery.categories):
        return "<h2>Categories and labels</h2><p>This dataset names no product categories.</p>"
    parts = [
        "<h2>Categories and labels</h2><p>Pictures of each class by product category; the darker "
        "a cell, the larger its share of the row.</p>"
    ]
    for level, most in LISTED_CATEGORIES.items():
        table = category_table(
            gallery.categories,
            gallery.labels,
            num_classes=len(gallery.class_names),
            level=level,
            most=most,
        )
        if table.paths:
            parts.append(_category_rows(findings, table, level))
    return "".join(parts)


def _category_rows(findings: Findings, table: CategoryTable, level: int) -> str:
    listed = len(table.paths)
    heading = f"Level {level}: {table.distinct} categories" + (
        f", the {listed} most frequent" if listed < table.distinct else ""
    )
    head = "".join(f"<th>{_chip(findings, k)}" for k in range(table.counts.shape[1]))
    rows = [
        (" › ".join(path), counts)
        for path, counts in zip(table.paths, table.counts.tolist(), strict=True)
    ]
    if listed < table.distinct:
        rows.append(("all others", table.others.tolist()))
    body = "".join(
        f"<tr><td>{escape(name)}{_heat(counts)}<td>{sum(counts):,}" for name, counts in rows
    )
    return (
        f"<h3>{heading}</h3><div class=scroll><table><tr><th>category{head}<th>all{body}"
        "</table></div>"
    )


def _heat(counts: Sequence[int]) -> str:
    total = max(1, sum(counts))
    return "".join(
        f'<td class=heat style="--share:{count / total:.3f}" title="{count / total:.1%}">{count:,}'
        for count in counts
    )


def _files(findings: Findings) -> str:
    survey = findings.survey
    kinds = {"unreadable": survey.unreadable, "cut short": survey.truncated}
    rows = [
        f"<tr><td><code>{escape(name)}</code><td class=text>{kind}<td class=text>{escape(reason)}"
        for kind, faults in kinds.items()
        for name, reason in faults.items()
    ]
    if not rows:
        return "<h2>Files</h2><p>Every picture can be read to its end.</p>"
    hidden = f"<p class=faint>and {len(rows) - SHOWN_FILES:,} more</p>" * (len(rows) > SHOWN_FILES)
    return (
        f"<h2>Files</h2><p>{len(survey.unreadable):,} pictures cannot be read and do not train; "
        f"{len(survey.truncated):,} are cut short and are used as far as they go.</p>"
        f"<div class=scroll><table><tr><th>file<th class=text>damage<th class=text>reason"
        f"{''.join(rows[:SHOWN_FILES])}</table></div>{hidden}"
    )


def _duplicates(findings: Findings, thumbnail: Thumbnail) -> str:
    quarrels, repeated = findings.quarrels, findings.survey.repeated
    quarrelling = {int(part[0]) for part in quarrels}
    ordered = [*quarrels, *(part for part in repeated if int(part[0]) not in quarrelling)]
    strips = "".join(
        "<div class=group>"
        + "".join(_card(findings, thumbnail, i) for i in part[:GROUP_MEMBERS].tolist())
        + (
            f"<small>and {len(part) - GROUP_MEMBERS} more</small>"
            if len(part) > GROUP_MEMBERS
            else ""
        )
        + "</div>"
        for part in ordered[:SHOWN_GROUPS]
    )
    shown = min(len(ordered), SHOWN_GROUPS)
    return (
        f"<h2>Near-duplicates</h2><p>{len(repeated):,} groups of pictures look alike; in "
        f"{len(quarrels):,} of them the labels differ. Cross-validation keeps each group in one "
        f"fold.{f' Shown: {shown}, those with different labels first.' if shown else ''}</p>"
        f"<div class=groups>{strips}</div>"
    )


def _suspects(findings: Findings, thumbnail: Thumbnail) -> str:
    shown = findings.suspects[:SHOWN_SUSPECTS]
    source = (
        f"judged by <code>{escape(findings.judged_by)}</code>"
        if findings.judged_by
        else "without predictions; a training with folds leaves an <code>out_of_fold.csv</code>, "
        "and <code>--oof</code> takes it"
    )
    head = (
        f"<h2>Suspected labels</h2><p>{len(findings.suspects):,} labels, {source}. "
        "Below each picture: given → suggested.</p>"
    )
    if not shown:
        return head
    cards = "".join(_card(findings, thumbnail, suspect.position, suspect) for suspect in shown)
    return (
        f"{head}<p class=faint>Shown: {len(shown):,}; all are in <code>corrections.csv</code>. "
        "Answer here or there, then train with <code>--labels corrections.csv</code>.</p>"
        f"<section><div class=cards>{cards}</div>"
        "<div class=desk><button id=save class=main>Save corrections.csv</button>"
        "<button id=accept>Accept all suggestions shown</button><button id=clear>Clear</button>"
        "<span id=tally class=faint></span></div></section>"
    )


def _card(
    findings: Findings, thumbnail: Thumbnail, position: int, suspect: Suspect | None = None
) -> str:
    gallery = findings.gallery
    name = escape(gallery.names[position], quote=True)
    category = escape(" › ".join(filter(None, gallery.categories[position][:2])))
    label = _chip(findings, int(gallery.labels[position]))
    judgement = ""
    if suspect:
        better = "?" if suspect.suggested is None else _chip(findings, suspect.suggested)
        label = f"{label} → {better}"
        reason = escape(REASONS[suspect.reason], quote=True)
        judgement = f'<small title="{reason}">{suspect.reason}, trust {suspect.score:.3f}</small>'
        judgement += _choice(findings, suspect, name)
    return (
        f'<div class=card><img loading=lazy alt="" src="{_data_uri(thumbnail(position))}">'
        f'<div>{label}</div><div class=name title="{name}"><bdi>{name}</bdi></div>'
        f"<small>{category}</small>{judgement}</div>"
    )


def _choice(findings: Findings, suspect: Suspect, name: str) -> str:
    names = findings.gallery.class_names
    options = [
        ("", "leave as it is"),
        *((str(k), f"{k} {names[k]}") for k in _ordered(suspect, len(names))),
    ]
    options.append(("drop", "drop the picture"))
    suggested = "" if suspect.suggested is None else suspect.suggested
    return (
        f'<select aria-label="answer" data-name="{name}" data-given="{suspect.given}" '
        f'data-suggested="{suggested}" data-score="{suspect.score:.4f}">'
        + "".join(f'<option value="{value}">{escape(text)}' for value, text in options)
        + "</select>"
    )


def _ordered(suspect: Suspect, num_classes: int) -> Iterable[int]:
    """Classes with the suggested one first."""
    return sorted(range(num_classes), key=lambda k: k != suspect.suggested)


def _chip(findings: Findings, number: int) -> str:
    name = escape(findings.gallery.class_names[number])
    return f'<span class=chip style="--class:{class_colour(number)}">{number} {name}</span>'


def _data_uri(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
