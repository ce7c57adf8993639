//! What lines of a request are about. It is known deep inside, and told wherever something is logged.

use std::cell::Cell;

use opentelemetry::TraceId;
use tidings_domain::id::{TaskId, UserId};
use tracing::field::DisplayValue;

use super::{TraceContext, field};

tokio::task_local! {
    static ABOUT: Cell<About>;
}

/// Whom and what a request concerns, as far as that is known yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    trace: Option<TraceContext>,
    user: Option<UserId>,
    task: Option<TaskId>,
}

impl About {
    /// The request that is being answered here; nothing where none is.
    pub fn here() -> Self {
        ABOUT.try_with(Cell::get).unwrap_or_default()
    }

    /// As a field of a line.
    pub fn trace_id(&self) -> Option<DisplayValue<TraceId>> {
        field(self.trace.map(TraceContext::trace_id))
    }

    /// As a field of a line.
    pub fn user_id(&self) -> Option<DisplayValue<UserId>> {
        field(self.user)
    }

    /// As a field of a line.
    pub fn task_id(&self) -> Option<DisplayValue<TaskId>> {
        field(self.task)
    }
}

/// Answers a request that belongs to a trace; its answer, and what it turned out to be about.
pub async fn request<T>(trace: TraceContext, answer: impl Future<Output = T>) -> (T, About) {
    let about = About {
        trace: Some(trace),
        ..About::default()
    };
    let answer = async {
        let answer = answer.await;
        (answer, About::here())
    };
    ABOUT.scope(Cell::new(about), answer).await
}

/// It is this person's.
pub fn user(id: UserId) {
    learn(|about| about.user = Some(id));
}

/// It is about this task.
pub fn task(id: TaskId) {
    learn(|about| about.task = Some(id));
}

fn learn(learn: impl FnOnce(&mut About)) {
    // Outside a request nobody asks.
    let _ = ABOUT.try_with(|about| {
        let mut known = about.get();
        learn(&mut known);
        about.set(known);
    });
}
