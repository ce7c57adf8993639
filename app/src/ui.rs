//! What the pages share among themselves and nobody else needs to know: what is open, what is being
//! edited, and what the page came with.

use crate::prelude::*;
use tidings_domain::{error::Fault, id::TaskId};
use uuid::Uuid;
use web_sys::{HtmlDialogElement, HtmlInputElement, HtmlTextAreaElement};

use crate::{
    api::tasks::{Activity, HistoryItem},
    page::PageData,
};

/// What a dialog chooses for one task or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The due date.
    Due,
    /// The priority.
    Priority,
    /// The tags.
    Tags,
}

/// A drag that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drag {
    /// What is dragged.
    pub id: TaskId,
    /// The row over which it is, and whether it would go after that.
    pub over: Option<(TaskId, bool)>,
}

/// What the pages share. Cheap to copy; in context.
#[derive(Clone, Copy)]
pub struct Ui {
    /// The row whose title is edited where it stands.
    pub editing: RwSignal<Option<TaskId>>,
    /// The row that is being dragged.
    pub drag: RwSignal<Option<Drag>>,
    /// What is being chosen, and for which tasks.
    pub choosing: RwSignal<Option<(Choice, Vec<TaskId>)>>,
    /// The list of shortcuts.
    pub help: NodeRef<HtmlDialogElement>,
    /// The add line.
    pub add: NodeRef<HtmlTextAreaElement>,
    /// The search box.
    pub search: NodeRef<HtmlInputElement>,
    /// What the ids of plain forms derive from.
    pub seed: Uuid,
    /// What the page came with, taken by the first who shows it.
    start: StoredValue<Start>,
}

/// What a page came with besides tasks.
#[derive(Default)]
struct Start {
    history: Option<(TaskId, Vec<HistoryItem>)>,
    activity: Option<Vec<Activity>>,
    fault: Option<(String, Fault)>,
    /// What was sent by the add line, and refused.
    #[cfg(not(feature = "hydrate"))]
    typed: Option<String>,
}

impl Ui {
    /// Makes it and puts it into context.
    pub fn provide(page: &PageData) -> Self {
        let history = page.detail.as_ref();
        let ui = Self {
            editing: RwSignal::new(None),
            drag: RwSignal::new(None),
            choosing: RwSignal::new(None),
            help: NodeRef::new(),
            add: NodeRef::new(),
            search: NodeRef::new(),
            seed: page.seed,
            start: StoredValue::new(Start {
                history: history.map(|d| (d.task.id, d.history.clone())),
                activity: page.activity.clone(),
                fault: page.failed.clone().zip(page.fault.clone()),
                #[cfg(not(feature = "hydrate"))]
                typed: crate::route::param(&page.query, "text")
                    .filter(|_| page.failed.as_deref() == Some("/rpc/add_task")),
            }),
        };
        provide_context(ui);
        ui
    }

    /// The one of this page.
    pub fn get() -> Self {
        expect_context()
    }

    /// What lies in the add line without a script: what was sent, and refused.
    #[cfg(not(feature = "hydrate"))]
    pub fn typed(self) -> String {
        self.take(|start| start.typed.take()).unwrap_or_default()
    }

    fn take<T>(self, part: impl FnOnce(&mut Start) -> Option<T>) -> Option<T> {
        let mut taken = None;
        self.start.update_value(|start| taken = part(start));
        taken
    }

    /// The history of a task, if the page came with it.
    pub fn history(self, id: TaskId) -> Option<Vec<HistoryItem>> {
        let history = self.take(|start| start.history.take())?;
        (history.0 == id).then_some(history.1)
    }

    /// The log, if the page came with it.
    pub fn activity(self) -> Option<Vec<Activity>> {
        self.take(|start| start.activity.take())
    }

    /// Why the form that posts to `action` failed, if it did.
    pub fn fault_of(self, action: &str) -> Option<Fault> {
        self.take(|start| start.fault.take_if(|(of, _)| of == action))
            .map(|(_, fault)| fault)
    }

    /// Why a form failed that nobody has asked for by name.
    pub fn fault(self) -> Option<Fault> {
        self.take(|start| start.fault.take())
            .map(|(_, fault)| fault)
    }
}
