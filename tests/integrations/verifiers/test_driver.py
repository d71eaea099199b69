"""The thread and the endpoint: requests come out one by one, and nothing stays behind."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from contextlib import asynccontextmanager

import httpx
import openai
import pytest
from verifiers.v1.clients.client import SESSION_ID_HEADER

from agents.integrations.verifiers.driver import Driver
from agents.integrations.verifiers.endpoint import Asked, Endpoint
from agents.integrations.verifiers.messages import assistant_message
from agents.integrations.verifiers.sides import Run
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind

pytestmark = pytest.mark.usefixtures("no_threads_left")


class Trace:
    """As much of a trace as the driver looks at."""

    def __init__(self, name):
        self.id, self.agent = f"id-of-{name}", self
        self.name = name


class Side:
    """Asks ``questions`` at a time of one agent each, and returns the answers."""

    def __init__(self, questions=(), start=None, play=None):
        self.questions, self.start, self.raised = questions, start, play
        self.left, self.closed = [], False

    @asynccontextmanager
    async def serving(self):
        if self.start is not None:
            await self.start()
        try:
            yield
        finally:
            self.closed = True

    async def play(self, task, url, on_trace):
        if self.raised is not None:
            raise self.raised
        said = []
        try:
            for names in self.questions:
                for name in names:
                    on_trace(Trace(name))
                said += await asyncio.gather(*(ask(url, name, f"{task} {name}?") for name in names))
        except asyncio.CancelledError:
            self.left.append(task)
            raise
        return Run(said)


async def ask(url, name, question, **fields):
    async with openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0) as client:
        return await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": question}],
            extra_headers={SESSION_ID_HEADER: f"id-of-{name}"},
            **fields,
        )


@pytest.fixture
def drive():
    drivers = []

    def drive(side, timeout=20.0):
        drivers.append(Driver(lambda: side, timeout))
        return drivers[-1]

    yield drive
    for driver in drivers:
        assert driver.close()


def spoken(text):
    return {"role": "assistant", "content": text}


def test_requests_come_one_by_one_even_those_made_at_the_same_time(drive):
    side = Side([["a"], ["b", "c"]])
    driver = drive(side)
    asked, order = driver.begin("one"), []
    while isinstance(asked, Asked):
        order.append((asked.agent, asked.body["messages"][0]["content"]))
        asked = driver.answer(asked, spoken(f"to {asked.agent}"))
    assert order[0] == ("a", "one a?")
    assert sorted(order[1:]) == [("b", "one b?"), ("c", "one c?")]
    assert [c.choices[0].message.content for c in asked.traces] == ["to a", "to b", "to c"]


def test_a_new_task_leaves_the_old_one(drive):
    side = Side([["a", "b"]])
    driver = drive(side)
    late = driver.begin("one")
    asked = driver.begin("two")
    assert side.left == ["one"]
    assert asked.body["messages"][0]["content"].startswith("two")
    assert late.reply.cancelled()
    assert isinstance(driver.answer(asked, spoken("x")), Asked)


def test_closing_leaves_the_task_and_frees_what_was_served(drive):
    side = Side([["a"]])
    driver = drive(side)
    driver.begin("one")
    assert driver.close()
    assert driver.close()
    assert (side.left, side.closed) == (["one"], True)


def test_a_task_that_asks_nothing_is_over_at_once(drive):
    assert drive(Side()).begin("one") == Run([])


def test_what_their_side_raises_is_named(drive):
    driver = drive(Side(play=KeyError("box")))
    for _ in range(2):
        with pytest.raises(InfrastructureError, match="KeyError: 'box'"):
            driver.begin("one")


def test_a_timeout_of_their_own_is_no_timeout_of_ours(drive):
    with pytest.raises(InfrastructureError, match="TimeoutError: theirs") as caught:
        drive(Side(play=TimeoutError("theirs"))).begin("one")
    assert caught.value.kind is FailureKind.TOOL_CRASHED


def test_a_side_that_cannot_be_made_or_served_is_named():
    def broken():
        raise ValueError("no such taskset")

    async def down():
        raise OSError("no port")

    with pytest.raises(InfrastructureError, match="ValueError: no such taskset"):
        Driver(broken, 20.0)
    with pytest.raises(InfrastructureError, match="OSError: no port"):
        Driver(lambda: Side(start=down), 20.0)


def test_a_side_that_does_not_come_up_is_given_up():
    async def hang():
        await asyncio.Event().wait()

    with pytest.raises(InfrastructureError, match=r"more than 0\.3 s") as caught:
        Driver(lambda: Side(start=hang), 0.3)
    assert caught.value.kind is FailureKind.TIMEOUT


def test_an_abandoned_thread_ends_as_soon_as_their_side_lets_it():
    side = Side([["a"]])
    driver = Driver(lambda: side, 20.0)
    driver.begin("one")
    (thread,) = [each for each in threading.enumerate() if each.name == "verifiers"]
    driver.abandon()
    thread.join(20)
    assert not thread.is_alive()
    assert side.closed
    driver.abandon()


class Clings(Side):
    """Takes its time to leave the first task, and interrupts the main thread, which waits."""

    def __init__(self):
        super().__init__([["a"]])
        self.freed = threading.Event()

    async def play(self, task, url, on_trace):
        try:
            return await super().play(task, url, on_trace)
        except asyncio.CancelledError:
            if task == "one":
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
                while not self.freed.is_set():
                    await asyncio.sleep(0.01)
            raise


@pytest.fixture
def interrupts():
    """Have SIGUSR1 do what Ctrl-C does (that signal may be ignored where tests run)."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_a_task_whose_beginning_was_interrupted_does_not_begin_later(drive, interrupts):
    side = Clings()
    driver = drive(side)
    driver.begin("one")
    with pytest.raises(KeyboardInterrupt):
        driver.begin("two")
    asked = driver.begin("three")
    side.freed.set()
    time.sleep(0.1)
    assert asked.body["messages"][0]["content"] == "three a?"
    assert len(driver.answer(asked, spoken("x")).traces) == 1
    assert side.left == ["one"]


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_before_the_thread_is_heard_of_leaves_no_thread(monkeypatch, begun):
    """The moment between starting the thread and having its loop, which is there or not yet."""

    def interrupted(driver, future):
        if begun:
            future.exception(20)
        else:
            future.cancel()
        raise KeyboardInterrupt

    monkeypatch.setattr(Driver, "_wait", interrupted)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        Driver(Side, 20.0)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()


def test_a_start_that_is_interrupted_leaves_no_thread(interrupts):
    side, starts = Side(), threading.Event()

    async def hang():
        starts.set()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        await asyncio.Event().wait()

    side.start = hang
    with pytest.raises(KeyboardInterrupt):
        Driver(lambda: side, 20.0)
    assert starts.is_set()


# ---------------------------------------------------------------------- endpoint


def at_endpoint(work):
    async def run():
        endpoint = Endpoint()
        endpoint.agents["id-of-a"] = "a"
        async with endpoint.listening():
            return await work(endpoint)

    return asyncio.run(run())


@pytest.mark.parametrize("offered", [False, True])
def test_a_stream_says_what_a_whole_reply_says(offered):
    text = '<think> x </think>\n<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>'
    message = assistant_message(text, 0, offered=offered)

    async def work(endpoint):
        whole = asyncio.create_task(ask(endpoint.url, "a", "?"))
        (await endpoint.next()).reply.set_result(message)
        stream = asyncio.create_task(ask(endpoint.url, "a", "?", stream=True))
        (await endpoint.next()).reply.set_result(message)
        chunks = [chunk async for chunk in await stream]
        return await whole, chunks

    completion, (chunk,) = at_endpoint(work)
    said, delta = completion.choices[0], chunk.choices[0]
    assert said.message.content == delta.delta.content == message["content"]
    assert said.finish_reason == delta.finish_reason == ("tool_calls" if offered else "stop")
    calls = [call.function.arguments for call in delta.delta.tool_calls or ()]
    assert calls == [call.function.arguments for call in said.message.tool_calls or ()]
    assert calls == (['{"a": 1}'] if offered else [])


def test_requests_of_no_running_episode_are_refused():
    async def work(endpoint):
        with pytest.raises(openai.ConflictError, match="over"):
            await ask(endpoint.url, "b", "?")
        async with httpx.AsyncClient() as client:
            reply = await client.post(f"{endpoint.url}/chat/completions", json={})
        return reply.status_code

    assert at_endpoint(work) == 409


def test_what_is_forgotten_is_broken_off_and_what_comes_late_is_refused():
    async def work(endpoint):
        asking = asyncio.create_task(ask(endpoint.url, "a", "?"))
        asked = await endpoint.next()
        endpoint.forget()
        with pytest.raises(openai.OpenAIError):
            await asking
        with pytest.raises(openai.ConflictError, match="over"):
            await ask(endpoint.url, "a", "a late one?")
        return asked.reply.cancelled()

    assert at_endpoint(work)
