//! The person's own log: what happened, by day, newest first.

use crate::prelude::*;
use chrono::NaiveDate;
use leptos::ev;
use tidings_domain::{command::Command, event::EventType, time};

use crate::{
    api::tasks::Activity,
    components::{
        changes::{actor, changes, happened},
        empty::empty,
        head::head,
        icon::icon,
        list::fetched,
    },
    route::{Route, task_href},
    state::{Client, lists::Fetch, undo},
    ui::Ui,
    words,
};

/// What of the log is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Everything,
    Added,
    Completed,
    Changed,
    Deleted,
}

impl Filter {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Everything, "Everything"),
        (Self::Added, "Added"),
        (Self::Completed, "Completed"),
        (Self::Changed, "Changed"),
        (Self::Deleted, "Deleted"),
    ];

    fn holds(self, of: EventType) -> bool {
        match self {
            Self::Everything => true,
            Self::Added => of == EventType::TaskCreated,
            Self::Completed => of == EventType::TaskCompleted,
            Self::Changed => of == EventType::TaskUpdated,
            Self::Deleted => matches!(of, EventType::TaskDeleted | EventType::TaskRestored),
        }
    }
}

/// The page.
pub fn activity() -> Markup {
    let (client, ui) = (Client::get(), Ui::get());
    let log = client.log(ui.activity());
    let filter = RwSignal::new(Filter::Everything);
    let chips: Vec<_> = Filter::ALL
        .into_iter()
        .map(|(of, label)| {
            view! {
                <button
                    type="button"
                    class="chip"
                    aria-pressed=move || if filter.get() == of { "true" } else { "false" }
                    on:click=move |_| filter.set(of)
                >
                    {label}
                </button>
            }
        })
        .collect();
    let days = Memo::new(move |_| {
        let filter = filter.get();
        let mut days: Vec<(NaiveDate, Vec<i64>)> = Vec::new();
        log.items.with(|items| {
            client.with_here(|here| {
                for line in items.iter().filter(|l| filter.holds(l.item.event_type)) {
                    let day = time::local(here.zones, here.zone, line.item.timestamp).date();
                    match days.last_mut() {
                        Some((last, seqs)) if *last == day => seqs.push(line.item.seq),
                        _ => days.push((day, vec![line.item.seq])),
                    }
                }
            });
        });
        days
    });
    let dates =
        Memo::new(move |_| days.with(|d| d.iter().map(|(day, _)| *day).collect::<Vec<_>>()));
    let day = move |date: NaiveDate| {
        let seqs = move || {
            days.with(|days| {
                let own = days.iter().find(|(day, _)| *day == date);
                own.map(|(_, seqs)| seqs.clone()).unwrap_or_default()
            })
        };
        let one = move |seq: i64| {
            let found = log
                .items
                .with_untracked(|items| items.iter().find(|l| l.item.seq == seq).cloned());
            found.map(|found| line(client, found))
        };
        view! {
            <h2 class="day">{move || words::day_heading(date, client.today().get())}</h2>
            <ol class="log">
                <For each=seqs key=|seq| *seq children=one />
            </ol>
        }
    };
    let none = move || {
        let none = days.with(Vec::is_empty) && log.fetch.get() == Fetch::Done;
        none.then(|| {
            empty(
                "#act",
                "Nothing here yet".to_owned(),
                "All that happens to your tasks is written down here, and can be taken back.",
                false,
            )
        })
    };
    view! {
        {head(Route::Activity, || "What happened to your tasks, newest first.".to_owned())}
        <div class="chips js" role="group" aria-label="Show">
            {chips}
        </div>
        <form method="post" action="/rpc/restore_task">
            <input type="hidden" name="seed" value=ui.seed.to_string() />
            <For each=move || dates.get() key=|date| *date children=day />
        </form>
        {fetched(log.fetch, log.more, move || client.log_more(log))}
        {none}
    }
}

fn line(client: Client, line: Activity) -> Markup {
    let item = line.item;
    let drawing = match item.event_type {
        EventType::TaskCreated => "#plus",
        EventType::TaskCompleted => "#ok",
        EventType::TaskDeleted => "#bin",
        _ if item
            .changes
            .iter()
            .any(|(field, ..)| field.starts_with("due")) =>
        {
            "#cal"
        }
        _ if item.changes.iter().any(|(field, ..)| field == "remind_at") => "#bell",
        _ => "#act",
    };
    let (at, fields) = client.with_here(|here| {
        let at = time::local(here.zones, here.zone, item.timestamp);
        (words::clock(at), changes(&item, here))
    });
    let what = [" ", &happened(&item).to_ascii_lowercase(), actor(&item)].concat();
    let title = line.title.clone();
    let subject = match line.task_id {
        Some(id) => view! {
            <a class="title" href=task_href(id)>
                {line.title}
            </a>
        },
        None => "A task that was deleted for good".into_markup(),
    };
    let (back, version) = match (line.task_id, item.event_type) {
        (Some(id), EventType::TaskDeleted) => (Some((id, Command::Restore(None), "Restore")), None),
        (Some(id), EventType::TaskUpdated | EventType::TaskCompleted) if item.version > 1 => {
            let before = item.version - 1;
            (
                Some((id, Command::Restore(Some(before)), "Take back")),
                Some(before),
            )
        }
        _ => (None, None),
    };
    let button = back.map(|(id, command, label)| {
        let take_back = move |event: ev::MouseEvent| {
            event.prevent_default();
            let is_there = client.peek(id).is_some_and(|t| t.deleted_at.is_none());
            if command == Command::Restore(None) && is_there {
                client.toasts().plain("It is not in the trash any more.");
                return;
            }
            let words = undo::words(&title, &command).unwrap_or_default();
            client.change_many(vec![(id, command.clone())], words);
        };
        // Without script only what needs no version can be posted from one form.
        let class = if version.is_some() { "link js" } else { "link" };
        view! {
            <button class=class name="task_id" value=id.to_string() on:click=take_back>
                {label}
            </button>
        }
    });
    view! {
        <li>
            <time datetime=item.timestamp.to_string()>{at}</time>
            {icon(drawing)}
            <div>{subject} {what} {fields}</div>
            {button}
        </li>
    }
}
