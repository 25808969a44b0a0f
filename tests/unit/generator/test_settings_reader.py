"""The keys of tether.yaml, and the positions in its errors."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tetherpy.generator import (
    BackgroundServices,
    JobDeclaration,
    SettingsError,
    SettingsMissingError,
    read_settings,
)

WHOLE = """\
generation:
  background_services:
    enabled: true
    package: shop.providers
    database_path: data/shop.db
    migrations: shop.schema:MIGRATIONS
    app_initialization_callback: shop.worker:initialize
    initial_notification_title: "Shop: worker"
    initial_notification_content: ''
    jobs:
      greet: shop.worker:Greeting
      cleanUp:
"""


def read(folder: Path, text: str | bytes):
    path = folder / "tether.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings(path)


def refused(folder: Path, text: str | bytes) -> tuple[int, int, str]:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    error = caught.value
    assert str(error) == f"{folder / 'tether.yaml'}:{error.line}:{error.column}: {error.problem}"
    assert "\n" not in error.problem
    shown, mark = error.__notes__[0].split("\n") if error.text else ("", "")
    # The mark is below the invalid character; without a mark the line ends there.
    assert len(mark) <= len(shown) + 1
    assert shown[4:] in error.text
    return error.line, error.column, error.problem


def test_all_keys_are_read(tmp_path):
    assert read(tmp_path, WHOLE).background_services == BackgroundServices(
        enabled=True,
        package="shop.providers",
        database_path="data/shop.db",
        migrations="shop.schema:MIGRATIONS",
        app_initialization_callback="shop.worker:initialize",
        initial_notification_title="Shop: worker",
        initial_notification_content="",
        jobs=(JobDeclaration("greet", "shop.worker:Greeting"), JobDeclaration("cleanUp")),
    )


def test_omitted_keys_have_defaults(tmp_path):
    assert read(tmp_path, "generation: {}").background_services == BackgroundServices()
    found = read(tmp_path, "generation:\n  background_services:\n    enabled: true\n").background_services
    assert found == BackgroundServices(enabled=True)
    assert found.database_path == "app.db"


def test_the_settings_of_this_repository_are_valid():
    assert read_settings(Path(__file__).parents[3] / "tether.yaml").background_services.enabled


def line_of(text: str) -> str:
    return f"generation:\n  background_services:\n    {text}\n"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", (1, 1), "empty"),
        ("# only a comment\n", (1, 1), "empty"),
        ("- generation\n", (1, 1), "found a list"),
        ("generation\n", (1, 1), "found text (generation)"),
        ("generation:\n", (1, 1), "found nothing"),
        ("generatoin: {}\n", (1, 1), "Did you mean 'generation'?"),
        ("generation: {}\nzzz: 1\n", (2, 1), "Known keys: generation."),
        ("generation:\n  background_service: {}\n", (2, 3), "Did you mean 'background_services'?"),
        (line_of("databse_path: app.db"), (3, 5), "Did you mean 'database_path'?"),
        (line_of("enabled: yes"), (3, 14), "true or false, found text (yes)"),
        ("%YAML 1.1\n---\n" + line_of("enabled: yes"), (2, 1), "Directives"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: b\n", (1, 1), "too large"),
        (line_of("enabled:"), (3, 5), "found nothing"),
        (line_of("enabled: true\n    enabled: false"), (4, 5), "already in line 3"),
        ("generation: {}\ngeneration: {}\n", (2, 1), "already in line 1"),
        (line_of("package: 5"), (3, 14), "a number (5). Put it in quotes."),
        (line_of("package: my-package"), (3, 14), "is not a valid name of a Python package"),
        (line_of("package: ../elsewhere"), (3, 14), "is not a valid name of a Python package"),
        (line_of("package: class"), (3, 14), "is not a valid name of a Python package"),
        (line_of("package: tetherpy.providers"), (3, 14), "would hide"),
        (line_of("package: asyncio"), (3, 14), "would hide"),
        (line_of("package: \uff50roviders"), (3, 14), "is not a valid name of a Python package"),
        (line_of("package: a..b"), (3, 14), "is not a valid name of a Python package"),
        (line_of("package: [a]"), (3, 14), "found a list"),
        (line_of("database_path: ''"), (3, 20), "path of the database is empty"),
        (line_of('database_path: "a\\0b"'), (3, 20), "is not allowed"),
        (line_of('database_path: "a\\ud800b"'), (3, 20), "is not allowed"),
        (line_of('database_path: "a\\U99999999b"'), (3, 18), "too large"),
        (line_of("migrations: schema"), (3, 17), "'schema:MIGRATIONS'"),
        (line_of("app_initialization_callback: worker.initialize"), (3, 34), "'module:name'"),
        (line_of("app_initialization_callback: 'a:b; import os'"), (3, 34), "is not valid. Use 'module:name'"),
        (line_of('initial_notification_title: "a\\nb"'), (3, 33), "one line of text"),
        (line_of("jobs: [greet]"), (3, 11), "found a list"),
        (line_of("jobs: {greet: 'x'}"), (3, 19), "is not valid. Use 'module:name'"),
        (line_of("jobs: {greet: 3}"), (3, 19), "a number (3)"),
        (line_of("jobs: {'--': }"), (3, 12), "cannot be part of a function name"),
        (line_of('jobs: {"a\\nb": w:C}'), (3, 12), "is not allowed"),
        (line_of("jobs: {sendMail: , send-mail: }"), (3, 24), "both generate enqueue_send_mail"),
        (line_of("\tenabled: true"), (3, 5), "spaces"),
        ("generation:\n\tbackground_services: {}\n", (2, 1), "spaces"),
        ("a: b: c\n", (1, 5), "in quotes"),
        (line_of("enabled: true\n   package: p"), (4, 4), "Indented differently from the keys above"),
        (line_of("enabled true\n    package: p"), (4, 12), "the line above"),
        (line_of("enabled: 'true"), (4, 1), "Close the quotes"),
        (line_of("initial_notification_title: @me"), (3, 33), "Put it in quotes"),
        ('"""A module."""\n', (1, 3), "Expected a key"),
        ("generation: {}\n---\ngeneration: {}\n", (2, 1), "Remove the second"),
        ("generation: &a {}\n", (1, 13), "Anchors"),
        ("generation: *a\n", (1, 13), "aliases"),
        ("a: &a [b, b]\nc: &c [*a, *a]\n", (1, 4), "Anchors"),
        ("generation: !!python/object:os.system {}\n", (1, 13), "Tags"),
        (line_of("enabled: !!bool yes"), (3, 14), "Tags"),
        (line_of("<<: {enabled: true}"), (3, 5), "Unknown key '<<'"),
        ("? [a]\n: b\n", (1, 3), "Expected a word as key"),
        ("generation: {\n", (2, 1), "Expected"),
        (b"generation: {}\n\xff\n", (2, 1), "UTF-8"),
        ("generation: \x07\n", (1, 13), "'\\x07'"),
        ("generation: {}\n\u2028x: 1\n", (2, 1), "'\\u2028'"),
        ("generation: {}\r\npakage: 1\r\n", (2, 1), "Unknown key 'pakage'"),
        ("[" * 60_000, (1, 11), "Nested too deeply"),
        ("- " * 20_000, (1, 21), "Nested too deeply"),
        ("{a: " * 15_000, (1, 38), "Nested too deeply"),
        (line_of("enabled: true\t"), (3, 18), "spaces"),
        ("#" * 70_000, (1, 1), "larger than"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str | bytes) else "",
)
def test_an_error_shows_its_position(tmp_path, text, place, says):
    line, column, problem = refused(tmp_path, text)
    assert (line, column) == place
    assert says in problem


def test_an_error_shows_its_line_with_a_mark_below_the_position(tmp_path):
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, line_of("databse_path: app.db"))
    assert caught.value.__notes__ == ["        databse_path: app.db\n        ^"]
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, line_of(f"database_path: {'x' * 300}\x00{'y' * 300}"))
    shown, mark = caught.value.__notes__[0].split("\n")
    assert (len(shown), shown[len(mark) - 1]) == (104, "\x00")


def test_positions_at_line_starts_and_with_other_line_endings_are_correct(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode()) == read(tmp_path, WHOLE)


def test_text_may_contain_any_characters(tmp_path):
    title = "Travail\u00a0: \u201cboutique\u201d \U0001f468\u200d\U0001f469"
    found = read(tmp_path, line_of(f'initial_notification_title: "{title}"'))
    assert found.background_services.initial_notification_title == title


def test_a_missing_file_is_an_error_with_the_command_that_creates_it(tmp_path):
    with pytest.raises(SettingsMissingError, match="tetherpy init"):
        read_settings(tmp_path / "tether.yaml")


@given(st.binary(max_size=200) | st.text(alphabet=" \t\n-:?[]{}&*!|>'\"%@#,abtrue01", max_size=80).map(str.encode))
def test_any_content_gives_settings_or_an_error_with_a_position(tmp_path_factory, content):
    try:
        read(tmp_path_factory.mktemp("settings"), content)
    except SettingsError as error:
        place = (error.line, error.column)
    else:
        place = (1, 1)
    assert min(place) >= 1
