//! The conversation with one tab. One task reads and writes: while a slow client is written to,
//! its frames pile up at the hub, are lost there, and are then read from the log instead.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use tidings_domain::{
    id::UserId,
    live::{ClientFrame, RESUME_MAX, ResetReason, Resume, close},
};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until, timeout},
};

use super::{FRAME_IN_MAX, Sockets};
use crate::{
    auth::Via,
    error::Error,
    live::{PAGE, Pulse, Seat, frames, tabs::Tab, unread::Bell},
};

/// Closing takes at most this long.
const FAREWELL: Duration = Duration::from_secs(2);
/// Frames that a client may send in a burst, and each second for ever.
const BURST: (f64, f64) = (100.0, 20.0);
/// What asking to go on from elsewhere costs, in frames: it reads the log anew.
const SYNC_COST: f64 = 20.0;
/// What a close says where something of ours failed (RFC 6455).
const FAILED: u16 = 1011;

/// Why a conversation ends.
enum End {
    /// The client is gone.
    Gone,
    /// It is told to go.
    Close(u16, &'static str),
}

type Step<T = ()> = Result<T, End>;

/// One tab's socket.
pub(super) struct Socket {
    ws: WebSocket,
    sockets: Arc<Sockets>,
    user: UserId,
    via: Via,
    /// The last seq that was sent.
    cursor: i64,
    /// When the client was heard last.
    heard: Instant,
    /// Frames that it may still send at once.
    budget: f64,
}

impl Socket {
    pub(super) fn new(ws: WebSocket, sockets: Arc<Sockets>, user: UserId, via: Via) -> Self {
        Self {
            ws,
            sockets,
            user,
            via,
            cursor: 0,
            heard: Instant::now(),
            budget: BURST.0,
        }
    }

    /// Talks until either side has enough.
    pub(super) async fn run(mut self) {
        let hub = self.sockets.hub.clone();
        let end = match hub.seat(self.user, self.sockets.store.clone()) {
            None => End::Close(close::LIMIT, "too many sockets"),
            Some(mut seat) => tokio::select! {
                Err(end) = self.serve(&mut seat) => end,
                () = hub.stopping().cancelled() => End::Close(close::RESTART, "restart"),
            },
        };
        // The client reads why only if the connection is not torn down under it, so its own close
        // is waited for.
        let farewell = async {
            if let End::Close(code, reason) = end {
                let reason = Utf8Bytes::from_static(reason);
                let frame = Message::Close(Some(CloseFrame { code, reason }));
                if self.ws.send(frame).await.is_err() {
                    return;
                }
            }
            while let Some(Ok(_)) = self.ws.recv().await {}
        };
        let _ = timeout(FAREWELL, farewell).await;
    }

    async fn serve(&mut self, seat: &mut Seat) -> Step<Infallible> {
        let timing = self.sockets.timing;
        let (resume, counts, rings) = timeout(timing.hello, self.hello())
            .await
            .unwrap_or(Err(End::Close(close::LIMIT, "no hello")))?;
        let mut tab = counts.then(|| self.sockets.hub.tabs().open(self.user));
        self.welcome(resume, tab.as_mut()).await?;
        let mut bell = rings.then(|| seat.bell());
        let mut check = Instant::now() + timing.heartbeat;
        loop {
            let silent = self.heard + 3 * timing.heartbeat;
            tokio::select! {
                // In this order: a client that wrote while it was written to is not silent, and
                // neither it nor a flood of events keeps the session from being looked at.
                biased;
                message = self.ws.recv() => self.heard(message).await?,
                () = sleep_until(check.min(silent)) => {
                    let now = Instant::now();
                    if now >= silent {
                        return Err(End::Close(close::LIMIT, "silent"));
                    }
                    check = now + timing.heartbeat;
                    self.look_again().await?;
                }
                pulse = seat.pulses.recv() => self.pulse(pulse).await?,
                count = recount(tab.as_mut()) => self.send(frames::tabs(count)).await?,
                count = unread(bell.as_mut()) => self.send(frames::unread(count)).await?,
            }
        }
    }

    /// Waits for the hello: where to go on from, and whether to tell how many tabs there are and how
    /// many notifications are unread.
    async fn hello(&mut self) -> Step<(Option<Resume>, bool, bool)> {
        loop {
            let message = self.ws.recv().await;
            match self.read(message)? {
                Some(ClientFrame::Hello {
                    resume,
                    tabs,
                    unread,
                    ..
                }) => return Ok((resume, tabs, unread)),
                Some(ClientFrame::Ping) => self.send(frames::pong()).await?,
                Some(ClientFrame::Sync { .. }) => return Err(malformed()),
                Some(ClientFrame::Pong) | None => {}
            }
        }
    }

    /// Answers the hello, and with it everything that was missed.
    async fn welcome(&mut self, resume: Option<Resume>, tab: Option<&mut Tab>) -> Step {
        let store = &self.sockets.store;
        let epoch = store.epoch();
        let head = store
            .head(self.user)
            .await
            .map_err(|error| failed(self.user, error))?;
        let now = self.sockets.ambient.clock.now();
        self.send(frames::welcome(epoch, head, now)).await?;
        if let Some(tab) = tab {
            self.send(frames::tabs(tab.count())).await?;
        }
        match resume {
            None => self.catch_up(Some(ResetReason::New)).await,
            Some(resume) if resume.epoch != epoch => self.catch_up(Some(ResetReason::Epoch)).await,
            Some(resume) => self.sync(resume.cursor).await,
        }
    }

    async fn heard(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        match self.read(message)? {
            Some(ClientFrame::Sync { cursor }) => {
                self.spend(SYNC_COST)?;
                self.sync(cursor).await
            }
            Some(ClientFrame::Ping) => self.send(frames::pong()).await,
            Some(ClientFrame::Hello { .. }) => Err(malformed()),
            Some(ClientFrame::Pong) | None => Ok(()),
        }
    }

    /// Reads what the client sent; nothing where it was only a sign of life.
    fn read(&mut self, message: Option<Result<Message, axum::Error>>) -> Step<Option<ClientFrame>> {
        let message = match message {
            None => return Err(End::Gone),
            // No WebSocket frame, too large, or the connection broke, where saying so does no harm.
            Some(Err(_)) => return Err(malformed()),
            Some(Ok(message)) => message,
        };
        let now = Instant::now();
        let earned = (now - self.heard).as_secs_f64() * BURST.1;
        self.budget = (self.budget + earned).min(BURST.0);
        self.heard = now;
        self.spend(1.0)?;
        match message {
            Message::Text(text) if text.len() > FRAME_IN_MAX => Err(malformed()),
            Message::Text(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| malformed()),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Binary(_) => Err(malformed()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    /// Takes what a frame costs, if the client did not ask too fast.
    fn spend(&mut self, frames: f64) -> Step {
        self.budget -= frames;
        if self.budget < 0.0 {
            return Err(End::Close(close::LIMIT, "too fast"));
        }
        Ok(())
    }

    /// Goes on from where the client says that it is.
    async fn sync(&mut self, cursor: i64) -> Step {
        if cursor < 0 {
            return Err(malformed());
        }
        self.cursor = cursor;
        self.catch_up(None).await
    }

    /// Sends what the pump handed out, if it goes on from what was sent before.
    async fn pulse(&mut self, pulse: Result<Pulse, RecvError>) -> Step {
        match pulse {
            Ok(pulse) if pulse.to <= self.cursor => Ok(()),
            Ok(Pulse {
                from,
                to,
                frame: Some(frame),
            }) if from == self.cursor + 1 => {
                self.cursor = to;
                self.send(frame).await
            }
            Ok(_) | Err(RecvError::Lagged(_)) => self.catch_up(None).await,
            Err(RecvError::Closed) => Err(End::Close(close::RESTART, "restart")),
        }
    }

    /// Sends what the log holds after the cursor, after a reset where one is due, and then says
    /// that the client is caught up.
    async fn catch_up(&mut self, mut reset: Option<ResetReason>) -> Step {
        loop {
            if let Some(reason) = reset.take() {
                self.snapshot(reason).await?;
            }
            let store = &self.sockets.store;
            let read = store.events(self.user, self.cursor, PAGE).await;
            let (head, events) = read.map_err(|error| failed(self.user, error))?;
            if self.cursor > head {
                reset = Some(ResetReason::Ahead);
                continue;
            }
            if head - self.cursor > RESUME_MAX {
                reset = Some(ResetReason::TooMany);
                continue;
            }
            for pulse in frames::pulses(self.cursor, &events) {
                self.cursor = pulse.to;
                if let Some(frame) = pulse.frame {
                    self.send(frame).await?;
                }
            }
            if events.is_empty() || self.cursor >= head {
                return self.send(frames::live(self.cursor)).await;
            }
        }
    }

    /// Sends every open task, all read before the first is sent.
    async fn snapshot(&mut self, reason: ResetReason) -> Step {
        let read = self.sockets.store.snapshot(self.user).await;
        let (cursor, tasks) = read.map_err(|error| failed(self.user, error))?;
        let chunks = frames::snapshot(cursor, &tasks).map_err(|error| failed(self.user, error))?;
        drop(tasks);
        self.send(frames::reset(reason)).await?;
        for chunk in chunks {
            self.send(chunk).await?;
        }
        self.cursor = cursor;
        Ok(())
    }

    /// Looks whether the client is still signed in. Where that cannot be told, it stays.
    async fn look_again(&mut self) -> Step {
        match self.sockets.holds(self.user, self.via).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::Close(close::SIGNED_OUT, "signed out")),
            Err(error) => {
                tracing::warn!(%error, user_id = %self.user, "the session of a socket was not looked at");
                Ok(())
            }
        }
    }

    async fn send(&mut self, frame: Utf8Bytes) -> Step {
        let sent = timeout(
            self.sockets.timing.write,
            self.ws.send(Message::Text(frame)),
        );
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(close::SLOW, "slow")),
        }
    }
}

/// How many tabs there are, once they are more or fewer; never for who does not count them.
async fn recount(tab: Option<&mut Tab>) -> u32 {
    match tab {
        Some(tab) => {
            tab.changed().await;
            tab.count()
        }
        None => std::future::pending().await,
    }
}

/// How many notifications are unread, once that is news; never for who does not ask.
async fn unread(bell: Option<&mut Bell>) -> i64 {
    match bell {
        Some(bell) => bell.rings().await,
        None => std::future::pending().await,
    }
}

fn malformed() -> End {
    End::Close(close::MALFORMED, "malformed frame")
}

/// What needs the store failed; the client comes back and resumes.
fn failed(user: UserId, error: Error) -> End {
    tracing::warn!(%error, user_id = %user, "a socket was closed");
    End::Close(FAILED, "try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, R>(_: impl FnOnce(A) -> R) -> usize {
        size_of::<R>()
    }

    #[test]
    fn an_idle_socket_is_small() {
        // With its read buffer and what the runtime keeps, a socket is to stay under 8 KB.
        assert!(size(Socket::run) <= 2_560);
    }
}
