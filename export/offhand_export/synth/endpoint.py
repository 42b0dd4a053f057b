"""One OpenAI-compatible endpoint: a request goes out, an answer comes back, or a clear error.

Covers what servers do to long runs: limits, overload, silence, connections that break. Those are
tried again, waiting longer each time and as long as the server asks; whatever trying again cannot
mend (a wrong key, a wrong address) ends at once with the fix. What is asked, and whether the answer
makes sense, is `plans`' and `openai`'s concern.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
from requests.auth import AuthBase

from offhand_export.errors import ExportError
from offhand_export.synth.cache import Answer

PATIENCE = 300.0
"""Seconds that a server may ask to wait; beyond that the run ends."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LATE = "no answer in time"
_AGAIN = frozenset({408, 409, 425, 429})
_UNFIT = frozenset({400, 413, 422})


class TeacherError(ExportError):
    """A language model that cannot be asked, or whose answers cannot be used."""


class Unanswered(TeacherError):
    """A request that failed as often as it may be tried."""


class Unfit(TeacherError):
    """A request that the server does not take as it is, such as one too long for the model."""


class Stopped(Exception):
    """The run is ending; nothing more is asked."""


class _Again(Exception):
    """A fault that may pass; `after` is how long the server asks to wait, in seconds."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask and how.

    Attributes:
        base_url: up to and including the version, such as `https://host/v1`.
        key: sent as a bearer token; empty for servers that want none.
        key_name: the environment variable it comes from, for messages.
        timeout: seconds to wait for an answer.
        tries: how often one request is sent at most.
    """

    base_url: str
    key: str = ""
    key_name: str = "OPENAI_API_KEY"
    timeout: float = 120.0
    tries: int = 6


class Endpoint:
    """Asks; safe for several threads.

    Args:
        address: where to ask.
        pause: waits for that many seconds and says whether the run is ending; by default it wakes
            when `stop` is called.
    """

    def __init__(self, address: Address, pause: Callable[[float], bool] | None = None) -> None:
        self._address = address
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self._jitter = random.Random(0)

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Send a chat-completions request until it is answered.

        Raises:
            TeacherError: asking again cannot help.
            Unfit: nor can it for this request; another may do.
            Unanswered: it was tried as often as it may be.
            Stopped: `stop` was called.
        """
        reason = ""
        for attempt in range(self._address.tries):
            if self._stop.is_set():
                raise Stopped
            try:
                return self._once(request)
            except _Again as fault:
                reason = fault.reason
                if attempt + 1 < self._address.tries and self._pause(self._delay(attempt, fault)):
                    raise Stopped from None
        raise Unanswered(
            f"{self._address.base_url} did not answer in {self._address.tries} tries ({reason}).",
            f"{self._mend(reason)}; then run again: answers that came are kept.",
        )

    def start(self) -> None:
        """Allow asking, again if `stop` was called."""
        self._stop.clear()

    def stop(self) -> None:
        """Send nothing more; threads that wait for their next try give up."""
        self._stop.set()

    def close(self) -> None:
        """Close all connections; no thread may be asking."""
        while self._sessions:
            self._sessions.pop().close()

    def _mend(self, reason: str) -> str:
        if reason == _LATE:
            return (
                f"Wait longer (--timeout, now {self._address.timeout:g} seconds), or ask for less "
                "at a time with --size and --concurrency"
            )
        return "Check the server and --base-url, or ask for less at a time with --concurrency"

    def _delay(self, attempt: int, fault: _Again) -> float:
        if fault.after is not None and fault.after > PATIENCE:
            raise TeacherError(
                f"{self._address.base_url} asks to wait {fault.after:.0f} seconds "
                f"({fault.reason}).",
                "Run again then: answers that came are kept.",
            )
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)
        # Spread out, so that the threads do not all come back at once.
        return max(fault.after or 0.0, pause * self._jitter.uniform(0.5, 1.0))

    def _once(self, request: Mapping[str, Any]) -> Answer:
        url = f"{self._address.base_url}/chat/completions"
        try:
            response = self._session().post(
                url,
                json=dict(request),
                auth=_Bearer(self._address.key),
                timeout=(10.0, self._address.timeout),
                allow_redirects=False,
            )
        except (requests.Timeout, requests.ConnectionError) as error:
            raise _Again(_cause(error)) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise _Again("the answer broke off") from error
        except requests.RequestException as error:
            raise TeacherError(f"Cannot ask {url}: {error}.", "Check --base-url.") from error
        if response.status_code != 200:
            self._refused(response)
        return _answer(response)

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._sessions.append(self._own.session)
        session: requests.Session = self._own.session
        return session

    def _refused(self, response: requests.Response) -> NoReturn:
        status, said = response.status_code, _said(response)
        spent = "insufficient_quota" in response.text
        if (status in _AGAIN or status >= 500) and not spent:
            raise _Again(f"{status} {said}".strip(), _retry_after(response))
        fix = {
            400: "Check --model and --temperature; if the request is too long, start the server "
            "with a longer context or give a smaller --size.",
            401: f"Put a valid key into the environment variable {self._address.key_name}.",
            402: "Top up the account that the key belongs to.",
            403: f"Use a key that may use the model (--api-key-env, now {self._address.key_name}).",
            404: "Check --base-url (it usually ends in /v1) and the name given to --model.",
            429: "Top up the account that the key belongs to.",
        }.get(status, "Check --base-url and --model.")
        if 300 <= status < 400:
            fix = f"Give --base-url as the server wants it: {response.headers.get('Location', '')}."
        kind = Unfit if status in _UNFIT else TeacherError
        raise kind(f"{self._address.base_url} refused with {status} ({said}).", fix)


class _Bearer(AuthBase):
    """Sends the key as it is given; without this a .netrc file would be preferred."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _answer(response: requests.Response) -> Answer:
    try:
        record = response.json()
        choice = record["choices"][0]
        text = choice["message"].get("content") or ""
        usage = record.get("usage") or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _Again("the server sent something that is no answer") from error
    if not isinstance(text, str):
        raise _Again("the server sent an answer that is no text")
    tokens_in, tokens_out = (count if type(count) is int else None for count in counts)
    return Answer(text, str(choice.get("finish_reason") or ""), tokens_in, tokens_out)


def _cause(error: requests.RequestException) -> str:
    return _LATE if isinstance(error, requests.Timeout) else "no connection"


def _said(response: requests.Response) -> str:
    """The server's own words, shortened to one line."""
    try:
        text = str(response.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        text = response.text
    return " ".join(text.split())[:200] or str(response.reason or "no reason given")


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, which servers give as a number or as a date."""
    given = response.headers.get("Retry-After", "").strip()
    if not given:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return None
