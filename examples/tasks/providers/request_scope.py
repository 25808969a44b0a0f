"""Give each request a database session, which is committed or rolled back at the end of the request."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from tetherpy import Provider, ProviderContainer
from tetherpy.fastapi import lifespan, watch

sessions = sessionmaker(create_engine("sqlite:///shop.db"))


session_provider = Provider(lambda ref: ref.enter(sessions.begin()), name="session", scope="request")
app = FastAPI(lifespan=lifespan(ProviderContainer))


@app.post("/orders/{item}")
def order(item: str, session: Annotated[Session, Depends(watch(session_provider))]) -> None:
    session.execute(text("INSERT INTO orders (item) VALUES (:item)"), {"item": item})
