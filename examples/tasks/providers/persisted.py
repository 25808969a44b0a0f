"""Keep state in a file, for the next start of the app."""

from tetherpy import FutureProvider, Ref, SqliteStorage, StateProvider


@FutureProvider
async def storage_provider(ref: Ref) -> SqliteStorage:
    return await ref.enter_async(SqliteStorage.open("state.db"))


theme_provider = StateProvider.persisted("theme", "light", storage=storage_provider)
