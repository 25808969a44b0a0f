"""Sessions of those who logged in with the token: signed, ended by time, and revoked by a log out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

import attrs

from tetherpy.jobs import Clock

IDLE = timedelta(hours=12)
"""A session that is not used for this long has ended."""
LONGEST = timedelta(days=7)
"""A session ends after this long, however much it is used."""
RENEWED_AFTER = timedelta(hours=1)
"""A session that was written longer ago is written again when it is used."""


@attrs.frozen
class Session:
    """Hold what the cookie of a session says: which one it is, since when, and when it was last written."""

    id: str
    begun: datetime
    seen: datetime


@attrs.define(eq=False)
class Sessions:
    """Write and read the sessions of one token.

    Every process with the same token reads them, and changing the token ends all. What was revoked is known to
    this process only.
    """

    token: str = attrs.field(repr=False)
    clock: Clock
    _revoked: dict[str, datetime] = attrs.field(init=False, factory=dict[str, datetime])

    def begin(self) -> str:
        """Return the cookie of a new session."""
        now = self.clock()
        return self._write(Session(secrets.token_urlsafe(16), now, now))

    def renewed(self, session: Session) -> str | None:
        """Return a cookie that lasts longer, None while the one that is there is new enough."""
        now = self.clock()
        return self._write(attrs.evolve(session, seen=now)) if now - session.seen > RENEWED_AFTER else None

    def find(self, cookie: str | None) -> Session | None:
        """Return the session that a cookie shows; None if it is none, has ended, or was revoked."""
        text, _, signature = (cookie or "").rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(text).encode()):
            return None
        # What is signed was written by begin() or renewed(), so that it can be read.
        name, begun, seen = text.split(".")
        session = Session(name, _moment(begun), _moment(seen))
        now = self.clock()
        ended = now - session.seen > IDLE or now - session.begun > LONGEST
        return None if ended or session.id in self._revoked else session

    def revoke(self, session: Session) -> None:
        """End a session, also for whoever has a copy of its cookie."""
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
