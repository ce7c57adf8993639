//! Bodies that must come at a pace: a request has its place among those under way while it is read,
//! and a client that drips it must not keep that place from others.

use std::time::Duration;

use axum::body::Body;
use futures_util::{StreamExt, stream::try_unfold};
use tokio::time::{Instant, timeout_at};

/// How far a body may be behind.
const BEHIND: Duration = Duration::from_secs(5);
/// Bytes of it that must come each second.
const RATE: u32 = 16 * 1024;

/// A body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub(super) struct TooSlow;

/// The same body, which fails with [`TooSlow`] once it is too far behind.
pub(super) fn paced(body: Body) -> Body {
    let begun = Instant::now();
    let start = (body.into_data_stream(), Duration::ZERO);
    Body::from_stream(try_unfold(start, move |(mut data, worth)| async move {
        match timeout_at(begun + BEHIND + worth, data.next()).await {
            Err(_) => Err(axum::Error::new(TooSlow)),
            Ok(None) => Ok(None),
            Ok(Some(chunk)) => {
                let chunk = chunk?;
                let seconds = chunk.len() as f64 / f64::from(RATE);
                let worth = worth + Duration::from_secs_f64(seconds);
                Ok(Some((chunk, (data, worth))))
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::stream::unfold;
    use tidings_domain::error::Code;

    use super::*;
    use crate::{error::Error, http::fields::whole};

    /// A body of so many parts, one each second.
    fn dripping(parts: usize, size: usize) -> Body {
        Body::from_stream(unfold(parts, move |left| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let part = Ok::<_, axum::Error>(vec![b'x'; size]);
            Some((part, left.checked_sub(1)?))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_pace_is_read_however_long_it_takes() {
        let size = RATE as usize;
        let read = to_bytes(paced(dripping(60, size)), usize::MAX).await;
        assert_eq!(read.unwrap().len(), 60 * size);
        let small = to_bytes(paced(dripping(3, 1)), usize::MAX).await;
        assert_eq!(small.unwrap().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_drips_is_given_up() {
        let begun = Instant::now();
        let request = axum::extract::Request::new(paced(dripping(60, 1)));
        let read = whole(request).await;
        let Err(Error::Refused(fault)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(fault.code, Code::Unavailable);
        assert!(begun.elapsed() < BEHIND * 2);
    }
}
