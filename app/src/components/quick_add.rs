//! The add line. What is understood is highlighted as one types; a click on a highlight, or
//! Backspace at its end, turns it back into words.

use std::ops::Range;

use crate::prelude::*;
use leptos::ev;
use tidings_domain::{
    command::TaskPatch,
    quickadd::{self, Kind, LINES_MAX, Parsed},
    task::TITLE_MAX,
    time::{self, TimeOfDay},
};
use web_sys::{HtmlTextAreaElement, SubmitEvent};

use super::icon::icon;
use crate::{browser::clock, state::Client, ui::Ui, words};

/// What lies in the line.
#[derive(Clone, Copy)]
struct Line {
    client: Client,
    text: RwSignal<String>,
    /// Words that were highlighted and shall stay words.
    plain: RwSignal<Vec<String>>,
    /// A tag that every task gets that is added here.
    tag: StoredValue<Option<String>>,
    parsed: Memo<Parsed>,
}

impl Line {
    fn new(tag: Option<String>) -> Self {
        let client = Client::get();
        let (text, plain) = (RwSignal::new(String::new()), RwSignal::new(Vec::new()));
        let parsed =
            Memo::new(move |_| text.with(|text| plain.with(|plain| parse(client, text, plain))));
        Self {
            client,
            text,
            plain,
            tag: StoredValue::new(tag),
            parsed,
        }
    }

    /// Turns a highlight back into words.
    fn flatten(self, range: &Range<usize>) {
        let words = self
            .text
            .with_untracked(|t| t.get(range.clone()).map(str::to_owned));
        if let Some(words) = words {
            self.plain.update(|plain| plain.push(words));
        }
    }

    /// The highlight at or around a place; with `end`, only one that ends there.
    fn highlight(self, at: usize, end: bool) -> Option<Range<usize>> {
        self.parsed.with_untracked(|parsed| {
            let mut spans = parsed.spans.iter().map(|s| s.range.clone());
            spans.find(|r| {
                if end {
                    r.end == at
                } else {
                    r.start < at && at < r.end
                }
            })
        })
    }

    fn patch(self, parsed: Parsed) -> TaskPatch {
        let mut patch = TaskPatch::from(parsed);
        if let Some(tag) = self.tag.get_value() {
            let tags = patch.tags.get_or_insert_default();
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        patch
    }

    /// Adds what lies in the line. Several lines are several tasks.
    fn add(self) {
        let text = self.text.get_untracked();
        let plain = self.plain.get_untracked();
        let lines: Vec<_> = lines(&text)
            .map(|line| self.patch(parse(self.client, line, &plain)))
            .collect();
        if lines.is_empty() {
            return;
        }
        let long = |p: &TaskPatch| {
            p.title
                .as_ref()
                .is_some_and(|t| t.chars().count() > TITLE_MAX)
        };
        if lines.iter().any(long) {
            let words =
                "A title can have at most 200 characters. Put the rest into the description.";
            self.client.toasts().bad(words);
            return;
        }
        self.text.set(String::new());
        self.plain.set(Vec::new());
        self.client.add_many(lines);
    }
}

/// The lines that hold something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .take(LINES_MAX)
}

fn parse(client: Client, text: &str, plain: &[String]) -> Parsed {
    let ignored: Vec<_> = plain
        .iter()
        .flat_map(|words| text.match_indices(words.as_str()))
        .map(|(at, words)| at..at + words.len())
        .collect();
    client.with_here(|here| {
        let local = time::local(clock::zones(), here.zone, here.now);
        let now = words::clock(local).parse().unwrap_or(TimeOfDay::MIDNIGHT);
        quickadd::parse(text, here.today, now, &ignored)
    })
}

/// Where the caret is, in bytes. A textarea counts UTF-16 units.
fn caret(field: &HtmlTextAreaElement) -> Option<usize> {
    let start = field.selection_start().ok()??;
    let end = field.selection_end().ok()??;
    let text = field.value();
    let mut units = 0;
    let at = text.char_indices().find(|(_, c)| {
        let here = units == start;
        units += c.len_utf16() as u32;
        here
    });
    (start == end).then(|| at.map_or(text.len(), |(at, _)| at))
}

/// The line, drawn: the same letters at the same place as in the field above it, in colour.
fn mirror(line: Line) -> Markup {
    let pieces = move || {
        line.text.with(|text| {
            line.parsed.with(|parsed| {
                let mut at = 0;
                let mut pieces = Vec::new();
                let plain = |pieces: &mut Vec<Markup>, range: Range<usize>| {
                    let words = text.get(range).unwrap_or_default().to_owned();
                    pieces.push(words.into_markup());
                };
                for span in &parsed.spans {
                    plain(&mut pieces, at..span.range.start);
                    let words = text.get(span.range.clone()).unwrap_or_default().to_owned();
                    let class = if span.kind == Kind::Priority { "p" } else { "" };
                    pieces.push(view! { <mark class=class>{words}</mark> });
                    at = span.range.end;
                }
                plain(&mut pieces, at..text.len());
                pieces
            })
        })
    };
    view! {
        <div class="quick-mirror" aria-hidden="true">
            {pieces}
        </div>
    }
}

/// What was understood, for those who do not see the colours; and how many tasks several lines are.
fn note(line: Line) -> Markup {
    let count = Memo::new(move |_| line.text.with(|t| lines(t).count()));
    let understood = move || {
        line.parsed.with(|parsed| {
            let said = |s: &quickadd::Span| {
                line.text
                    .with(|t| t.get(s.range.clone()).map(str::to_owned))
            };
            let all: Vec<_> = parsed.spans.iter().filter_map(said).collect();
            if all.is_empty() {
                String::new()
            } else {
                ["Understood: ", &all.join(", "), "."].concat()
            }
        })
    };
    view! {
        <p class="sr" role="status">
            {understood}
        </p>
        {move || {
            (count.get() > 1)
                .then(|| {
                    view! {
                        <p class="quick-note" role="status">
                            <span>
                                "These are "{count.get().to_string()}
                                " lines. Each becomes a task of its own."
                            </span>
                            <button
                                type="button"
                                class="link"
                                on:click=move |_| {
                                    line.text.update(|t| *t = lines(t).collect::<Vec<_>>().join(" "));
                                }
                            >
                                "Make it one task"
                            </button>
                        </p>
                    }
                })
        }}
    }
}

/// What the text area begins with. The browser takes it over.
fn typed(ui: Ui) -> String {
    #[cfg(not(feature = "hydrate"))]
    return crate::view::escaped(&ui.typed());
    #[cfg(feature = "hydrate")]
    {
        let _ = ui;
        String::new()
    }
}

/// The add line; tasks that are added here get `tag`.
pub fn quick_add(tag: Option<String>) -> Markup {
    let ui = Ui::get();
    let line = Line::new(tag.clone());
    let ready = RwSignal::new(false);
    Effect::new(move || {
        // What was typed before there was a script.
        if let Some(field) = ui.add.get_untracked() {
            line.text.set(field.value());
        }
        ready.set(true);
    });
    let keys = move |event: ev::Targeted<ev::KeyboardEvent, HtmlTextAreaElement>| {
        let plain = !(event.shift_key() || event.ctrl_key() || event.alt_key() || event.meta_key());
        match event.key().as_str() {
            "Enter" if !event.shift_key() && !event.is_composing() => {
                event.prevent_default();
                line.add();
            }
            "Backspace" if plain => {
                let range = caret(&event.target()).and_then(|at| line.highlight(at, true));
                if let Some(range) = range {
                    event.prevent_default();
                    line.flatten(&range);
                }
            }
            "Escape" => {
                event.stop_propagation();
                let _ = event.target().blur();
            }
            _ => {}
        }
    };
    let click = move |event: ev::Targeted<ev::MouseEvent, HtmlTextAreaElement>| {
        let range = caret(&event.target()).and_then(|at| line.highlight(at, false));
        if let Some(range) = range {
            line.flatten(&range);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        line.add();
        if let Some(field) = ui.add.get_untracked() {
            let _ = field.focus();
        }
    };
    view! {
        <form method="post" action="/rpc/add_task" on:submit=submit>
            <input type="hidden" name="seed" value=ui.seed.to_string() />
            <input type="hidden" name="tag" value=tag.unwrap_or_default() />
            <div class="quick">
                <span class="plus">{icon("#plus")}</span>
                <div class="quick-field" class:mirrored=move || ready.get()>
                    {mirror(line)}
                    <textarea
                        node_ref=ui.add
                        name="text"
                        rows="1"
                        aria-label="Add a task"
                        placeholder="Water the plants tomorrow 18:00 every week !high #home"
                        autocomplete="off"
                        autocapitalize="sentences"
                        enterkeyhint="done"
                        required
                        inner_html=typed(ui)
                        prop:value=move || line.text.get()
                        on:input:target=move |event| line.text.set(event.target().value())
                        on:keydown:target=keys
                        on:click:target=click
                    ></textarea>
                </div>
                <button class="btn">"Add"</button>
            </div>
            {note(line)}
        </form>
    }
}
