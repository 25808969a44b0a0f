"""A worker like that of a shop: jobs that take a while, and some that fail."""

import asyncio

from tetherpy.database import Database
from tetherpy.service import ServiceInstance


def initialize(service: ServiceInstance) -> None:
    """Register the handlers."""
    service.set_as_foreground_service()
    service.register_job_handler("sales report", sales_report)
    service.register_job_handler("order mail", order_mail)
    service.register_job_handler("product import", product_import)


async def sales_report(service: ServiceInstance, payload: dict[str, object], db: Database) -> dict[str, object]:
    """Stop at a different step each time, so that a screenshot shows several."""
    last = int(str(payload["steps"]))
    for step in range(1, last + 1):
        service.report_progress(step / 12, f"summing up month {step} of 12")
        service.set_foreground_notification_info("Sales reports", f"{payload['region']}: month {step} of 12")
        await asyncio.sleep(0.02)
    if last < 12:
        await asyncio.Event().wait()
    return {"region": payload["region"], "orders": 48_210, "total": "1 204 339.50"}


async def order_mail(service: ServiceInstance, payload: dict[str, object], db: Database) -> str:
    """Do nothing."""
    return f"sent to {payload['to']}"


async def product_import(service: ServiceInstance, payload: dict[str, object], db: Database) -> None:
    """Fail like an import."""
    service.report_progress(0.25, "row 2,731 of 10,924")
    await asyncio.sleep(0.05)
    raise ValueError(f"row 2732 of {payload['file']}: the price 'n/a' is no number")
