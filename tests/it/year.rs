//! A year of a person's life: tasks that repeat, reminders and mail, on two replicas that die at work,
//! with deliveries that come twice and in any order, and two weeks in which nobody is there. At the end
//! everything is exactly as it should be.

mod broker;
mod calendar;
mod ends;
mod life;
mod model;
mod replica;
mod world;

use chrono::Datelike;

use self::{
    calendar::{DAY_MS, Rule, date, instant, shown, time},
    life::{Life, is_evening},
    world::World,
};

/// Lives through a year: what befell the person, in a line.
async fn live(postgres: bool, seed: u64) -> String {
    let start = instant(date(1, 1).and_time(time(8, 0)));
    let mut life = Life::begin(World::new(postgres, start, seed).await, seed).await;
    // Two weeks of summer in which both replicas are gone.
    let (gone, back) = (
        date(8, 2).and_time(time(20, 0)),
        date(8, 16).and_time(time(12, 0)),
    );
    let (gone, back) = (instant(gone), instant(back));
    let end = instant(date(12, 31).and_time(time(23, 0)));
    let mut month = 1;
    loop {
        let mut at = life.next();
        if at >= end {
            break;
        }
        if (gone..back).contains(&at) && life.world.now() < gone {
            life.world.turn_to(gone);
            life.evening().await;
            for days in [2, 5, 8, 11] {
                life.run_an_errand(days, time(9, 0)).await;
            }
            life.world.work().await;
            life.world.sleep_until(back).await;
            at = back;
        }
        life.world.turn_to(at);
        life.world.remind().await;
        life.model.remind(at);
        life.world.settle().await;
        if !is_evening(at) {
            continue;
        }
        life.evening().await;
        life.world.settle().await;
        let today = shown(at).date();
        if today == date(10, 15) {
            life.give_up(Rule::MondaysAndThursdays).await;
            life.world.settle().await;
        }
        if today.month() != month {
            month = today.month();
            life.world.empty_trash().await;
            life.model
                .empty_trash(life.world.now().plus_ms(-30 * DAY_MS));
            life.world.settle().await;
        }
    }
    life.world.broker.hurry();
    life.world.settle().await;
    life.ended_well().await;
    life.was_eventful()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_ends_as_it_should_on_sqlite() {
    println!("{}", live(false, 2027).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_ends_as_it_should_on_postgres() {
    println!("{}", live(true, 2028).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_year_ends_as_it_should_on_sqlite() {
    let seed = rand::random();
    println!("seed {seed}");
    println!("{}", live(false, seed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_year_ends_as_it_should_on_postgres() {
    let seed = rand::random();
    println!("seed {seed}");
    println!("{}", live(true, seed).await);
}
