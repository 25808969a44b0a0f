"""Validate a form while it is filled in, and send it."""

from attrs import frozen

from examples.tasks import server
from tetherpy import Mutation, Provider, ProviderContainer, StateProvider


@frozen
class SignUp:
    email: str = ""
    age: int = 0


def errors_of(form: SignUp) -> dict[str, str]:
    checks = {"email": "@" in form.email, "age": form.age >= 18}
    return {field: "is not valid" for field, is_valid in checks.items() if not is_valid}


form_provider = StateProvider(lambda ref: SignUp(), name="form")
errors_provider = Provider(lambda ref: errors_of(ref.watch(form_provider)), name="errors")
send = Mutation[str]("sign up")


async def submit(container: ProviderContainer) -> None:
    if not container.read(errors_provider):
        await send.run(container, lambda tx: server.answer(f"welcome {tx.get(form_provider).email}"))
