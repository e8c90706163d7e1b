"""How each command is run among canaries: where, with what, and how it may end.

Every command has its recipe, and every option that takes a file is in one. What an option such as
`--format` chooses from is asked of click: each value is a run of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.introspection import Command

from .stems import TEXT


class Place(StrEnum):
    """The directory in which a command is run; each run has a copy of its own."""

    PLANNED = "planned"  # applied once, changed by others and in the files since, and planned
    MISTAKEN = "mistaken"  # private values stand where they are mistakes
    UNDECLARED = "undeclared"  # a project without devices
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to run a command. To the files `holds` it writes what is declared, as it must."""

    arguments: tuple[str, ...] = ()
    place: Place = Place.PLANNED
    exit: int = 0
    prints: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    faulty: bool = False  # the service fails in many ways meanwhile
    silent: bool = False  # nothing stands on stdout, at least in some formats
    serves: bool = False  # it is stopped once it has said where it listens


# With these every command is run.
_ALWAYS: Final = {"-C"}
# Some scenarios are mistakes that only the live state shows: a plan of all of them ends with 1.
_PLANNED: Final = 1
RECIPES: Final[Mapping[str, tuple[Recipe, ...]]] = {
    # The program itself: options before the command.
    "": (
        Recipe(("plan",), exit=_PLANNED),
        Recipe(("validate",), Place.MISTAKEN, exit=1),
        Recipe(("--config", "reconciler.yaml", "drift")),
    ),
    "init": (Recipe(place=Place.EMPTY),),
    "validate": (Recipe(silent=True), Recipe(place=Place.MISTAKEN, exit=1)),
    "fmt": (
        Recipe(
            ("devices/a.yaml", "outside.yaml", "--diff"),
            Place.MISTAKEN,
            prints=("+++ b/", "/devices/a.yaml\n", "/outside.yaml\n"),
        ),
        Recipe(holds=("reconciler.yaml", "devices/*", "people/*")),
    ),
    "plan": (
        Recipe(("-o", "other.json"), exit=_PLANNED),
        Recipe(("--read", "sweep", "--select", f"contact={TEXT}*"), exit=_PLANNED),
        Recipe(
            ("--write-patch", "gone.patch", "--write-consent", "consent.yaml"),
            exit=_PLANNED,
        ),
        Recipe(place=Place.MISTAKEN, exit=1, silent=True),
    ),
    "show": (Recipe(("plan.json",)),),
    "apply": (Recipe(("plan.json", "--report", "report.json"), exit=3, faulty=True),),
    "drift": (Recipe(), Recipe(("--events", "events.jsonl"))),
    "import": tuple(
        Recipe(("--application", name, "-o", "devices"), Place.UNDECLARED, holds=("devices/*",))
        for name in ("courier", "shop")
    ),
    "state init": (Recipe(place=Place.UNDECLARED),),
    "state list": (Recipe(),),
    "state show": (Recipe(("both-moved.phone-1",)),),
    "state pull": (Recipe(), Recipe(("-o", "pulled.json"), silent=True)),
    "state push": (Recipe(("state.json", "--force")),),
    "state migrate": (Recipe(), Recipe(("--to", "moved/state.db"))),
    "state forget": (Recipe(("both-moved.phone-1", "--yes")),),
    "state unlock": (Recipe(("--yes",)),),
    "sandbox": (Recipe(("--world", "world.json"), serves=True),),
    # Its world is its own, and its commands are those above: what it could show is what is there.
    "demo": (Recipe(("--directory", "devices"), exit=1, silent=True),),
    "explain": (Recipe(("E208",)), Recipe(())),
    "doctor": (Recipe(), Recipe(place=Place.MISTAKEN, exit=1)),
    "schema": (Recipe(place=Place.EMPTY),),
    "completion": (Recipe(place=Place.EMPTY),),
    "version": (Recipe(place=Place.EMPTY),),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What is typed, by which recipe."""

    arguments: tuple[str, ...]
    recipe: Recipe


def runs(command: Command, recipes: Mapping[str, tuple[Recipe, ...]] = RECIPES) -> Iterator[Run]:
    """Yield every run of a command: its recipes, each with every value that can be chosen."""
    choices = command.choices
    for recipe in recipes.get(command.name, ()):
        required = {one.parameter: one.values[:1] for one in choices if one.required}
        chosen = [one for one in choices if one.parameter not in recipe.arguments]
        variants = [
            {**required, choice.parameter: (value,)} for choice in chosen for value in choice.values
        ]
        by_name = {choice.parameter: choice for choice in choices}
        for variant in variants or [required]:
            typed = [
                word
                for parameter, values in variant.items()
                for value in values
                for word in by_name[parameter].typed(value)
            ]
            yield Run(_whole(command, recipe, typed), recipe)


def _whole(command: Command, recipe: Recipe, typed: Iterable[str]) -> tuple[str, ...]:
    if not command.path:
        return (*typed, *recipe.arguments)
    return (*command.path, *recipe.arguments, *typed)


def without_recipe(
    commands: Iterable[Command], recipes: Mapping[str, tuple[Recipe, ...]] = RECIPES
) -> list[str]:
    """Return what the search would not come by, or no longer finds, and what to do about it."""
    where = "tests/canary/recipes.py"
    known = {one.name: one for one in commands if not one.is_group or not one.path}
    lost = [
        f"`reconciler {name}` is in no recipe: "
        f"say in RECIPES of {where} how it is run among canaries"
        for name in known
        if name not in recipes
    ]
    lost += [
        f"RECIPES of {where} has {name!r}, which is no command"
        for name in recipes
        if name not in known
    ]
    for name, command in known.items():
        used = _ALWAYS | {word for recipe in recipes.get(name, ()) for word in recipe.arguments}
        lost += [
            f"`reconciler {name} {option}` takes a file and is in no recipe: "
            f"add one that writes or reads it to RECIPES[{name!r}] of {where}"
            for option, spellings in command.file_options.items()
            if name in recipes and not used & set(spellings)
        ]
    return lost
