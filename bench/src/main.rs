//! Measures a running Tidings beside a bare axum handler, or with sidecars beside itself, in the same
//! run: README.md tells how.

mod baseline;
mod dapr;
mod database;
mod http;
mod live;
mod load;
mod many;
mod person;
mod place;
mod postgres;
mod process;
mod replays;
mod report;
mod services;

use std::error::Error;

/// Whatever goes wrong ends the run.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(baseline::ARGUMENT) => {
            return baseline::serve(&arguments.next().ok_or("an address")?).await;
        }
        Some(dapr::ARGUMENT) => return dapr::figures().await,
        Some(services::ARGUMENT) => return services::figures().await,
        _ => {}
    }
    report::head("Tidings", "bare axum");
    load::figures().await?;
    live::figures().await?;
    many::figures().await
}
