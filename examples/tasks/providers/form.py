"""Validate a form while it is filled in, and send it."""

from attrs import frozen

from examples.tasks import server
from tetherpy import Mutation, Provider, ProviderContainer, Ref, StateProvider


@frozen
class SignUp:
    email: str = ""
    age: int = 0


form_provider = StateProvider(lambda ref: SignUp(), name="form")
send = Mutation[str]("sign up")


@Provider
def errors_provider(ref: Ref) -> dict[str, str]:
    form = ref.watch(form_provider)
    checks = {"email": "@" in form.email, "age": form.age >= 18}
    return {field: "is not valid" for field, is_valid in checks.items() if not is_valid}


async def submit(container: ProviderContainer) -> None:
    if not container.read(errors_provider):
        await send.run(container, lambda tx: server.answer(f"welcome {tx.get(form_provider).email}"))
