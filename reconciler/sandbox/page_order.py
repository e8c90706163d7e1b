"""Keep the sort order of people on pages from call to call, so that no page sorts everybody."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence

from reconciler.platform.lookups import order_key
from reconciler.platform.world import Person, World


class PageOrder:
    """The people of one world by each field; sorted when first asked for.

    The order by `createdAt` is then kept up to date call by call, the others are sorted again.
    """

    def __init__(
        self,
        world: World,
        shows: Callable[[Person], bool],
        by_creation: Sequence[int] | None = None,
    ) -> None:
        """`by_creation` is the order by createdAt of those shown, where it is known already."""
        self._world = world
        self._shows = shows
        self._by_creation = None if by_creation is None else list(by_creation)
        self._others: dict[str, Sequence[int]] = {}

    @property
    def world(self) -> World:
        return self._world

    def sorted_by(self, order_by: str) -> Sequence[int]:
        """Return the numbers of the people shown, ascending by a field."""
        if order_by == "createdAt":
            if self._by_creation is None:
                self._by_creation = self._sorted(order_by)
            return self._by_creation
        if order_by not in self._others:
            self._others[order_by] = self._sorted(order_by)
        return self._others[order_by]

    def advance(self, world: World, numbers: Collection[int]) -> None:
        """Go on to a world in which only the people of these numbers came, went or differ."""
        before, self._world = self._world, world
        self._others.clear()
        if self._by_creation is None:
            return
        changes = [
            (number, self._person_shown(before, number), self._person_shown(world, number))
            for number in numbers
        ]
        moved = [change for change in changes if not _stands_alike(*change[1:])]
        for _, old, _ in moved:
            if old is not None:
                del self._by_creation[_find_index(self._by_creation, old, before)]
        for number, _, new in moved:
            if new is not None:
                self._by_creation.insert(_find_index(self._by_creation, new, world), number)

    def _person_shown(self, world: World, number: int) -> Person | None:
        person = world.people.get(number)
        return person if person is not None and self._shows(person) else None

    def _sorted(self, order_by: str) -> list[int]:
        people = self._world.people.values()
        keys = [order_key(person, order_by) for person in people if self._shows(person)]
        keys.sort()
        return [number for _, number in keys]


def _stands_alike(old: Person | None, new: Person | None) -> bool:
    if old is None or new is None:
        return old is new
    return old.created_at == new.created_at


def _find_index(order: Sequence[int], person: Person, world: World) -> int:
    def key(number: int) -> tuple[str, int]:
        return order_key(world.people[number], "createdAt")

    return bisect_left(order, key(person.number), key=key)
