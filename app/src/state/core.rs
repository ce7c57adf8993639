//! The tab's copy of the tasks, and what each row shows of it.

use crate::prelude::*;
use tidings_domain::{
    decide::Context,
    id::TaskId,
    order::sort_by,
    replica::Replica,
    sorted::{SortedMap, SortedSet},
    task::Task,
    text,
    time::Timestamp,
    view::{Board, Counts, Here, View},
};

use crate::browser::{clock, text::fold};

/// What one row reads.
#[derive(Clone)]
pub(super) struct Row {
    /// The task as it is shown.
    pub(super) task: ArcRwSignal<Option<Task>>,
    /// Whether it was just changed from elsewhere.
    pub(super) glow: ArcRwSignal<bool>,
}

/// A row's signal and what it shall show, where somebody reads it.
pub(super) type Redraw = Option<(ArcRwSignal<Option<Task>>, Option<Task>)>;

/// The copy, what is shown of it, and who reads that.
pub(super) struct Core {
    pub(super) replica: Replica,
    /// Every known task with the pending changes on it.
    shown: SortedMap<TaskId, Box<Task>>,
    /// Made when a row is first drawn.
    rows: SortedMap<TaskId, Row>,
    /// Rows that glow, drawn or not.
    glowing: SortedSet<TaskId>,
}

impl Core {
    /// A core that starts from what a page holds.
    pub(super) fn new(board: Option<Board>, learned: impl Iterator<Item = Task>) -> Self {
        let mut replica = board.map_or_else(Replica::default, |b| {
            Replica::new(b.epoch, b.cursor, b.tasks, b.complete)
        });
        replica.learn(learned);
        Self {
            replica,
            shown: SortedMap::default(),
            rows: SortedMap::default(),
            glowing: SortedSet::default(),
        }
    }

    /// What the row of a task reads.
    pub(super) fn row(&mut self, id: TaskId) -> &Row {
        let (shown, glowing) = (&self.shown, &self.glowing);
        self.rows.entry(id, || Row {
            task: ArcRwSignal::new(shown.get(&id).map(|task| (**task).clone())),
            glow: ArcRwSignal::new(glowing.contains(&id)),
        })
    }

    /// Lets exactly these rows glow; returns the signals to set.
    pub(super) fn set_glow(&mut self, ids: SortedSet<TaskId>) -> Vec<(ArcRwSignal<bool>, bool)> {
        let before = std::mem::replace(&mut self.glowing, ids);
        let went = before.iter().filter(|id| !self.glowing.contains(id));
        let came = self.glowing.iter().filter(|id| !before.contains(id));
        let row = |id: &TaskId| Some((self.rows.get(id)?.glow.clone(), self.glowing.contains(id)));
        went.chain(came).filter_map(row).collect()
    }

    /// A task as it is shown.
    pub(super) fn shown(&self, id: TaskId) -> Option<&Task> {
        self.shown.get(&id).map(Box::as_ref)
    }

    /// All tasks that are shown, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Task> {
        self.shown.values().map(Box::as_ref)
    }

    /// Every task that is known or was.
    pub(super) fn ids(&self) -> SortedSet<TaskId> {
        let mut ids = self.replica.ids();
        ids.extend(self.shown.keys().copied());
        ids
    }

    /// Changes that the server has not answered yet.
    pub(super) fn waiting(&self) -> usize {
        self.replica
            .pending()
            .iter()
            .filter(|p| p.seq.is_none())
            .count()
    }

    /// The least position of all: a new task goes before it. Not known unless every open task is.
    pub(super) fn first_position(&self) -> Option<&str> {
        self.shown
            .values()
            .filter(|t| t.deleted_at.is_none())
            .map(|t| t.position.as_str())
            .min()
    }

    /// Reckons anew what the tasks show; returns what differs.
    pub(super) fn refresh(
        &mut self,
        ids: impl IntoIterator<Item = TaskId>,
        zone: &str,
        now: Timestamp,
    ) -> Vec<Redraw> {
        let first = self.first_position().map(str::to_owned);
        let context = Context {
            now,
            time_zone: zone,
            zones: clock::zones(),
            first_position: first.as_deref(),
            earlier: None,
        };
        let mut changed = Vec::new();
        for id in ids {
            let task = self.replica.shown(id, &context);
            if task.as_ref() == self.shown(id) {
                continue;
            }
            let row = self.rows.get(&id);
            changed.push(row.map(|row| (row.task.clone(), task.clone())));
            match task {
                Some(task) => self.shown.insert(id, Box::new(task)),
                None => drop(self.shown.remove(&id)),
            }
        }
        changed
    }

    /// The ids that a view holds, in its order.
    pub(super) fn list(&self, view: &View, here: &Here<'_>) -> Vec<TaskId> {
        let mut tasks: Vec<&Task> = self.all().filter(|t| view.holds(t, here)).collect();
        sort_by(&mut tasks, |a, b| view.order(a, b, here));
        tasks.into_iter().map(|t| t.id).collect()
    }

    /// What a search shows, in the server's order, which is latest first: the tasks at hand that
    /// match, and those that the server found.
    pub(super) fn search(&self, q: &str, known: &[TaskId]) -> Vec<TaskId> {
        // Filters are the server's to read: what it found is all there is.
        let filters = q.split_whitespace().any(text::may_filter);
        let q = fold(q);
        if !filters && text::words(&q).next().is_none() {
            return Vec::new();
        }
        let matches = |task: &Task| {
            let mut words = [&task.title, "\n", &task.description].concat();
            for tag in &task.tags {
                words.push('\n');
                words.push_str(tag);
            }
            text::matches(&q, &fold(&words))
        };
        let mut found: Vec<&Task> = self
            .all()
            .filter(|t| t.deleted_at.is_none() && (known.contains(&t.id) || !filters && matches(t)))
            .collect();
        sort_by(&mut found, |a, b| {
            (b.updated_at, a.id).cmp(&(a.updated_at, b.id))
        });
        found.into_iter().map(|t| t.id).collect()
    }

    /// Counts the open tasks.
    pub(super) fn counts(&self, here: &Here<'_>) -> Counts {
        let mut counts = Counts::default();
        let mut tags: Vec<&str> = Vec::new();
        for task in self.all().filter(|t| t.is_open()) {
            counts.inbox += 1;
            match here.due_day(task) {
                Some(day) if day <= here.today => counts.today += 1,
                Some(_) => counts.upcoming += 1,
                None => {}
            }
            tags.extend(task.tags.iter().map(String::as_str));
        }
        sort_by(&mut tags, Ord::cmp);
        for tag in tags {
            match counts.tags.last_mut() {
                Some((name, count)) if name == tag => *count += 1,
                _ => counts.tags.push((tag.to_owned(), 1)),
            }
        }
        counts
    }
}
