"""A job handler with its own provider container, which provides the services of this job."""

from datetime import UTC, datetime
from typing import Any, TypedDict

import attrs
import msgspec

from tetherpy import Provider, Ref, ServiceInstance, SqlDatabase

KEY = "complexDataProcessing"


class Query(TypedDict):
    """The payload: the key of the query."""

    query_key: str


@attrs.frozen
class DataFetcherService:
    """Fetches data through the worker's database connection."""

    db: SqlDatabase

    async def fetch_data(self, query_key: str) -> list[dict[str, Any]]:
        """Return the rows for a key."""
        row = await self.db.get("SELECT ? AS data", (f"Sample data for {query_key}",))
        return [{"id": 1, "data": row["data"]}]


class DataProcessorService:
    """Processes the fetched rows."""

    async def process(self, raw_data: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a summary."""
        return {"processed_count": len(raw_data), "summary": "Processed successfully"}


@Provider
def data_fetcher_provider(ref: Ref) -> DataFetcherService:
    """Must be overridden in the job's container, which has a database."""
    raise NotImplementedError("data_fetcher_provider needs the job's db: override it")


@Provider
def data_processor_provider(ref: Ref) -> DataProcessorService:
    """The processor."""
    return DataProcessorService()


async def complex_data_processing_job_handler(
    service: ServiceInstance, payload: Query, db: SqlDatabase
) -> dict[str, Any]:
    """Fetch, process and store, through services of this job's container."""
    query_key = payload["query_key"]
    fetcher_override = data_fetcher_provider.override_with_value(DataFetcherService(db))
    async with service.job_container(overrides=[fetcher_override]) as job_container:
        fetcher = job_container.read(data_fetcher_provider)
        processor = job_container.read(data_processor_provider)
        processed_result = await processor.process(await fetcher.fetch_data(query_key))
        await db.execute(
            "INSERT INTO job_results (job_key, query_key, result, processed_at) VALUES (?, ?, ?, ?)",
            (KEY, query_key, msgspec.json.encode(processed_result).decode(), datetime.now(UTC).isoformat()),
        )
    return processed_result
