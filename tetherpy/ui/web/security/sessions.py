"""Sessions of users who logged in with the token: signed cookies that expire, and that a logout revokes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

import attrs

from tetherpy.jobs import WallClock

IDLE = timedelta(hours=12)
"""A session ends after so long without a request."""
LONGEST = timedelta(days=7)
"""A session ends after so long in any case."""
RENEWED_AFTER = timedelta(hours=1)
"""The age at which a request renews the cookie."""


@attrs.frozen
class Session:
    """The content of a session cookie: id, start, and the time of the last renewal."""

    id: str
    begun: datetime
    seen: datetime


@attrs.define(eq=False)
class Sessions:
    """Writes and reads the session cookies of one token.

    Every process with the same token accepts them; changing the token ends all sessions. Only this process knows
    its revoked sessions.
    """

    token: str = attrs.field(repr=False)
    clock: WallClock
    _revoked: dict[str, datetime] = attrs.field(init=False, factory=dict[str, datetime])

    def begin(self) -> str:
        """Return the cookie of a new session."""
        now = self.clock()
        return self._write(Session(secrets.token_urlsafe(16), now, now))

    def renewed(self, session: Session) -> str | None:
        """Return a renewed cookie; None while the present one is new enough."""
        now = self.clock()
        return self._write(attrs.evolve(session, seen=now)) if now - session.seen > RENEWED_AFTER else None

    def find(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie; None if the cookie is invalid, expired or revoked."""
        text, _, signature = (cookie or "").rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(text).encode()):
            return None
        # A valid signature means that begin() or renewed() wrote the text: it parses.
        name, begun, seen = text.split(".")
        session = Session(name, _moment(begun), _moment(seen))
        now = self.clock()
        ended = now - session.seen > IDLE or now - session.begun > LONGEST
        return None if ended or session.id in self._revoked else session

    def revoke(self, session: Session) -> None:
        """End a session, including copies of its cookie."""
        now = self.clock()
        self._revoked = {name: moment for name, moment in self._revoked.items() if now - moment <= IDLE}
        self._revoked[session.id] = now

    def _write(self, session: Session) -> str:
        text = f"{session.id}.{session.begun.timestamp():.0f}.{session.seen.timestamp():.0f}"
        return f"{text}.{self._sign(text)}"

    def _sign(self, text: str) -> str:
        key = hashlib.sha256(f"sessions of {self.token}".encode()).digest()
        return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
