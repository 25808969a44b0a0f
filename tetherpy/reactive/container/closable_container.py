"""The disposal of a container: children first, then providers, then asynchronous clean-up."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from ..graph.dependencies import users_first
from ..graph.disposal import dispose_all
from ..lifecycle.context_managers import Unwinding
from ..lifecycle.teardown import is_torn_down_under
from .container_host import ContainerHost
from .observer import ProviderObserverContext


class ClosableContainer(ContainerHost):
    """Base of ProviderContainer with ``dispose``, ``aclose`` and the ``with`` block."""

    __slots__ = ()

    unwinding: Unwinding | None

    def dispose(self, error: BaseException | None = None) -> None:
        """Dispose children, then providers in reverse order of creation. A second call does nothing.

        Asynchronous disposers run on the running loop; their failures go to ``on_error``.

        Args:
            error: passed to the context managers entered by providers, like the exception of a ``with`` block.

        Raises:
            NoEventLoopError: an asynchronous disposer could not run because no loop runs; the rest is disposed.
        """
        if self._disposed or self.closing:
            return
        self._check_thread()
        self.unwinding = Unwinding(error)
        self.scheduler.depth += 1
        try:
            self._dispose_tree()
        finally:
            try:
                self.scheduler.leave()
            finally:
                stranded = None if self._cleanup is None else self._cleanup.take_stranded()
                if self.parent is None:
                    self.scheduler.close()
                elif self._cleanup is not None:
                    self.parent._own_cleanup().adopt(self._cleanup)
        if stranded is not None:
            raise stranded

    def _dispose_tree(self) -> None:
        self.closing = True
        for child in reversed(tuple(self._children or ())):
            # aclose() of this container waits for its children too, and raises their errors.
            cleanup = self._own_cleanup()
            if child._cleanup is not None:
                cleanup.adopt(child._cleanup)
            child._cleanup = cleanup
            child.unwinding = child.cut_off() or self.unwinding
            child._dispose_tree()
        for subscription in tuple(self._guests or ()):
            subscription.close()
        own = [element for element in reversed(self.elements.values()) if element.host is self]
        if len(own) < len(self.elements):
            for element in self.elements.values():
                if element.holders is not None:
                    element.holders.pop(self, None)
        dispose_all(users_first(own) if self.edges_moved else own, self)
        self.elements.clear()
        if self.observers:
            context = ProviderObserverContext(self)
            self.scheduler.callbacks.append((self.tell, ("did_dispose_provider_container", context)))
        self._disposed = True
        if self.parent is not None and self.parent._children is not None:
            self.parent._children.pop(self, None)

    async def aclose(self, error: BaseException | None = None) -> None:
        """Dispose, and wait for all asynchronous disposers.

        Called by a disposer of this container or of a child, it does not wait, because the disposer would wait for
        itself; failures then go to ``on_error``.

        Args:
            error: passed to the context managers entered by providers, like the exception of an ``async with`` block.

        Raises:
            ExceptionGroup: all errors raised while providers were being disposed.
        """
        if is_torn_down_under(self):
            self.dispose(error)
            return
        cleanup = self._own_cleanup()
        self.scheduler.loops.serve()
        try:
            if not self._disposed and not self.closing:
                self._check_thread()
                cleanup.collect()
                try:
                    self.dispose(error)
                except Exception as failure:
                    self.report(failure, self)
                except BaseException:
                    await cleanup.finish()
                    raise
            await cleanup.finish()
        except BaseException:
            self._report_all(cleanup.take_collected())
            raise
        self._raise_all(cleanup.take_collected())

    def _report_all(self, failures: list[BaseException]) -> None:
        for failure in failures:
            self.report(failure, self)

    def _raise_all(self, failures: list[BaseException]) -> None:
        if failures:
            raise BaseExceptionGroup(f"{len(failures)} errors while disposing {self!r}", failures)

    def cut_off(self) -> Unwinding | None:
        """Return a cancellation if the block of this container has not ended, and the parent has no error."""
        above = None if self.parent is None else self.parent.unwinding
        if not self.entered or above is None or above.error is not None:
            return None
        return Unwinding(asyncio.CancelledError("The parent container was closed before the block of this one."))

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        cleanup = self._own_cleanup()
        cleanup.collect()
        try:
            self.dispose(error)
        except BaseException:
            self._report_all(cleanup.take_collected())
            raise
        self._raise_all(cleanup.take_collected())
        return self._has_suppressed(error)

    async def __aenter__(self) -> Self:
        self.entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        await self.aclose(error)
        return self._has_suppressed(error)

    def _has_suppressed(self, error: BaseException | None) -> bool:
        """Whether a context manager has suppressed the error of the block, as it would in an ``ExitStack``."""
        unwinding = self.unwinding
        return unwinding is not None and unwinding.cause is error is not None and unwinding.error is None
