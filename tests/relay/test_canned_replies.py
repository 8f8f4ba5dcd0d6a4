"""Forty replies that no model should give: the callee hears normal speech or a decent end, and never one of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from relay.core.events import StreamStopped
from relay.core.policy import Policy
from relay.core.transcript import Speaker
from relay.mind import Prompt, ToolCall
from relay.replying import ROUNDS_PER_CALL, ROUNDS_PER_REPLY
from tests.relay.core.play import OPENING
from tests.relay.virtual import Call, Step, play


def tool(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("c1", name, arguments)


CANNED: tuple[tuple[Step, ...], ...] = (
    ("",),
    (" ",),
    ("...",),
    ("- * -",),
    ("{}",),
    ("[]",),
    ("null {",),
    ('{"text": "Hello."}',),
    ('{"role": "assistant", "content": "Hello."}',),
    ('[{"type": "output_text", "text": "Hi"}]]',),
    ("```json {} ```",),
    ("<tool_call>press_keys</tool_call>",),
    ("<|im_start|>assistant",),
    ("<|endoftext|>",),
    ("</s></s></s>",),
    ("<b>Hello</b> there.",),
    ("| price | 80 |",),
    ("note_fact price 80.",),
    ('press_keys("1").',),
    ("end_call(reason=done).",),
    ("I will now ask_user about it.",),
    ("\ufffd\ufffd\ufffd hello.",),
    ("\\n\\n hello.",),
    ("C:\\temp\\reply",),
    ("}}}}}}}}",),
    ('"a": "b"',),
    (tool("dial", number="911"),),
    (tool("transfer"),),
    (tool("press_keys"),),
    (tool("press_keys", digits="call 911"),),
    (tool("press_keys", digits=["1", {"x": 1}]),),
    (tool("ask_user"),),
    (tool("ask_user", question="", choices="abc"),),
    (tool("ask_user", question={"a": 1}, choices=None),),
    (tool("note_fact"),),
    (tool("note_fact", key=None, value=None),),
    (tool("note_fact", key="x" * 5000, value="y"),),
    (tool("end_call", why={"a": []}), "{"),
    (tool("note_fact", key="a", value="1"), tool("note_fact", key="b", value="2"), tool("dial")),
    ("Well. ", '{"half": '),
)
RAW = re.compile(r"[{}<>|\\\ufffd\[\]]|note_fact|press_keys|ask_user|end_call|assistant\"|im_start")


async def asked(line: Call) -> None:
    line.quiet(0.4)
    line.say("hello")
    await line.heard(OPENING[-1])
    await line.quiet_line(2.0)
    line.say("what would you like to order today")
    await line.said()


def spoken(line: Call) -> list[str]:
    return [turn.planned for turn in line.transcript.turns if turn.speaker is Speaker.FLOYD]


@pytest.mark.parametrize("number", range(len(CANNED)))
def test_a_bad_reply_is_not_heard_and_the_talk_goes_on(number: int) -> None:
    """If this fails a callee hears data, tools or torn characters, or one bad reply ends the call in silence."""
    assert len(CANNED) == 40

    def replies(count: int, prompt: Prompt) -> tuple[Step, ...]:
        return (0.3, *CANNED[number]) if count == 0 else (0.3, "Roses, please.")

    async def call() -> None:
        line = Call(replies)
        await asked(line)
        await line.until(lambda: len(spoken(line)) > 1 or line.over, 30.0)
        await line.quiet_line(1.0)
        assert not [text for text in spoken(line) if RAW.search(text)]
        await line.hang_up(StreamStopped("stop"))

    play(call())


@pytest.mark.parametrize("number", range(len(CANNED)))
def test_a_model_that_gives_nothing_else_is_left_in_time_and_within_its_rounds(number: int) -> None:
    """If this fails a broken model costs request after request while the callee listens to nothing."""

    async def call() -> None:
        line = Call(lambda count, prompt: (0.3, *CANNED[number]))
        await asked(line)
        since = line.age_s
        await line.ended(400.0)
        assert not [text for text in spoken(line) if RAW.search(text)]
        each = 2 * ROUNDS_PER_REPLY * Policy().reply_attempts
        turns = 1 + sum(turn.speaker is Speaker.CALLEE for turn in line.transcript.turns)
        assert len(line.mind.asked) <= min(each * turns, 3 * ROUNDS_PER_CALL), len(line.mind.asked)
        assert line.age_s - since < 200.0
        await line.hang_up()

    play(call())
