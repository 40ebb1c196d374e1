"""One WebSocket connection: sign-in, then a reader that obeys the client's frames, a writer that
sends what its subscriptions have to say, and a watch on whether the sign-in still holds. Ends
with the close code that says why.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec
from starlette.websockets import WebSocketDisconnect

from waystock.contract.frames import AckFrame, AuthFrame, ClientFrame, SubFrame, UnsubFrame
from waystock.store.pool import StoreAwayError
from waystock_api.access import Principal
from waystock_api.live.hub import Hub
from waystock_api.live.protocol import (
    CLOSE_AUTH,
    CLOSE_TOO_SLOW,
    CLOSE_TRY_LATER,
    CLOSE_UNUSABLE,
    beat_frame,
    decode_frame,
    error_frame,
)
from waystock_api.live.subscription import Subscription
from waystock_api.settings import ApiSettings

SUBSCRIPTIONS_MAX = 16
REFUSED_MAX = 20
REPLIES_MAX = 32


class Close(NamedTuple):
    """Why the server ends the connection."""

    code: int
    reason: str


class Socket(Protocol):
    """What a session needs of a WebSocket. Both raise WebSocketDisconnect once it is closed."""

    async def receive_text(self) -> str: ...
    async def send_text(self, data: str) -> None: ...


class SignIn(NamedTuple):
    """Looks credentials up, each raising StoreAwayError; None: not valid (any more)."""

    by_token: Callable[[str], Awaitable[Principal | None]]
    again: Callable[[Principal], Awaitable[Principal | None]]


class Session:
    def __init__(
        self,
        socket: Socket,
        hub: Hub,
        sign_in: SignIn,
        settings: ApiSettings,
        now: Callable[[], datetime],
    ) -> None:
        self._socket = socket
        self._hub = hub
        self._sign_in = sign_in
        self._settings = settings
        self._now = now
        self._subscriptions: dict[int, Subscription] = {}
        self._replies: deque[str] = deque(maxlen=REPLIES_MAX)
        self._news = asyncio.Event()

    async def run(self, principal: Principal | None) -> Close | None:
        """Serve until either side ends it; None: the client has gone.

        `principal` is who signed in by cookie, else the first message must sign in.
        """
        try:
            signed_in = principal or await self._first_message()
        except WebSocketDisconnect:
            return None
        if isinstance(signed_in, Close):
            return signed_in
        self._hub.metrics.ws_clients.inc()
        try:
            return await self._serve(signed_in)
        finally:
            self._hub.metrics.ws_clients.dec()
            for subscription in self._subscriptions.values():
                self._hub.unlisten(subscription.channel.name, self._news.set)

    async def _first_message(self) -> Principal | Close:
        try:
            async with asyncio.timeout(self._settings.auth_wait_s):
                frame = decode_frame(await self._socket.receive_text())
                if not isinstance(frame, AuthFrame):
                    return Close(CLOSE_AUTH, "sign in first")
                principal = await self._sign_in.by_token(frame.token)
        except TimeoutError:
            return Close(CLOSE_AUTH, "no sign-in in time")
        except msgspec.DecodeError:
            return Close(CLOSE_AUTH, "sign in first")
        except StoreAwayError:
            return Close(CLOSE_TRY_LATER, "the database can't be asked now")
        return principal or Close(CLOSE_AUTH, "this token is not valid")

    async def _serve(self, principal: Principal) -> Close | None:
        tasks = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._watch(principal)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        except WebSocketDisconnect:
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> Close:
        refused = 0
        while refused <= REFUSED_MAX:
            text = await self._socket.receive_text()
            try:
                self._obey(decode_frame(text))
            except msgspec.DecodeError as error:
                refused += 1
                self._hub.metrics.ws_refused.inc()
                self._reply(error_frame("bad_message", str(error)))
        return Close(CLOSE_UNUSABLE, "too many messages that can't be used")

    def _obey(self, frame: ClientFrame) -> None:
        match frame:
            case SubFrame():
                self._subscribe(frame)
            case UnsubFrame():
                self._unsubscribe(frame.id)
            case AckFrame():
                subscription = self._subscriptions.get(frame.id)
                if subscription is not None:
                    subscription.acknowledge(frame.seq)
                    self._news.set()
            case AuthFrame():
                pass  # A page with a device token may have been signed in by a cookie already.

    def _subscribe(self, frame: SubFrame) -> None:
        self._unsubscribe(frame.id)
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            message = f"at most {SUBSCRIPTIONS_MAX} subscriptions; unsubscribe from one first"
            self._reply(error_frame("too_many", message, frame.id))
            return
        channel = self._hub.channels[frame.ch]
        self._subscriptions[frame.id] = Subscription(
            frame.id, channel, frame.args.site, frame.since, self._hub.metrics
        )
        self._hub.listen(channel.name, self._news.set)
        self._news.set()

    def _unsubscribe(self, subscription: int) -> None:
        known = self._subscriptions.pop(subscription, None)
        if known is None:
            return
        if all(other.channel is not known.channel for other in self._subscriptions.values()):
            self._hub.unlisten(known.channel.name, self._news.set)

    def _reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._news.set()

    async def _write(self) -> Close:
        beat_s = self._hub.clock_s()
        while True:
            self._news.clear()
            now_s = self._hub.clock_s()
            try:
                if now_s >= beat_s:
                    beat_s = now_s + self._settings.beat_s
                    await self._send(beat_frame(self._now()))
                await self._send_news(now_s)
            except TimeoutError:
                return Close(CLOSE_TOO_SLOW, "messages don't get through")
            if self._unacknowledged_s() > self._settings.slow_s:
                return Close(CLOSE_TOO_SLOW, "messages are not acknowledged")
            try:
                async with asyncio.timeout(max(0.0, beat_s - self._hub.clock_s())):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _send_news(self, now_s: float) -> None:
        while self._replies:
            await self._send(self._replies.popleft())
        for subscription in list(self._subscriptions.values()):
            for frame in subscription.frames(now_s):
                await self._send(frame)

    async def _send(self, frame: str) -> None:
        async with asyncio.timeout(self._settings.slow_s):
            await self._socket.send_text(frame)

    def _unacknowledged_s(self) -> float:
        now_s = self._hub.clock_s()
        waits = (each.unacknowledged_s(now_s) for each in self._subscriptions.values())
        return max(waits, default=0.0)

    async def _watch(self, principal: Principal) -> Close:
        while True:
            await asyncio.sleep(self._settings.recheck_s)
            try:
                if await self._sign_in.again(principal) is None:
                    return Close(CLOSE_AUTH, "signed out")
            except StoreAwayError:
                continue  # No answer is no reason to throw anybody out.
