"""Code's own words: the disclosure comes first, and every line has its place among the prepared ones."""

from floyd import lines


def test_the_first_sentence_says_what_is_calling_and_for_whom() -> None:
    """If this fails a callee is not told at once that an AI speaks, and for whom."""
    first, second = lines.disclosure("Tom Baker")

    assert "AI" in first
    assert "Tom Baker" in first
    assert "transcribed" in second
    assert lines.NAMELESS in lines.disclosure("  ")[0]


def test_a_call_back_says_so_once() -> None:
    """If this fails a third call opens with the same sentence twice, or as if nobody had called before."""
    once = lines.calling_back("I am calling to order flowers.")

    assert once.startswith(lines.CALLING_BACK)
    assert lines.calling_back(once) == once


def test_sound_is_filed_by_voice_and_words() -> None:
    """If this fails a call plays another line, or another voice, than the one that was prepared."""
    names = {lines.speech_name(voice, text) for voice in ("a", "b") for text in ("x", "y", "\0x")}

    assert len(names) == 6
    assert all(len(name) == 40 for name in names)


def test_stock_lines_have_no_gaps_and_no_doubles() -> None:
    """If this fails a line is synthesised during a call, or prepared twice."""
    stock = lines.stock("Tom Baker")

    assert len(stock) == len(set(stock))
    assert all(line.strip() and "{" not in line for line in stock)
