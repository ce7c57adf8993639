//! What the person got done. The browser does not draw this page, it loads it: charts are SVG from the
//! server, and each says in words what it shows.

use tidings_domain::{
    recurrence::weekday_name,
    statistics::{Day, Statistics},
};

use crate::{
    components::{
        charts::{bars, heat, lines, short},
        head::head,
    },
    page::PageData,
    prelude::*,
    route::Route,
    state::Client,
    words,
};

/// Days that the page offers.
const OFFERED: [(usize, &str); 4] = [
    (7, "7 days"),
    (30, "30 days"),
    (90, "90 days"),
    (365, "A year"),
];

/// In context.
#[derive(Clone)]
struct Start(Option<Statistics>);

/// Puts what `page` holds of it into context.
pub fn provide(page: &PageData) {
    provide_context(Start(page.statistics.clone()));
}

/// The page.
pub fn statistics() -> Markup {
    let Start(stats) = expect_context();
    view! {
        {head(Route::Statistics, || "What you got done. Tasks in the trash do not count.".to_owned())}
        <div class="sheet stats">{stats.map(|stats| cards(&stats))}</div>
    }
}

fn cards(stats: &Statistics) -> Markup {
    let weekday = |(n, count): (u8, &u32)| {
        let name = chrono::Weekday::try_from(n).map_or("", weekday_name);
        (name.to_owned(), *count)
    };
    let weekdays: Vec<_> = (0..).zip(&stats.weekdays).map(weekday).collect();
    let tags = (!stats.tags.is_empty()).then(|| {
        let tags = stats
            .tags
            .iter()
            .map(|(tag, count)| (["#", tag].concat(), *count));
        view! {
            <section class="card">
                <h2>"By tag"</h2>
                {bars(tags)}
            </section>
        }
    });
    view! {
        {choice(stats.completed.len())}
        {overview(stats)}
        <div class="pair">
            <section class="card">
                <h2>"By weekday"</h2>
                {bars(weekdays)}
            </section>
            <div class="sheet">{streak(stats)} {tags}</div>
        </div>
    }
}

/// Links to other numbers of days.
fn choice(days: usize) -> Markup {
    let link = |(of, label): (usize, &'static str)| {
        let here = (of == days).then_some("page");
        view! {
            <a class="chip" href=format!("/statistics?days={of}") aria-current=here>
                {label}
            </a>
        }
    };
    let links: Vec<_> = OFFERED.into_iter().map(link).collect();
    view! {
        <nav class="chips" aria-label="Days">
            {links}
        </nav>
    }
}

fn overview(stats: &Statistics) -> Markup {
    let (created, completed) = (sum(&stats.created), sum(&stats.completed));
    let span = match stats.completed.len() {
        1 => "Today".to_owned(),
        days => format!("Last {days} days"),
    };
    let most = stats
        .completed
        .iter()
        .max_by_key(|day| (day.count, day.date));
    let most = most
        .filter(|day| day.count > 0)
        .map_or_else(String::new, |day| {
            format!(
                " The most completed on a day: {}, on {}.",
                day.count,
                short(day.date)
            )
        });
    let about = format!("{created} created, {completed} completed.{most}");
    let rate = format!("{:.0} %", stats.completion_rate * 100.0);
    let took = stats.median_minutes.map_or_else(|| "–".to_owned(), took);
    let figure = |value: String, label: &'static str| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let chart = lines(
        &stats.created,
        &stats.completed,
        format!("Tasks created and completed: {}", span.to_lowercase()),
        about,
    );
    view! {
        <section class="card">
            <h2>{span}</h2>
            <dl class="figures">
                {figure(created.to_string(), "created")}
                {figure(completed.to_string(), "completed")}
                {figure(rate, "completion rate")}
                {figure(took, "median time to complete")}
                {figure(stats.points.to_string(), "points")}
            </dl>
            {chart}
            <p class="legend" aria-hidden="true">
                <span class="filled">"Completed"</span>
                <span class="dashed">"Created"</span>
            </p>
            {table(stats)}
        </section>
    }
}

/// The same in numbers, newest first.
fn table(stats: &Statistics) -> Markup {
    let today = Client::get().today().get_untracked();
    let row = |(created, completed): (&Day, &Day)| {
        view! {
            <tr>
                <th scope="row">{words::day(created.date, today)}</th>
                <td>{created.count.to_string()}</td>
                <td>{completed.count.to_string()}</td>
            </tr>
        }
    };
    let rows = stats.created.iter().zip(&stats.completed).rev().map(row);
    view! {
        <details>
            <summary class="link">"Show as a table"</summary>
            <div class="scroll" role="region" aria-label="Tasks by day" tabindex="0">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Day"</th>
                            <th scope="col">"Created"</th>
                            <th scope="col">"Completed"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect::<Vec<_>>()}</tbody>
                </table>
            </div>
        </details>
    }
}

fn streak(stats: &Statistics) -> Markup {
    let days = |n: u32| {
        if n == 1 {
            "1 day".to_owned()
        } else {
            format!("{n} days")
        }
    };
    let with = stats.recent.iter().filter(|day| day.count > 0).count();
    let first = stats
        .recent
        .first()
        .map_or_else(String::new, |day| short(day.date));
    let about = format!(
        "{} completed since {first}, on {with} of {} days.",
        sum(&stats.recent),
        stats.recent.len()
    );
    view! {
        <section class="card">
            <h2>
                {[&days(stats.streak_days), " in a row"].concat()} " "
                <small>{format!("best {}", stats.best_streak)}</small>
            </h2>
            {heat(&stats.recent, "Tasks completed on each day of half a year".to_owned(), about.clone())}
            <p class="sub" aria-hidden="true">
                {about}
            </p>
        </section>
    }
}

fn sum(days: &[Day]) -> u32 {
    days.iter().map(|day| day.count).sum()
}

/// `1 d 4 h`, `3 h 5 min`, `12 min`.
fn took(minutes: i64) -> String {
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = match (days, hours) {
        (0, 0) => vec![(rest, "min")],
        (0, _) => vec![(hours, "h"), (rest, "min")],
        _ => vec![(days, "d"), (hours, "h")],
    };
    let first = parts.first().map(|(n, unit)| format!("{n} {unit}"));
    let others = parts.iter().skip(1).filter(|(n, _)| *n > 0);
    let parts = first
        .into_iter()
        .chain(others.map(|(n, unit)| format!("{n} {unit}")));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::took;

    #[test]
    fn says_how_long_it_took_in_its_two_largest_units() {
        for (minutes, words) in [
            (0, "0 min"),
            (59, "59 min"),
            (60, "1 h"),
            (185, "3 h 5 min"),
            (1680, "1 d 4 h"),
            (1441, "1 d"),
        ] {
            assert_eq!(took(minutes), words);
        }
    }
}
