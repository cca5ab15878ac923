"""Every drawing by name.

A look is a drawing function with one argument besides the canvas: the evidence, 0..1, for the
named class. Only the borderline looks use it; the others are plain to see.
"""

from __future__ import annotations

from collections.abc import Callable

from review_synthesis import (
    bare_skin,
    food,
    goods,
    palette,
    people,
    prints,
    rooms,
    surroundings,
)
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import ellipse

Draw = Callable[[Canvas, float], None]


def _person(
    canvas: Canvas, height: tuple[float, float], top: tuple[float, float], bag: bool
) -> None:
    rng = canvas.rng
    tall = rng.uniform(*height)
    tone = palette.skin_tone(rng)
    body = people.Body(rng.normal(0, 0.15), rng.uniform(*top) * tall, tall, tone)
    people.draw_person(canvas, body, bag=bag)


def full_figure(canvas: Canvas, _: float) -> None:
    """Somebody from head to foot, at home or outdoors."""
    if canvas.rng.random() < 0.7:
        surroundings.draw_room(canvas, canvas.rng.uniform(0.3, 0.7))
        if canvas.rng.random() < 0.4:
            rooms.draw_plant(canvas, canvas.rng.choice([-0.8, 0.8]), 0.7)
    else:
        prints.draw_street(canvas)
    _person(canvas, (1.6, 2.3), (-0.52, -0.45), bool(canvas.rng.random() < 0.2))


def upper_body(canvas: Canvas, _: float) -> None:
    """Somebody from the chin to the hips."""
    surroundings.draw_room(canvas, canvas.rng.uniform(0.4, 1.2))
    _person(canvas, (3.2, 4.8), (-0.38, -0.26), bool(canvas.rng.random() < 0.15))


def lower_body(canvas: Canvas, _: float) -> None:
    """Somebody from the hips down."""
    surroundings.draw_room(canvas, canvas.rng.uniform(-0.2, 0.4))
    _person(canvas, (2.8, 4.0), (-0.82, -0.68), False)


def with_bag(canvas: Canvas, _: float) -> None:
    """Somebody with a bag."""
    surroundings.draw_room(canvas, canvas.rng.uniform(0.3, 0.9))
    _person(canvas, (2.0, 4.0), (-0.48, -0.38), True)


def child(canvas: Canvas, _: float) -> None:
    """A child, nearer the ground, large head."""
    surroundings.draw_room(canvas, canvas.rng.uniform(-0.3, 0.5))
    if canvas.rng.random() < 0.4:
        rooms.draw_rug(canvas, 0.75)
    _person(canvas, (1.2, 1.7), (-0.4, -0.3), False)


def feet(canvas: Canvas, _: float) -> None:
    """Shoes on feet."""
    surroundings.draw_table_top(canvas)
    people.draw_feet(canvas)


def portrait(canvas: Canvas, _: float) -> None:
    """A head with hat or glasses."""
    surroundings.draw_room(canvas, 1.3)
    people.draw_portrait(canvas)


def wrist(canvas: Canvas, _: float) -> None:
    """A watch or bracelet on an arm."""
    surroundings.draw_table_top(canvas)
    people.draw_wrist(canvas)


def dressed_pet(canvas: Canvas, _: float) -> None:
    """A pet that wears something."""
    surroundings.draw_room(canvas, canvas.rng.uniform(0.1, 0.6))
    people.draw_pet(canvas, dressed=True)


def plain_pet(canvas: Canvas, _: float) -> None:
    """A pet that wears nothing."""
    surroundings.draw_room(canvas, canvas.rng.uniform(0.1, 0.6))
    people.draw_pet(canvas, dressed=False)


def _room_with(*pieces: Callable[[Canvas, float], None]) -> Draw:
    """A furnished room around one of the pieces."""

    def draw(canvas: Canvas, _: float) -> None:
        rng = canvas.rng
        horizon = rng.uniform(0.1, 0.5)
        surroundings.draw_room(canvas, horizon)
        if rng.random() < 0.45:
            rooms.draw_window(canvas, horizon)
        elif rng.random() < 0.6:
            rooms.draw_wall_piece(canvas)
        if rng.random() < 0.4:
            rooms.draw_rug(canvas, horizon + 0.3)
        base = horizon + rng.uniform(0.1, 0.35)
        pieces[rng.integers(len(pieces))](canvas, base)
        if rng.random() < 0.35:
            rooms.draw_plant(canvas, rng.choice([-1, 1]) * rng.uniform(0.7, 1.0), base + 0.1)

    return draw


def curtains(canvas: Canvas, _: float) -> None:
    """Curtains, a blind or a lamp in place."""
    horizon = canvas.rng.uniform(0.5, 1.0)
    surroundings.draw_room(canvas, horizon)
    rooms.draw_window(canvas, horizon)
    if canvas.rng.random() < 0.4:
        rooms.draw_wall_piece(canvas)


def rug(canvas: Canvas, _: float) -> None:
    """A rug or mat on the floor of a room."""
    horizon = canvas.rng.uniform(-0.5, 0.0)
    surroundings.draw_room(canvas, horizon)
    if canvas.rng.random() < 0.5:
        rooms.draw_sofa(canvas, horizon + 0.2)
    rooms.draw_rug(canvas, horizon + canvas.rng.uniform(0.5, 0.8))


def _on_table(paint: Callable[[Canvas], None], clutter: int = 3) -> Draw:
    """Something photographed on a table, bed or floor."""

    def draw(canvas: Canvas, _: float) -> None:
        surroundings.draw_table_top(canvas)
        surroundings.draw_clutter(canvas, int(canvas.rng.integers(0, clutter + 1)))
        paint(canvas)

    return draw


def _bare(paint: Callable[[Canvas], None]) -> Draw:
    """Something that fills the picture by itself."""

    def draw(canvas: Canvas, _: float) -> None:
        paint(canvas)

    return draw


def _on_wall(paint: Callable[[Canvas], None]) -> Draw:
    """Something in front of a wall."""

    def draw(canvas: Canvas, _: float) -> None:
        surroundings.draw_room(canvas, canvas.rng.uniform(0.7, 1.3))
        paint(canvas)

    return draw


def one_plate(canvas: Canvas) -> None:
    """One served plate or bowl."""
    rng = canvas.rng
    center = (rng.normal(0, 0.1), rng.normal(0.05, 0.1))
    food.draw_plate(canvas, center, rng.uniform(0.6, 1.0), rng.uniform(0.55, 1.0))


def meat_on_plate(canvas: Canvas) -> None:
    """Raw food on a plate: not finished, although it is served like a dish."""
    ware = food.crockery(canvas)
    size = canvas.rng.uniform(0.7, 0.95)
    canvas.shadow(ellipse((0.04, 0.06), (size, size * 0.9)), 0.45, 0.1)
    canvas.fill(ellipse((0.0, 0.0), (size, size * 0.9)), ware)
    food.draw_raw(canvas)


def room_part(canvas: Canvas, settled: float) -> None:
    """Furniture close up: in its place (evidence 1) or just unpacked (0)."""
    rng = canvas.rng
    horizon = rng.uniform(0.2, 0.9)
    if rng.random() < 0.25 + 0.7 * settled:
        surroundings.draw_room(canvas, horizon)
    else:
        surroundings.draw_table_top(canvas)
    pieces = (rooms.draw_shelf, rooms.draw_table, rooms.draw_sofa)
    pieces[rng.integers(len(pieces))](canvas, horizon + rng.uniform(0.1, 0.5))
    if rng.random() > 0.35 + 0.6 * settled:
        goods.draw_planks(canvas)
    if rng.random() < 0.6 * settled:
        rooms.draw_plant(canvas, rng.choice([-0.85, 0.85]), horizon + 0.2)


def food_tray(canvas: Canvas, cooked: float) -> None:
    """Food in a tray: ready to eat (evidence 1) or raw (0)."""
    surroundings.draw_table_top(canvas)
    food.draw_tray(canvas, cooked)


LOOKS: dict[str, Draw] = {
    "full_figure": full_figure,
    "upper_body": upper_body,
    "lower_body": lower_body,
    "with_bag": with_bag,
    "child": child,
    "feet": feet,
    "portrait": portrait,
    "wrist": wrist,
    "dressed_pet": dressed_pet,
    "plain_pet": plain_pet,
    "living_room": _room_with(rooms.draw_sofa, rooms.draw_table),
    "bedroom": _room_with(rooms.draw_bed),
    "study": _room_with(rooms.draw_shelf, rooms.draw_table),
    "small_house": _room_with(rooms.draw_small_house),
    "home_gym": _room_with(rooms.draw_machine, rooms.draw_small_house),
    "curtains": curtains,
    "rug": rug,
    "arm_swatch": _on_table(bare_skin.draw_arm_swatch, 1),
    "hand_swatch": _on_table(bare_skin.draw_hand_swatch, 1),
    "nails": _on_table(bare_skin.draw_nails, 1),
    "lips": _bare(bare_skin.draw_lips),
    "plate": _on_table(one_plate),
    "table_spread": _on_table(food.draw_table_spread, 1),
    "pan": _on_table(food.draw_pan, 1),
    "carton": _on_table(goods.draw_carton),
    "pack": _on_table(goods.draw_pack),
    "cosmetics": _on_table(goods.draw_cosmetics),
    "flat_garment": _on_table(lambda canvas: goods.draw_flat_garment(canvas, hanging=False), 1),
    "hanging_garment": _on_wall(lambda canvas: goods.draw_flat_garment(canvas, hanging=True)),
    "shoe_pair": _on_table(goods.draw_shoe_pair),
    "bag": _on_table(goods.draw_bag),
    "planks": _on_table(goods.draw_planks),
    "folded_cloth": _on_table(goods.draw_folded_cloth),
    "held": _on_wall(goods.draw_held),
    "raw": _on_table(food.draw_raw),
    "meat_on_plate": _on_table(meat_on_plate),
    "print_close": _bare(prints.draw_print_close),
    "receipt": _on_table(prints.draw_receipt),
    "screenshot": _bare(prints.draw_screenshot),
    "blur": _bare(prints.draw_blur),
    "street": _bare(prints.draw_street),
    "cloth_close": goods.draw_cloth_close,
    "room_part": room_part,
    "smear": bare_skin.draw_smear,
    "food_tray": food_tray,
}
"""Every drawing by name."""
