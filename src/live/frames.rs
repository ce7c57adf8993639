//! Frames as text. Events are spliced in as the log has them: nothing is read or written anew.

use axum::extract::ws::Utf8Bytes;
use serde_json::json;
use tidings_domain::{
    live::{HEARTBEAT_MS, ResetReason, SNAPSHOT_CHUNK},
    task::Task,
    time::Timestamp,
};
use uuid::Uuid;

use super::Pulse;
use crate::{
    error::{Error, Result},
    store::StoredEvent,
};

/// What a frame is filled up to, in bytes, unless one item alone is more. A socket keeps a buffer
/// as large as its largest frame, so small frames keep idle sockets small.
const FRAME_BYTES: usize = 8 * 1024;

/// The answer to a hello.
pub fn welcome(epoch: Uuid, head: i64, now: Timestamp) -> Utf8Bytes {
    json!({
        "t": "welcome",
        "epoch": epoch,
        "head": head,
        "server_time": now,
        "heartbeat_ms": HEARTBEAT_MS,
    })
    .to_string()
    .into()
}

/// Says that a client has everything up to here.
pub fn live(cursor: i64) -> Utf8Bytes {
    format!(r#"{{"t":"live","cursor":{cursor}}}"#).into()
}

/// Says how many tabs the person has.
pub fn tabs(count: u32) -> Utf8Bytes {
    format!(r#"{{"t":"tabs","count":{count}}}"#).into()
}

/// Says how many notifications are unread.
pub fn unread(count: i64) -> Utf8Bytes {
    format!(r#"{{"t":"unread","count":{count}}}"#).into()
}

/// Says that a snapshot follows.
pub fn reset(reason: ResetReason) -> Utf8Bytes {
    json!({ "t": "reset", "reason": reason }).to_string().into()
}

/// The answer to a ping.
pub fn pong() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"t":"pong"}"#)
}

/// Frames of events that go on from `cursor`, in order.
pub fn pulses(cursor: i64, events: &[StoredEvent]) -> Vec<Pulse> {
    let mut pulses = Vec::new();
    let mut from = cursor + 1;
    for part in parts(events, usize::MAX, |event| event.json.len()) {
        let Some(last) = part.last() else { continue };
        let to = last.seq;
        let items = part.iter().map(|event| &*event.json);
        let frame = list(
            format!(r#"{{"t":"events","from":{from},"to":{to},"items":["#),
            items,
            "]}",
        );
        pulses.push(Pulse {
            from,
            to,
            frame: Some(frame),
        });
        from = to + 1;
    }
    pulses
}

/// Frames of a snapshot that stands at `cursor`; one even of nothing.
///
/// # Errors
/// None in practice: tasks can always be written.
pub fn snapshot(cursor: i64, tasks: &[Task]) -> Result<Vec<Utf8Bytes>> {
    let tasks: Vec<String> = tasks
        .iter()
        .map(|task| serde_json::to_string(task).map_err(Error::internal))
        .collect::<Result<_>>()?;
    let mut chunks: Vec<_> = parts(&tasks, SNAPSHOT_CHUNK, String::len).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let last = chunks.len() - 1;
    let frame = |(i, chunk): (usize, &[String])| {
        list(
            format!(r#"{{"t":"snapshot","cursor":{cursor},"items":["#),
            chunk.iter().map(String::as_str),
            if i == last {
                r#"],"last":true}"#
            } else {
                r#"],"last":false}"#
            },
        )
    };
    Ok(chunks.into_iter().enumerate().map(frame).collect())
}

/// Cuts items into runs of at most `count` that fill a frame.
fn parts<T>(
    mut items: &[T],
    count: usize,
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = items.iter().take(count).take_while(|item| {
            bytes += size(item);
            bytes <= FRAME_BYTES
        });
        let n = fits.count().max(1);
        let (part, rest) = items.split_at_checked(n)?;
        items = rest;
        Some(part)
    })
}

fn list<'a>(
    mut text: String,
    items: impl Iterator<Item = &'a str> + Clone,
    end: &str,
) -> Utf8Bytes {
    text.reserve_exact(items.clone().map(|i| i.len() + 1).sum::<usize>() + end.len());
    for (i, item) in items.enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push_str(end);
    text.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidings_domain::live::ServerFrame;

    use super::*;

    fn event(seq: i64, bytes: usize) -> StoredEvent {
        let json: Arc<str> = format!(r#"{{"seq":{seq},"pad":"{}"}}"#, "x".repeat(bytes)).into();
        StoredEvent { seq, json }
    }

    fn read(frame: &str) -> ServerFrame {
        serde_json::from_str(frame).unwrap()
    }

    #[test]
    fn events_are_cut_into_contiguous_frames_that_hold_what_the_log_holds() {
        let events: Vec<_> = (5..=44)
            .map(|seq| event(seq, if seq == 20 { 3 * FRAME_BYTES } else { 1_000 }))
            .collect();
        let pulses = pulses(4, &events);
        let mut next = 5;
        for pulse in &pulses {
            assert_eq!(pulse.from, next);
            let frame: serde_json::Value =
                serde_json::from_str(pulse.frame.as_ref().unwrap()).unwrap();
            assert_eq!(frame["t"], "events");
            assert_eq!(
                (frame["from"].as_i64(), frame["to"].as_i64()),
                (Some(pulse.from), Some(pulse.to))
            );
            for (item, seq) in frame["items"].as_array().unwrap().iter().zip(pulse.from..) {
                assert_eq!(item["seq"].as_i64(), Some(seq));
            }
            assert_eq!(
                frame["items"].as_array().unwrap().len() as i64,
                pulse.to - pulse.from + 1
            );
            next = pulse.to + 1;
        }
        assert_eq!(next, 45);
        assert!(pulses.len() > 3, "large batches are split");
        assert!(super::pulses(4, &[]).is_empty());
    }

    #[test]
    fn an_empty_snapshot_is_one_last_chunk() {
        let frames = snapshot(7, &[]).unwrap();
        let [frame] = &frames[..] else {
            panic!("one frame")
        };
        let expected = ServerFrame::Snapshot {
            cursor: 7,
            items: Vec::new(),
            last: true,
        };
        assert_eq!(read(frame), expected);
    }

    #[test]
    fn small_frames_read_as_they_should() {
        let epoch = Uuid::from_u128(1);
        assert_eq!(
            read(&welcome(epoch, 3, Timestamp(0))),
            ServerFrame::Welcome {
                epoch,
                head: 3,
                server_time: Timestamp(0),
                heartbeat_ms: HEARTBEAT_MS,
            }
        );
        assert_eq!(read(&live(3)), ServerFrame::Live { cursor: 3 });
        assert_eq!(read(&tabs(3)), ServerFrame::Tabs { count: 3 });
        assert_eq!(read(&unread(3)), ServerFrame::Unread { count: 3 });
        assert_eq!(
            read(&reset(ResetReason::TooMany)),
            ServerFrame::Reset {
                reason: ResetReason::TooMany
            }
        );
        assert_eq!(read(&pong()), ServerFrame::Pong);
    }
}
