//! Statistics.

use utoipa::{IntoParams, ToSchema};

/// Parameters of statistics.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatisticsParameters {
    /// So many days, up to today.
    #[param(minimum = 1, maximum = 366, default = 30)]
    pub days: Option<u16>,
}

/// What a person got done. What is in the trash does not count.
#[derive(ToSchema)]
pub struct Statistics {
    /// Tasks made, by day in the person's zone, oldest first; every day is there.
    pub created: Vec<DayCount>,
    /// Tasks completed, in the same way.
    pub completed: Vec<DayCount>,
    /// The part of the tasks made on these days that is completed; 0 where none was made.
    #[schema(minimum = 0, maximum = 1)]
    pub completion_rate: f64,
    /// Half of the tasks completed on these days took no longer from making to completing.
    #[schema(required = true)]
    pub median_minutes: Option<i64>,
    /// Days in a row with a completion, up to today, or to yesterday while there is none today.
    pub streak_days: u32,
    /// For each task completed on these days, by priority: none 1, low 2, medium 3, high 5, urgent 8.
    pub points: u32,
}

/// How many on a day.
#[derive(ToSchema)]
pub struct DayCount {
    /// The day.
    #[schema(format = Date)]
    pub date: String,
    /// How many.
    pub count: u32,
}
