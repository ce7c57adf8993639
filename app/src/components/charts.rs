//! Charts, drawn by the server. Their colours are those of the style; what they show is in their title
//! and description, and written beside them.

use chrono::{Datelike, NaiveDate};
use tidings_domain::{recurrence::month_name, statistics::Day};

use crate::prelude::*;

/// Dates below a chart.
const DATES: usize = 5;
/// A day of [`heat`], and the way from one to the next.
const CELL: (usize, usize) = (12, 15);

/// Two counts by day: the first as a dashed line, the second over a filled ground.
pub fn lines(dashed: &[Day], filled: &[Day], title: String, about: String) -> Markup {
    let top = dashed.iter().chain(filled).map(|day| day.count).max();
    // Three lines above the ground, at whole numbers.
    let step = top.unwrap_or(0).div_ceil(3).max(1);
    let top = step * 3;
    let wide = filled.len().saturating_sub(1).max(1);
    let points = |days: &[Day]| {
        let at = |(x, day): (usize, &Day)| format!("{x},{}", top - day.count);
        let mut points: Vec<_> = days.iter().enumerate().map(at).collect();
        // A single day is a line, too.
        if let [one] = days {
            points.push(at((1, one)));
        }
        points.join(" ")
    };
    let grid = (0..=3).map(|n| {
        let y = (step * n).to_string();
        view! { <line class="grid" x1="0" x2=wide.to_string() y1=y.clone() y2=y></line> }
    });
    let ground = format!("0,{top} {} {wide},{top}", points(filled));
    let steps = (0..=3)
        .rev()
        .map(|n| view! { <span>{(step * n).to_string()}</span> });
    let dates = ends(filled)
        .into_iter()
        .map(|date| view! { <span>{short(date)}</span> });
    view! {
        <div class="chart">
            <div class="steps" aria-hidden="true">
                {steps.collect::<Vec<_>>()}
            </div>
            <svg
                role="img"
                aria-labelledby="lines-title lines-about"
                viewBox=format!("0 0 {wide} {top}")
                preserveAspectRatio="none"
            >
                <title id="lines-title">{title}</title>
                <desc id="lines-about">{about}</desc>
                {grid.collect::<Vec<_>>()}
                <polygon class="ground" points=ground></polygon>
                <polyline class="filled" points=points(filled)></polyline>
                <polyline class="dashed" points=points(dashed)></polyline>
            </svg>
            <div class="dates" aria-hidden="true">
                {dates.collect::<Vec<_>>()}
            </div>
        </div>
    }
}

/// Some of the days, at equal distances, from the first to the last.
fn ends(days: &[Day]) -> Vec<NaiveDate> {
    let count = days.len().min(DATES);
    let last = count.saturating_sub(1).max(1);
    let at = |n: usize| days.get(n * days.len().saturating_sub(1) / last);
    (0..count).filter_map(at).map(|day| day.date).collect()
}

/// Names with counts, each with a bar as long as it is many.
pub fn bars(rows: impl IntoIterator<Item = (String, u32)>) -> Markup {
    let rows: Vec<_> = rows.into_iter().collect();
    let most = rows
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let row = |(name, count): (String, u32)| {
        let long = (count * 100).div_ceil(most).to_string();
        view! {
            <li>
                <span>{name}</span>
                <svg aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">
                    <rect width=long height="8" rx="1"></rect>
                </svg>
                <b>{count.to_string()}</b>
            </li>
        }
    };
    view! { <ul class="bars">{rows.into_iter().map(row).collect::<Vec<_>>()}</ul> }
}

/// A square a day, the darker the more, a column a week.
pub fn heat(days: &[Day], title: String, about: String) -> Markup {
    let (size, step) = CELL;
    let most = days.iter().map(|day| day.count).max().unwrap_or(0).max(1);
    let square = |(n, day): (usize, &Day)| {
        let class = ["h0", "h1", "h2", "h3", "h4"][((day.count * 4).div_ceil(most)) as usize % 5];
        let (x, y) = ((n / 7 * step).to_string(), (n % 7 * step).to_string());
        let size = size.to_string();
        view! { <rect class=class x=x y=y width=size.clone() height=size rx="3"></rect> }
    };
    let squares: Vec<_> = days.iter().enumerate().map(square).collect();
    let (wide, high) = (
        days.len().div_ceil(7) * step - (step - size),
        7 * step - (step - size),
    );
    view! {
        <svg
            class="heat"
            role="img"
            aria-labelledby="heat-title heat-about"
            viewBox=format!("0 0 {wide} {high}")
        >
            <title id="heat-title">{title}</title>
            <desc id="heat-about">{about}</desc>
            {squares}
        </svg>
    }
}

/// `28 Nov`.
pub fn short(date: NaiveDate) -> String {
    format!("{} {}", date.day(), &month_name(date.month())[..3])
}
