"""A service on a mock transport: answers from a list or a function, and a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from reconciler.api.credentials import ApiKeyCredential, Credential
from reconciler.api.dispatch import Timing
from reconciler.api.service import Service
from reconciler.core.secret import Secret

KEY = "very-secret-key-0001"
DEVICE = "8621824C-86B2-41F7-BF6F-20D3B1426005"
REGISTRATION = {
    "registrationId": DEVICE,
    "applicationId": "APP-1",
    "isPrimary": False,
    "systemData": {"cloudType": "GCM", "registrationEnabled": True, "os": "Android"},
    "additionalData": {"shift": "night"},
}

Answerer = Callable[[httpx.Request], httpx.Response]


@dataclass
class FakeTime:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def timing(self) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda: 1.0, lambda: 1_800_000_000.0)


class Wire:
    """What the service is asked, and its answers in turn (the last one again and again)."""

    def __init__(self, *answers: httpx.Response | Exception | Answerer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # A response is read once; each request gets its own.
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return answer(request)

    def service(
        self,
        time: FakeTime | None = None,
        credential: Credential | None = None,
        limits: Any = None,
    ) -> Service:
        return Service(
            "http://127.0.0.1:1",
            credential or ApiKeyCredential(Secret(KEY)),
            limits=limits,
            timing=(time or FakeTime()).timing(),
            transport=httpx.MockTransport(self),
        )

    def paths(self) -> Iterable[str]:
        return [request.url.raw_path.decode() for request in self.requests]


def answer(body: object = None, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        return httpx.Response(status, content=body, headers=named)
    if body is None:
        return httpx.Response(status, headers=named)
    return httpx.Response(status, json=body, headers=named)


def service_exception(name: str, text: str, status: int, **headers: str) -> httpx.Response:
    details = {"messageId": name, "text": text}
    return answer({"requestError": {"serviceException": details}}, status, **headers)
