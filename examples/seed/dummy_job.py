"""A job handler that shows its progress in the notification."""

import asyncio
from typing import Any, TypedDict

from tetherpy import ServiceInstance, SqlDatabase

STEPS = 5
STEP_SECONDS = 0.05


class Greeting(TypedDict):
    """The payload of a dummy task."""

    message: str


async def dummy_job_handler(service: ServiceInstance, payload: Greeting | None, db: SqlDatabase) -> dict[str, Any]:
    """Work through a few steps and report each."""
    message = payload["message"] if payload else "No message"
    for step in range(1, STEPS + 1):
        await asyncio.sleep(STEP_SECONDS)  # simulated work
        if service.is_foreground_service():
            service.set_foreground_notification_info(
                title="Dummy Task Progress",
                content=f"Processing: {message} (Step {step}/{STEPS})",
            )
        service.report_progress(step / STEPS, f"step {step} of {STEPS}")
    if service.is_foreground_service():
        service.set_foreground_notification_info(
            title="Dummy Task Completed",
            content=f"Finished processing: {message}",
        )
    return {"message": message, "steps": STEPS}
