"""The three main uses of tetherpy, each in a few lines of user code."""

import asyncio

from providers import (
    background_job_manager_provider,
    background_service_provider,
    database_path_provider,
    database_provider,
    job_counts_stream_provider,
    job_stream_provider,
)
from tetherpy import (
    AsyncData,
    AsyncLoading,
    FutureProvider,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    Ref,
)
from tetherpy.jobs import BackgroundJobStatus
from tetherpy.service import BackgroundService

# -- what an app declares --------------------------------------------------------------------------


class Basket(Notifier[tuple[str, ...]]):
    def build(self) -> tuple[str, ...]:
        return ()

    def add(self, article: str) -> None:
        self.state = (*self.state, article)


basket_provider = NotifierProvider(Basket)


@FutureProvider
async def prices_provider(ref: Ref) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"tea": 3, "cake": 4}


@Provider
def total_provider(ref: Ref) -> int:
    prices = ref.watch(prices_provider).require_value
    return sum(prices[article] for article in ref.watch(basket_provider))


@FutureProvider
async def receipt_provider(ref: Ref) -> str:
    return f"{len(ref.watch(basket_provider))} articles, {ref.watch(total_provider)} in all"


async def test_declaring_providers_in_app_code():
    async with ProviderContainer() as container:
        receipts = []
        container.listen(receipt_provider, lambda previous, receipt: receipts.append(receipt), fire_immediately=True)
        assert receipts == [AsyncLoading()]
        assert await container.read(receipt_provider.future) == "0 articles, 0 in all"
        basket = container.read(basket_provider.notifier)
        basket.add("tea")
        basket.add("cake")
        assert container.read(total_provider) == 7
        assert await container.read(receipt_provider.future) == "2 articles, 7 in all"
        assert receipts[-1] == AsyncData("2 articles, 7 in all")


async def test_overriding_providers_in_tests():
    overrides = [
        prices_provider.override_with_value(AsyncData({"tea": 100})),
        basket_provider.override_with_build(lambda ref, basket: ("tea",)),
    ]
    async with ProviderContainer(overrides=overrides) as container:
        assert container.read(total_provider) == 100
        container.read(basket_provider.notifier).add("tea")
        assert container.read(total_provider) == 200


async def test_subscribing_to_job_stream_providers(tmp_path):
    path = tmp_path / "app.db"
    service = BackgroundService(path, "examples.seed.worker:my_app_background_initialization", unknown_key_grace=0.5)
    overrides = [
        database_path_provider.override_with_value(path),
        background_service_provider.override_with_value(service),
    ]
    async with ProviderContainer(overrides=overrides) as container:
        try:
            counts = []
            container.listen(job_counts_stream_provider, lambda previous, state: counts.append(state))
            assert container.read(job_counts_stream_provider) == AsyncLoading()  # the database is still opening

            await container.read(database_provider.future)
            job_id = await container.read(background_job_manager_provider).enqueue("nobodyDoesThis")
            observed = asyncio.Queue()
            container.observe(job_stream_provider(job_id)).subscribe(observed.put_nowait)
            await service.start()  # another process finds that the job has no handler, and this one sees the result
            async with asyncio.timeout(25):
                while True:
                    state = await observed.get()
                    if state.value is not None and state.value.status is BackgroundJobStatus.FAILED:
                        break
            assert "nobodyDoesThis" in state.value.last_error
            assert "dummyTask" in state.value.last_error  # it lists the registered keys
            async with asyncio.timeout(25):  # each stream reports it separately, in any order
                async for state in container.stream(job_counts_stream_provider):
                    if not state.is_loading and state.require_value.failed == 1:
                        break
            assert counts[-1].require_value.failed == 1
        finally:
            await service.stop(timeout=5)
            await service.aclose()
