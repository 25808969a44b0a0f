"""The service: the worker processes and the app's handle to them."""

from reactivex import Observable

from tetherpy import Provider, Ref, StreamProvider
from tetherpy.service import BackgroundService, ServiceState

from .database import database_path_provider


@Provider
def background_service_provider(ref: Ref) -> BackgroundService:
    """The handle to the workers of the app's database; detached workers go on when it is closed."""
    service = BackgroundService(
        ref.watch(database_path_provider),
        app_initialization_callback="examples.seed.worker:my_app_background_initialization",
        initial_notification_title="My App Service",
        initial_notification_content="Performing background tasks...",
    )
    ref.on_dispose(service.aclose)
    return service


@StreamProvider
def service_state_stream_provider(ref: Ref) -> Observable[ServiceState]:
    """Whether workers run, which, and what their notification says."""
    return ref.watch(background_service_provider).state
