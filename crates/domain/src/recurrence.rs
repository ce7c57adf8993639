//! Recurrence rules: RFC 5545 RRULEs, read, checked and put into words.

/// The canonical text of a rule, or of one of the words daily, weekly, monthly and yearly.
///
/// # Errors
/// Words that say what is wrong.
pub fn canonical(rule: &str) -> Result<String, String> {
    match rule {
        "daily" | "weekly" | "monthly" | "yearly" => Ok(format!("FREQ={}", rule.to_uppercase())),
        _ if rule.starts_with("FREQ=") && rule.len() < 500 => Ok(rule.to_owned()),
        _ => Err("That is not a rule that Tidings knows.".to_owned()),
    }
}
