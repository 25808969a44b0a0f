import functools
import sys
import types

import pytest

from tetherpy.service import CallbackNameError
from tetherpy.service.protocol.callback_name import name_of, resolve


class Holder:
    @staticmethod
    def initialize(service): ...


def test_a_valid_name_is_accepted_unchanged():
    assert name_of("app.worker:Holder.initialize") == "app.worker:Holder.initialize"


@pytest.mark.parametrize("text", ["", "app", "app:", ":f", "a:b:c", "app.worker.f", "app worker:f", "app:f()"])
def test_an_invalid_name_is_refused(text):
    with pytest.raises(CallbackNameError, match="module:function"):
        name_of(text)


def test_a_function_is_converted_to_its_name():
    assert name_of(Holder.initialize) == f"{__name__}:Holder.initialize"


def test_a_function_that_another_process_cannot_import_is_refused():
    def inner(service): ...

    for callback, reason in (
        (lambda service: None, "lambda"),
        (inner, "inside another function"),
        (functools.partial(Holder.initialize), "no name"),
    ):
        with pytest.raises(CallbackNameError, match=reason):
            name_of(callback)


def test_a_function_of_the_main_script_is_refused():
    function = types.FunctionType((lambda service: None).__code__, {}, "initialize")
    function.__module__, function.__qualname__ = "__main__", "initialize"
    with pytest.raises(CallbackNameError, match="main script"):
        name_of(function)


def test_a_name_resolves_to_its_function(monkeypatch):
    module = types.ModuleType("some_app")
    module.Holder, module.number = Holder, 1
    monkeypatch.setitem(sys.modules, "some_app", module)
    assert resolve("some_app:Holder.initialize") is Holder.initialize
    with pytest.raises(CallbackNameError, match="some_app has no nothing"):
        resolve("some_app:nothing")
    with pytest.raises(CallbackNameError, match="int and cannot be called"):
        resolve("some_app:number")
    with pytest.raises(ModuleNotFoundError):
        resolve("no_such_module_at_all:f")
