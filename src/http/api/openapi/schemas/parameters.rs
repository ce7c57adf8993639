//! Parameters of lists.

use utoipa::IntoParams;

use super::tasks::Priority;

/// Parameters of a list of tasks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// all, inbox, today, upcoming, completed or trash.
    #[param(default = "all")]
    pub view: Option<String>,
    /// Words, each of which begins a word of title, description or tags.
    pub q: Option<String>,
    /// Exactly this tag.
    pub tag: Option<String>,
    /// Exactly this priority.
    #[param(inline)]
    pub priority: Option<Priority>,
    /// Completed or not.
    pub completed: Option<bool>,
    /// Due on a day before this one.
    #[param(format = Date)]
    pub due_before: Option<String>,
    /// Due on a day after this one.
    #[param(format = Date)]
    pub due_after: Option<String>,
    /// position, due_date, priority, created_at, updated_at or title; `-` before it turns it round.
    /// Nulls come last both ways.
    #[param(default = "position")]
    pub sort: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the part before.
    pub cursor: Option<String>,
    /// An instant, or `seq:` and a number: the tasks as they were then.
    pub as_of: Option<String>,
}

/// Parameters of other lists.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// At most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the part before.
    pub cursor: Option<String>,
}

/// Parameters of what is read on from a number.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedParameters {
    /// The last number that the reader has.
    #[param(minimum = 0, default = 0)]
    pub after: Option<i64>,
    /// At most this many.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    pub limit: Option<u32>,
}
