//! What is printed.
#![expect(
    clippy::print_stdout,
    reason = "the report is what this program is for"
)]

use std::time::Duration;

/// Above the figures: what is measured, and what beside.
pub(crate) fn head(here: &str, beside: &str) {
    println!(
        "{:<44} {here:>12} {beside:>12} {:>7} {:>6}",
        "", "ratio", "aim"
    );
}

/// Something a second, beside what it is held against; `aim` is the ratio that is wanted.
pub(crate) fn rate(what: &str, rate: f64, bare: f64, aim: Option<f64>) {
    let aim = aim.map_or_else(String::new, |a| format!("{a:.2}"));
    let ratio = rate / bare;
    println!("{what:<44} {rate:>10.0}/s {bare:>10.0}/s {ratio:>7.3} {aim:>6}");
}

/// A time at the middle and at the slow end.
pub(crate) fn time(what: &str, p50: Duration, p99: Duration) {
    let (p50, p99) = (p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3);
    println!("{what:<44} {p50:>9.2} ms p50 {p99:>8.2} ms p99");
}

/// So many, in a time.
pub(crate) fn took(what: &str, count: usize, time: Duration) {
    let seconds = time.as_secs_f64();
    let rate = count as f64 / seconds;
    println!("{what:<44} {rate:>10.0}/s {seconds:>10.2} s");
}

/// A time, beside another.
pub(crate) fn longest(what: &str, time: Duration, beside: Duration) {
    let (time, beside) = (time.as_secs_f64() * 1e3, beside.as_secs_f64() * 1e3);
    println!("{what:<44} {time:>9.1} ms {beside:>9.1} ms");
}

/// A size in KB.
pub(crate) fn size(what: &str, bytes: f64) {
    println!("{what:<44} {:>9.1} KB", bytes / 1e3);
}

/// A size in MB that grew, and how it began.
pub(crate) fn grown(what: &str, began: u64, peak: u64) {
    let (began, peak) = (began as f64 / 1e6, peak as f64 / 1e6);
    let ratio = peak / began;
    println!("{what:<44} {peak:>9.1} MB {began:>9.1} MB {ratio:>7.3}");
}

/// Two rates of Tidings itself, before and after.
pub(crate) fn kept(what: &str, before: f64, after: f64) {
    let ratio = after / before;
    println!("{what:<44} {after:>10.0}/s {before:>10.0}/s {ratio:>7.3}");
}

/// A line between groups.
pub(crate) fn group(what: &str) {
    println!("\n{what}");
}
