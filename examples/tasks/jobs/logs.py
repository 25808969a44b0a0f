"""Log from a worker."""

import logging

from tetherpy import ServiceInstance, SqlDatabase, background_job

logger = logging.getLogger("shop")


@background_job("ship")
async def ship(service: ServiceInstance, payload: int, db: SqlDatabase) -> None:
    logger.info("order %d", payload)
