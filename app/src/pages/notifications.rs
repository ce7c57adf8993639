//! What the person was told, newest first. Plain forms, all of it; the browser does not draw this
//! page, it loads it.

use tidings_domain::notice::{Kind, Notification};

use crate::{
    api::notices::Notices,
    components::{empty::empty, form::general, head::head},
    pages::account::form_state,
    prelude::*,
    route::{Route, encode, task_href},
    state::Client,
    ui::Ui,
    words,
};

/// How long a reminder can be put off.
const SNOOZES: [(&str, &str); 3] = [
    ("10m", "10 minutes"),
    ("1h", "1 hour"),
    ("tomorrow", "Tomorrow"),
];

/// The page.
pub fn notifications() -> Markup {
    let Notices {
        unread, list, next, ..
    } = expect_context();
    let sub = move || match unread {
        0 => "All are read.".to_owned(),
        1 => "One is unread.".to_owned(),
        unread => [&unread.to_string(), " are unread."].concat(),
    };
    let all = (unread > 0).then(|| {
        view! {
            <form method="post" action="/rpc/read_notifications">
                <button class="btn plain">"Mark all read"</button>
            </form>
        }
    });
    let none = list.is_empty().then(|| {
        let words = "When a reminder is due, it is here, and wherever else you choose in Account.";
        empty("#bell", "Nothing to tell".to_owned(), words, false)
    });
    let more = next.map(|cursor| {
        let href = ["/notifications?cursor=", &encode(&cursor)].concat();
        view! {
            <a class="link" href=href>
                "Older ones"
            </a>
        }
    });
    let notes: Vec<_> = list.into_iter().map(note).collect();
    view! {
        {head(Route::Notifications, sub)}
        {general(&form_state("/rpc/snooze_notification"))}
        {all}
        <ol class="notes">{notes}</ol>
        {more}
        {none}
    }
}

fn note(of: Notification) -> Markup {
    let when = Client::get().with_here(|here| words::moment(of.created_at, here));
    let is_read = of.read_at.is_some();
    let title = match of.task_id {
        Some(task) => view! {
            <a class="title" href=task_href(task)>
                {of.title.clone()}
            </a>
        },
        None => view! { <b class="title">{of.title.clone()}</b> },
    };
    let id = of.id.to_string();
    let snoozes = (of.kind == Kind::Reminder && of.task_id.is_some()).then(|| {
        let seed = Ui::get().seed.to_string();
        let about = [" later: ", &of.title].concat();
        let buttons: Vec<_> = SNOOZES
            .into_iter()
            .map(|(until, label)| {
                let says = ["Remind me ", label, &about].concat();
                view! {
                    <button class="chip" name="until" value=until aria-label=says>
                        {label}
                    </button>
                }
            })
            .collect();
        view! {
            <form method="post" action="/rpc/snooze_notification" class="chips">
                <input type="hidden" name="id" value=id.clone() />
                <input type="hidden" name="seed" value=seed />
                {buttons}
            </form>
        }
    });
    let mark = (!is_read).then(|| {
        let says = ["Mark as read: ", &of.title].concat();
        view! {
            <form method="post" action="/rpc/read_notification">
                <input type="hidden" name="id" value=of.id.to_string() />
                <button class="link" aria-label=says>
                    "Mark read"
                </button>
            </form>
        }
    });
    view! {
        <li class:read=is_read>
            <i aria-hidden="true"></i>
            <div>
                {title}
                <div class="small muted">{of.body}</div>
                {snoozes}
            </div>
            <div class="small muted">
                <div>{when}</div>
                {mark}
            </div>
        </li>
    }
}
