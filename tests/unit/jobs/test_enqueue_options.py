"""The options that typed functions pass on are those of the manager."""

import inspect

from tetherpy.jobs import BackgroundJobManager, EnqueueOptions


def test_they_are_the_keyword_arguments_of_enqueue_with_the_same_types():
    parameters = inspect.signature(BackgroundJobManager.enqueue).parameters.values()
    taken = {
        parameter.name: parameter.annotation for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY
    }
    offered = {name: annotation.__forward_arg__ for name, annotation in EnqueueOptions.__annotations__.items()}
    assert offered == taken
