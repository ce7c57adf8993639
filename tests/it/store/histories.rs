//! Random histories: whatever is asked, the log folds to the tasks.

use std::collections::BTreeMap;

use tidings::{
    error::Error,
    store::{Action, AsOf, Mutation},
};
use tidings_domain::{decide::apply, error::Code, id::TaskId, series::next_id, task::Task};
use tokio::task::JoinSet;

use super::{
    kit::{NOON, TestStore},
    random::Random,
    series::effect,
};

pub(crate) async fn folds_to_the_tasks(store: impl TestStore) {
    let kit = store.kit();
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let people = [
            kit.person(&format!("ann{seed}")).await,
            kit.person(&format!("bob{seed}")).await,
        ];
        let tasks: Vec<TaskId> = (0..8).map(|_| kit.task_id()).collect();
        let mut calls: JoinSet<()> = JoinSet::new();
        let mut old: Vec<Mutation> = Vec::new();
        for round in 0..250 {
            kit.clock.advance(random.below(3) as i64 - 1);
            let user = people[random.below(2)];
            let task = tasks[random.below(tasks.len())];
            let mutation = match round % 10 {
                9 => old[random.below(old.len())].clone(),
                // Told of a few events only, so that some are told twice.
                8 => effect(kit, user, task, random.below(60) as u128),
                7 => Mutation {
                    action: Action::Skip,
                    ..kit.mutation(user, task, random.command())
                },
                6 => Mutation {
                    action: Action::Snooze(NOON.plus_ms(600_000)),
                    ..kit.mutation(user, task, random.command())
                },
                _ => kit.mutation(user, task, random.command()),
            };
            old.push(mutation.clone());
            let store = kit.store.clone();
            calls.spawn(async move {
                match store.mutate(mutation).await {
                    Ok(_) => {}
                    Err(Error::Refused(fault)) => assert_ne!(fault.code, Code::Internal),
                    Err(error) => panic!("{error}"),
                }
            });
            // Sometimes one at a time, sometimes in groups.
            if random.below(5) == 0 {
                while let Some(done) = calls.join_next().await {
                    done.unwrap();
                }
            }
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap();
        }
        for user in people {
            let feed = kit.feed(user).await;
            assert!(feed.is_sorted_by_key(|e| e.timestamp));
            let head = feed.len() as i64;
            let mut folded: BTreeMap<TaskId, Task> = BTreeMap::new();
            for event in feed {
                apply(&mut folded, event);
            }
            let next: Vec<_> = tasks.iter().map(|id| next_id(*id)).collect();
            for id in tasks.iter().chain(&next) {
                let task = kit.store.task(user, *id).await.unwrap();
                assert_eq!(task.as_ref(), folded.get(id), "seed {seed}");
            }
            let mut kept: Vec<_> = folded
                .into_values()
                .filter(|t| t.deleted_at.is_none())
                .collect();
            kept.sort_by(|a, b| (&a.position, a.id).cmp(&(&b.position, b.id)));
            assert_eq!(kit.store.as_of(user, AsOf::Seq(head)).await.unwrap(), kept);
        }
    }
    assert_eq!(store.faults().await, Vec::<String>::new());
}
