//! The contract of a store, held by every implementation: each test is generic over
//! [`kit::TestStore`].

mod aside;
mod groups;
mod histories;
mod kit;
mod lasting;
mod lists;
mod mails;
mod missed;
mod mutations;
mod notices;
mod outbox;
mod past;
mod people;
mod postgres;
mod pushes;
mod random;
mod reminders;
mod replay;
mod retention;
mod search;
mod series;
mod sqlite;
mod statistics;
mod trail;
mod verify;

/// Runs each test of the contract on each store.
macro_rules! contract {
    ($store:ident in $name:ident) => {
        contract! { $store in $name
            mutations: creates_and_reads, writes_events_as_the_contract_has_them,
                changes_nothing_without_an_event, refuses, never_goes_back_in_time,
                answers_a_retry_as_before, keeps_no_refusal_and_no_id_of_its_own,
                purges_without_a_trace, restores, tells_of_commits;
            groups: commits_many_at_once, refuses_one_of_a_group_alone,
                another_write_that_fails_fails_alone,
                does_nothing_twice_in_a_group, sees_earlier_ones_of_a_group,
                survives_callers_that_go_away, comes_back_whole;
            histories: folds_to_the_tasks;
            series: makes_one_successor_however_often_it_is_told,
                looks_again_before_it_makes_a_successor,
                opening_again_takes_an_untouched_successor_back,
                leaves_alone_what_somebody_touched, makes_anew_what_it_took_back_and_is_gone,
                a_first_task_that_is_moved_moves_no_series, a_series_outlives_its_first_task,
                skips_an_occurrence, does_as_much_in_a_group_as_one_by_one,
                completing_late_piles_nothing_up;
            lasting: is_unavailable_once_closed, writes_all_of_a_group_or_nothing_and_recovers,
                forgets_answers_after_thirty_days, keeps_no_row_of_a_person_who_is_gone;
            retention: forgets_what_was_taken_in_thirty_days_ago,
                goes_by_one_clock,
                remembers_what_may_be_delivered_again, forgets_sessions_that_ended,
                empties_the_trash_after_thirty_days,
                goes_on_after_what_cannot_be_deleted;
            past: pages_the_log, tells_a_tasks_history, shows_tasks_as_they_were,
                reads_only_so_much_of_the_log_at_once;
            lists: holds_what_the_views_hold, orders_as_the_views_do, walks_every_sort_once,
                filters, draws_boards, says_where_the_feed_is;
            search: finds_words_by_their_beginnings, takes_everything_for_words,
                follows_what_becomes_of_a_task, keeps_people_apart,
                finds_what_a_look_at_every_task_finds, finds_one_among_a_hundred_thousand,
                sees_that_words_are_wrong;
            verify: finds_nothing_wrong_beside_writes, finds_what_was_damaged;
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
                claims_the_oldest_first, claims_no_more_than_so_many_bytes,
                writes_nothing_where_there_is_nothing_to_claim,
                records_an_event_once, records_once_what_the_inbox_forgot;
            trail: shows_a_person_theirs, goes_on_where_it_ended;
            missed: knows_how_far_the_log_was_published, finds_what_a_consumer_never_took_in,
                remembers_up_to_where_it_compared, what_was_lost_of_what_people_are_told_is_told_once;
            mails: hands_mail_out_once, settles_mail, writes_one_mail_once, makes_its_secret_once;
            pushes: hands_each_browser_its_own_in_order, settles_pushes,
                a_browser_is_one_persons_while_they_are_signed_in,
                keeps_so_many_browsers_and_so_much_for_each, pushes_only_what_is_still_news,
                forgets_what_was_set_aside_thirty_days_ago, makes_its_key_once;
            notices: tells_once, tells_by_the_ways_that_are_asked_for,
                tells_nothing_of_what_is_gone, lists_and_marks_notifications,
                keeps_the_newest_notifications, counts_streaks, tells_of_a_streak_whose_days_come_late,
                keeps_what_people_chose,
                mails_nobody_without_end, reminds_of_what_is_still_to_be_done;
            reminders: tells_of_what_is_due, a_reminder_moves_and_goes_with_its_task,
                a_time_is_told_of_once_however_often_it_comes, many_are_told_of_once_by_many,
                a_reminder_loses_its_contents_with_its_task;
            statistics: count_what_is_there, end_the_same_in_any_order, go_with_their_person;
            replay: counts_the_same_again, hands_out_each_event_of_a_person_once,
                mends_a_part_at_a_time, changes_nothing_that_is_right,
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
