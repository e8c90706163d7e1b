"""Tests of the program beside this file, against the simulated service; run with pytest."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from release import release, release_in_time

import reconciler

HERE = Path(__file__).parent


@pytest.fixture
def fleets(tmp_path: Path) -> Path:
    """Copies of both projects: each keeps its state in its own directory."""
    for name in ("couriers", "shops"):
        shutil.copytree(HERE / name, tmp_path / name, ignore=shutil.ignore_patterns(".reconciler"))
    return tmp_path


@pytest.fixture
def service() -> Iterator[object]:
    """The same 40 people and their devices, every time."""
    with reconciler.sandbox(people=40, latency=0.01) as running:
        yield running


def test_two_fleets_at_the_same_time(fleets: Path, service) -> None:
    """Each hears of its own progress, and of no other's."""
    heard: dict[str, list[object]] = {"couriers": [], "shops": []}

    async def both() -> list[str]:
        runs = (
            release(str(fleets / name), service.environ, events.append)
            for name, events in heard.items()
        )
        return await asyncio.gather(*runs)

    lines = asyncio.run(both())

    assert [line.split(": ")[1] for line in lines] == [
        "53 of 53 calls applied",
        "7 of 7 calls applied",
    ]
    assert all(any(isinstance(one, reconciler.Progress) for one in heard[name]) for name in heard)
    seasons = [one.additional_data.get("season") for one in service.world().registrations.values()]
    assert seasons.count("winter") == 60


def test_one_is_given_up_in_the_middle(fleets: Path, service) -> None:
    """The other one is not touched by that, and what was given up is gone on with."""
    couriers, shops = str(fleets / "couriers"), str(fleets / "shops")

    async def both() -> list[str]:
        # At the default limits 53 updates take more than a second.
        return await asyncio.gather(
            release_in_time(couriers, service.environ, lambda _: None, 1.0),
            release(shops, service.environ, lambda _: None),
        )

    given_up, released = asyncio.run(both())

    assert given_up.endswith("given up; the next release goes on from there")
    assert released.endswith("7 of 7 calls applied")
    again = asyncio.run(release(couriers, service.environ, lambda _: None))
    assert again.endswith(" calls applied")
    assert reconciler.open(couriers, environ=service.environ).plan().calls == ()
