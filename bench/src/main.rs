//! Measures a running Tidings and, in the same run, a bare axum handler: README.md tells how.

mod baseline;
mod http;
mod live;
mod load;
mod many;
mod person;
mod process;
mod report;

use std::error::Error;

/// Whatever goes wrong ends the run.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(baseline::ARGUMENT) {
        return baseline::serve(&arguments.next().ok_or("an address")?).await;
    }
    report::head();
    load::figures().await?;
    live::figures().await?;
    many::figures().await
}
