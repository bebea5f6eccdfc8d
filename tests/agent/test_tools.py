"""Tools from a file: what the LLM is told of them, and what happens when it calls one over real HTTP."""

from __future__ import annotations

import asyncio
import json
import textwrap
from pathlib import Path

import pytest
from aiohttp import web
from livekit.agents.llm import ToolError

from agent.events import AvatarSaid, StateChanged
from agent.tools import load_tools
from avatar.errors import InputError
from avatar.types import AvatarState
from tests.agent.fakes import FakeService
from tests.agent.test_session import Talk, make


def written(folder, text: str):
    path = folder / "tools.py"
    path.write_text(textwrap.dedent(text))
    return path


class CallingService(FakeService):
    """Calls a tool first, and answers when it has the result."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if any(message["role"] == "tool" for message in body["messages"]):
            return await super()._chat(request)
        self.requests.append(("chat", body))
        call = {"name": "opening_hours", "arguments": json.dumps({"day": "Monday"})}
        delta = {"tool_calls": [{"index": 0, "id": "call1", "type": "function", "function": call}]}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for choice in ({"delta": delta}, {"delta": {}, "finish_reason": "tool_calls"}):
            chunk = {"choices": [{"index": 0, **choice}], "id": "1", "object": "x"}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


HOURS = '''
    """Tools of a museum."""

    import json  # what a file imports is no tool
    from pathlib import Path

    async def opening_hours(day: str) -> str:
        """Tells when the museum is open.

        Args:
            day: Name of a weekday, in English.
        """
        CALLED.append(day)
        ARRIVED.set()
        await RELEASED.wait()
        return "from nine to five"

    def _private() -> str:
        return ""
'''


async def test_the_llm_calls_a_tool_with_a_thinking_face_and_answers_with_its_result(tmp_path):
    [tool] = load_tools(written(tmp_path, HOURS), 5.0)
    called, arrived, released = [], asyncio.Event(), asyncio.Event()
    tool.__wrapped__.__wrapped__.__globals__.update(CALLED=called, ARRIVED=arrived, RELEASED=released)
    async with CallingService(reply="We are open from nine to five.").running() as service:
        config, parts = make(service.url)
        parts.tools.append(tool)
        async with Talk(config, parts) as talk:
            talk.session.ask("When are you open on Monday?")
            await asyncio.wait_for(arrived.wait(), 20)
            states = [event.state for event in talk.events if isinstance(event, StateChanged)]
            released.set()
            said = await talk.until(AvatarSaid)
    assert called == ["Monday"]
    assert states[-1] is AvatarState.THINKING
    assert said.text == "We are open from nine to five."
    first, second = (body for kind, body in service.requests if kind == "chat")
    told = first["tools"][0]["function"]
    assert told["name"] == "opening_hours"
    assert told["description"].startswith("Tells when the museum is open.")
    assert told["parameters"]["properties"]["day"]["description"] == "Name of a weekday, in English."
    [result] = [message["content"] for message in second["messages"] if message["role"] == "tool"]
    assert "from nine to five" in result


async def test_a_function_that_is_not_async_runs_beside_the_event_loop(tmp_path):
    [tool] = load_tools(
        written(
            tmp_path,
            '''
            import threading

            def where() -> str:
                """Tells the thread."""
                return threading.current_thread().name
            ''',
        ),
        5.0,
    )
    assert await tool() != "MainThread"


async def test_a_tool_that_fails_or_dawdles_tells_the_llm(tmp_path):
    fail, dawdle = load_tools(
        written(
            tmp_path,
            '''
            import asyncio

            def fail(what: str) -> str:
                """Fails."""
                raise ValueError(f"no {what} today")

            async def dawdle() -> str:
                """Never ends."""
                await asyncio.Event().wait()
            ''',
        ),
        0.01,
    )
    with pytest.raises(ToolError, match="no soup today"):
        await fail("soup")
    with pytest.raises(ToolError, match=r"no result within 0\.01 s"):
        await dawdle()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at least one public function, got none"),
        ("import json\n", "at least one public function, got none"),
        ("def f(:\n", "expected Python, got invalid syntax in line 1"),
        ("import no_such_package\n", "a file that runs, got ModuleNotFoundError: No module named 'no_such_package'"),
        ("def f() -> str:\n    return ''\n", "a docstring that tells the LLM what it does, got `f` without"),
        ("def f(x) -> str:\n    'Does it.'\n", "a type hint for every argument, got `x` of `f`"),
        ("def f(x: 'Nowhere') -> str:\n    'Does it.'\n", "type hints that can be described to an LLM, got `f`"),
        ("def f(x: type(open)) -> str:\n    'Does it.'\n", "type hints that can be described to an LLM, got `f`"),
    ],
)
def test_a_file_that_is_no_use_is_one_clear_line(tmp_path, text, complaint):
    path = tmp_path / "tools.py"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_tools(path, 1.0)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match=r"tools\.py: expected a Python file, got no such file"):
        load_tools(tmp_path / "tools.py", 1.0)


def test_the_example_of_the_documentation_works(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
    path = tmp_path / "tools.py"
    path.write_text(text.partition("```python\n")[2].partition("```")[0])
    assert [tool.info.name for tool in load_tools(path, 1.0)] == ["opening_hours", "todays_date"]
