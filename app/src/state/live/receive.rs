//! Frames: taken into the copy, shown, and where they are of another's making, made to glow.

use std::rc::Rc;

use tidings_domain::{
    id::TaskId,
    live::{ClientFrame, ServerFrame},
    replica::Step,
    sorted::SortedSet,
};

use super::Live;
use crate::browser::{clock, page, timer::Timer};

/// How long a glow is seen, in milliseconds.
const GLOW_MS: i64 = 1_800;
/// More changes at once are no news of one row: nothing glows.
const GLOWS: usize = 20;

impl Live {
    /// Takes a frame in.
    pub(super) fn receive(self: &Rc<Self>, frame: ServerFrame) {
        let client = self.client;
        match &frame {
            ServerFrame::Welcome {
                server_time,
                heartbeat_ms,
                ..
            } => {
                client.skew.set_value(server_time.0 - clock::now().0);
                self.tick();
                self.set_heartbeat(*heartbeat_ms);
            }
            ServerFrame::Tabs { count } => {
                self.tabs.set(*count);
                self.show_link();
            }
            ServerFrame::Unread { count } => page::mark("data-unread", &count.to_string()),
            ServerFrame::Ping => self.send(&ClientFrame::Pong),
            _ => {}
        }
        let theirs = self.anothers(&frame);
        let caught_up = matches!(frame, ServerFrame::Live { .. });
        let mut step = Step::Nothing;
        client
            .core
            .update_value(|core| step = core.replica.receive(frame));
        match step {
            Step::Nothing => {}
            Step::Changed(ids) => {
                self.glow(theirs);
                client.refresh(ids);
                client.moved_on();
                // What an event settled makes room for what waited behind it.
                self.persist();
            }
            Step::Reset => {
                client.refresh_all();
                client.moved_on();
                client.list_again();
                self.persist();
            }
            Step::Sync(cursor) => self.send(&ClientFrame::Sync { cursor }),
        }
        if caught_up && client.core.with_value(|core| core.replica.is_live()) {
            self.caught_up();
            self.failures.set(0);
            self.resume_sending();
            self.show_link();
        }
    }

    /// The tasks that a frame changes by another's hand than this tab's.
    fn anothers(&self, frame: &ServerFrame) -> SortedSet<TaskId> {
        let ServerFrame::Events { items, .. } = frame else {
            return SortedSet::default();
        };
        let ours: SortedSet<_> = self.client.core.with_value(|core| {
            core.replica
                .pending()
                .iter()
                .map(|p| p.mutation_id)
                .collect()
        });
        let cursor = self.client.core.with_value(|core| core.replica.cursor());
        items
            .iter()
            .filter(|event| event.seq.is_some_and(|seq| seq > cursor))
            .filter(|event| {
                event
                    .metadata
                    .mutation_id
                    .is_none_or(|m| !ours.contains(&m))
            })
            .filter_map(|event| event.task_id)
            .collect()
    }

    /// Lets rows glow for a moment.
    fn glow(self: &Rc<Self>, ids: SortedSet<TaskId>) {
        if ids.is_empty() || ids.len() > GLOWS {
            return;
        }
        self.client.set_glow(ids);
        let client = self.client;
        let timer = Timer::after(GLOW_MS, move || client.set_glow(SortedSet::default()));
        *self.glowing.borrow_mut() = Some(timer);
    }
}
