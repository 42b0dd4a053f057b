"""A language model as teacher, over any OpenAI-compatible endpoint.

Draws plans, asks for the conversations they describe, several requests at a time, and yields what
can be read and passes `check`, in the order of the plans: the same seed and the same answers give
the same conversations. Answers are kept on disk, malformed ones too, so that a run that was killed
or is repeated asks only for what is missing. An answer that cannot be read is sent back with the
reason, a few times; then it is counted and passed over.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from offhand.catalogs import Catalog
from offhand_export.synth import plans
from offhand_export.synth.cache import Answer, AnswerCache
from offhand_export.synth.check import Support, check, no_opinion
from offhand_export.synth.endpoint import Endpoint, Stopped, TeacherError, Unanswered, Unfit
from offhand_export.synth.sample import Sample

ASKED_AGAIN = 2
"""How often a malformed answer is sent back."""

BARREN = 8
"""Requests in a row without one good conversation after which the run ends."""

_CHARACTERS_A_TOKEN = 4
_TOKENS_A_TURN = 45


@dataclass(frozen=True, slots=True)
class Prices:
    """Money for a million tokens, in and out, in whatever currency."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@dataclass(frozen=True, slots=True)
class Ask:
    """How to ask.

    Attributes:
        model: the model's name at the endpoint.
        seed: plans depend on it.
        size: conversations a request.
        concurrency: requests under way at a time.
        temperature: of sampling; None leaves it to the endpoint.
        guide: how to label, in words, for the model; empty for a line of general advice.
    """

    model: str
    seed: int = 1
    size: int = 4
    concurrency: int = 4
    temperature: float | None = 1.0
    guide: str = ""


@dataclass(slots=True)
class Bill:
    """What was asked and what it took; counts of one run, all threads together.

    Attributes:
        requests: answers that came over the network.
        cached: answers that were on disk already.
        tokens_in, tokens_out: of the former; guessed from the length where the endpoint is silent.
        guessed: answers whose tokens were guessed.
    """

    requests: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    guessed: int = 0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one plan: the conversations that were read, and the answers used for it."""

    samples: tuple[Sample, ...] = ()
    faults: tuple[str, ...] = ()
    failed: Unanswered | None = None
    answers: tuple[tuple[Answer, int, bool], ...] = field(default=())


class OpenAITeacher:
    """A `Teacher` that asks a language model.

    Args:
        catalog: what to make conversations for.
        ask: how to ask.
        endpoint: where to ask.
        cache: answers that were given before.
        support: the domain's word on what supports an argument (see `check`).
        progress: told the number of conversations yielded so far, after each request.

    Attributes:
        rejections: conversations turned down by reason (see `check.REASONS`), answers that could
            not be read ("malformed"), and requests passed over for good: "skipped" (malformed to
            the end) and "unanswered".
        bill: what was asked.
        faults: the last few reasons why answers could not be read.
    """

    def __init__(
        self,
        catalog: Catalog,
        ask: Ask,
        endpoint: Endpoint,
        cache: AnswerCache,
        support: Support = no_opinion,
        progress: Callable[[int, OpenAITeacher], None] = lambda made, teacher: None,
    ) -> None:
        self._catalog, self._ask, self._endpoint, self._cache = catalog, ask, endpoint, cache
        self._support, self.progress = support, progress
        self.rejections: Counter[str] = Counter()
        self.bill = Bill()
        self.faults: deque[str] = deque(maxlen=5)

    def estimate(self, count: int) -> tuple[int, int, int]:
        """Requests, tokens in and tokens out that `count` conversations take if all are good.

        Answers on disk are left out; tokens are guessed from lengths.
        """
        needed = -(-count // self._ask.size)
        asked = [self._request(self._first(index)[1]) for index in range(needed)]
        missing = [request for request in asked if self._cache.get(request) is None]
        mean = sum(turns * share for turns, share in enumerate(plans.TURNS, 1)) / sum(plans.TURNS)
        each = int(self._ask.size * mean * _TOKENS_A_TURN)
        return len(missing), sum(map(_tokens_in, missing)), len(missing) * each

    def samples(self, count: int) -> Iterator[Sample]:
        """The first `count` conversations of this seed that pass `check`.

        Leaving off early is fine: what is under way is then waited for and kept.

        Raises:
            TeacherError: the endpoint cannot be asked, or nothing it says can be used.
        """
        made, barren, following = 0, 0, 0
        pending: deque[Future[_Outcome]] = deque()
        with self._threads(pending) as threads:
            while made < count:
                # Never more than are needed if all are good: each is paid for. Twice as many as
                # threads, so that none is idle while the answer that is next takes its time.
                needed = -(-(count - made) // self._ask.size)
                while len(pending) < min(2 * self._ask.concurrency, needed):
                    pending.append(threads.submit(self._converse, following))
                    following += 1
                outcome = pending.popleft().result()
                good = self._good(outcome)
                barren = 0 if good else barren + 1
                if barren == BARREN:
                    raise self._useless(outcome.failed)
                yield from good[: count - made]
                made += len(good[: count - made])
                self.progress(made, self)

    @contextmanager
    def _threads(self, pending: deque[Future[_Outcome]]) -> Iterator[ThreadPoolExecutor]:
        """Threads to ask in; what is still under way at the end is waited for and paid."""
        self._endpoint.start()
        threads = ThreadPoolExecutor(self._ask.concurrency, thread_name_prefix="teacher")
        try:
            yield threads
        except KeyboardInterrupt:
            print(
                "Keeping the answers under way; press Ctrl-C again to drop them.",
                file=sys.stderr,
                flush=True,
            )
            raise
        finally:
            self._endpoint.stop()
            threads.shutdown(wait=True, cancel_futures=True)
            self._endpoint.close()
            for future in pending:
                if not future.cancelled() and future.exception() is None:
                    self._charge(future.result())

    def _first(self, index: int) -> tuple[tuple[plans.Outline, ...], list[dict[str, str]]]:
        outlines = plans.draw(self._catalog, self._ask.seed, index, self._ask.size)
        return outlines, plans.messages(self._catalog, outlines, self._ask.guide)

    def _request(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self._ask.model, "messages": messages}
        if self._ask.temperature is not None:
            request["temperature"] = self._ask.temperature
        return request

    def _converse(self, index: int) -> _Outcome:
        """Carry out plan number `index`; runs in a thread and touches nothing shared."""
        outlines, messages = self._first(index)
        faults: list[str] = []
        answers: list[tuple[Answer, int, bool]] = []
        try:
            for _ in range(1 + ASKED_AGAIN):
                request = self._request(messages)
                cached = self._cache.get(request)
                answer = cached or self._endpoint.ask(request)
                if cached is None:
                    self._cache.put(request, answer)
                answers.append((answer, _tokens_in(request), cached is not None))
                try:
                    samples = self._read(answer, outlines)
                except plans.Malformed as fault:
                    faults.append(str(fault))
                    messages = [*messages, *plans.again(answer.text, fault)]
                else:
                    return _Outcome(tuple(samples), tuple(faults), answers=tuple(answers))
        except Unanswered as error:
            return _Outcome((), (*faults, error.message), error, tuple(answers))
        except Unfit as error:
            if not faults:
                self._endpoint.stop()
                raise
            # Asking again repeats the answer, which a short context may not hold; the next plan is
            # short again.
            faults[-1] += f"; asked again, {error.message.rstrip('.')}"
        except Stopped:
            pass
        except TeacherError:
            self._endpoint.stop()  # no other thread will fare better
            raise
        return _Outcome((), tuple(faults), answers=tuple(answers))

    def _read(self, answer: Answer, outlines: tuple[plans.Outline, ...]) -> list[Sample]:
        if answer.finish == "length":
            raise plans.Malformed("it breaks off at the length limit; write shorter messages")
        if answer.finish == "content_filter":
            raise plans.Malformed("it was cut by a content filter")
        return plans.read(answer.text, self._catalog, outlines)

    def _good(self, outcome: _Outcome) -> list[Sample]:
        """Count what became of a plan; the conversations that may be used."""
        self._charge(outcome)
        self.faults += outcome.faults
        if malformed := len(outcome.faults) - bool(outcome.failed):
            self.rejections["malformed"] += malformed
        if outcome.failed:
            if not self.bill.requests:
                self._endpoint.stop()
                raise outcome.failed
            self.rejections["unanswered"] += 1
        elif not outcome.samples:
            self.rejections["skipped"] += 1
        good = []
        for sample in outcome.samples:
            reason = check(sample, self._catalog, self._support)
            if reason is None:
                good.append(sample)
            else:
                self.rejections[reason] += 1
        return good

    def _charge(self, outcome: _Outcome) -> None:
        bill = self.bill
        for answer, guess, cached in outcome.answers:
            if cached:
                bill.cached += 1
                continue
            bill.requests += 1
            bill.guessed += answer.tokens_in is None or answer.tokens_out is None
            bill.tokens_in += guess if answer.tokens_in is None else answer.tokens_in
            said = len(answer.text) // _CHARACTERS_A_TOKEN
            bill.tokens_out += said if answer.tokens_out is None else answer.tokens_out

    def _useless(self, failed: Unanswered | None) -> TeacherError:
        counts = ", ".join(f"{reason} {n}" for reason, n in self.rejections.most_common())
        useless = f"{BARREN} requests in a row gave no usable conversation ({counts})."
        if failed:  # the server's fault, not the model's
            return TeacherError(f"{useless} {failed.message}", failed.fix)
        last = f" Last answer: {self.faults[-1].rstrip('.')}." if self.faults else ""
        return TeacherError(
            useless + last, "Try a stronger model, a lower --temperature, or a smaller --size."
        )


def _tokens_in(request: Mapping[str, Any]) -> int:
    return sum(len(message["content"]) for message in request["messages"]) // _CHARACTERS_A_TOKEN
