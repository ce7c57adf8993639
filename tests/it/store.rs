//! The contract of a store, held by every implementation: each test is generic over
//! [`kit::TestStore`].

mod aside;
mod groups;
mod histories;
mod kit;
mod lasting;
mod lists;
mod mutations;
mod outbox;
mod past;
mod people;
mod postgres;
mod random;
mod replay;
mod sqlite;
mod statistics;

/// Runs each test of the contract on each store.
macro_rules! contract {
    ($store:ident in $name:ident) => {
        contract! { $store in $name
            mutations: creates_and_reads, writes_events_as_the_contract_has_them,
                changes_nothing_without_an_event, refuses, never_goes_back_in_time,
                answers_a_retry_as_before, keeps_no_refusal_and_no_id_of_its_own,
                purges_without_a_trace, restores, tells_of_commits;
            groups: commits_many_at_once, refuses_one_of_a_group_alone,
                does_nothing_twice_in_a_group, sees_earlier_ones_of_a_group,
                survives_callers_that_go_away, comes_back_whole;
            histories: folds_to_the_tasks;
            lasting: is_unavailable_once_closed, writes_all_of_a_group_or_nothing_and_recovers,
                forgets_answers_after_thirty_days, keeps_no_row_of_a_person_who_is_gone;
            past: pages_the_log, tells_a_tasks_history, shows_tasks_as_they_were,
                reads_only_so_much_of_the_log_at_once;
            lists: holds_what_the_views_hold, orders_as_the_views_do, walks_every_sort_once,
                filters, draws_boards, says_where_the_feed_is;
            people: registers_once, changes_an_account, keeps_sessions,
                begins_no_session_with_an_old_password, keeps_tokens,
                tells_whose_account_changed,
                forgets_a_person;
            aside: rows_that_were_set_aside_are_listed_put_back_and_dropped,
                a_dead_letter_is_kept_once_and_knows_what_was_noted,
                a_dead_letter_goes_with_its_task_and_its_person,
                keeps_a_dead_letter_whatever_it_holds,
                retrying_runs_the_handlers_and_keeps_what_they_cannot_handle;
            outbox: hands_out_in_order, leases_pairs, holds_back_what_is_behind_a_failure,
                claims_the_oldest_first, writes_nothing_where_there_is_nothing_to_claim,
                records_an_event_once;
            statistics: count_what_is_there, end_the_same_in_any_order, go_with_their_person;
            replay: counts_the_same_again, changes_nothing_that_is_right,
                gives_the_trail_what_it_lacks, is_of_one_person_where_that_is_asked;
        }
    };
    ($store:ident in $name:ident $($module:ident: $($test:ident),*;)*) => {
        mod $name {
            $(mod $module {
                use super::super::kit::{TestStore, $store};
                $(#[tokio::test]
                async fn $test() {
                    super::super::$module::$test($store::new().await).await;
                })*
            })*
        }
    };
}

contract!(Sqlite in on_sqlite);
contract!(Postgres in on_postgres);
