"""Retry with backoff, but not after one kind of error."""

from tetherpy import Backoff, ServiceInstance, SqlDatabase, background_job


class CardDeclinedError(Exception): ...


@background_job("charge", retry=Backoff(initial=0.01, max_attempts=3, never=CardDeclinedError))
async def charge(service: ServiceInstance, payload: int, db: SqlDatabase) -> None:
    raise CardDeclinedError if payload > 100 else ConnectionError
