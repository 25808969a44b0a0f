import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from tetherpy.cli.output.terminal_text import harmless, harmless_json, on_one_line

ANY = st.text(st.characters(codec=None))


def is_safe(text):
    return not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in BIDI for c in text
    )


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@settings(deadline=None)
@given(ANY)
def test_no_text_can_send_control_sequences_to_the_terminal(text):
    assert is_safe(harmless(text))
    assert is_safe(on_one_line(text))


@settings(deadline=None)
@given(ANY)
def test_json_keeps_its_meaning_after_escaping(text):
    safe = harmless_json(json.dumps({"text": text}, ensure_ascii=False))
    assert is_safe(safe)
    assert json.loads(safe) == {"text": text}


def test_harmless_text_is_unchanged():
    assert harmless("größe ✓ 日本語 👩‍👩‍👧 عربي a b") == "größe ✓ 日本語 👩‍👩‍👧 عربي a b"
    assert harmless("a\tb\nc\r\x1b\x9b\u202e") == r"a\tb\nc\r\x1b\x9b\u202e"
