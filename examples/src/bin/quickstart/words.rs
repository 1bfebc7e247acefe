//! Small things said in words.

use std::time::Duration;

use axum::http::HeaderValue;

/// How long ago, in the largest unit that fits.
pub(crate) fn ago(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..5 => return "just now".to_owned(),
        5..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", plural(count))
}

/// How many sessions were ended.
pub(crate) fn ended(count: u64) -> String {
    match count {
        0 => "There was no other session to end.".to_owned(),
        _ => format!("{count} session{} ended.", plural(count)),
    }
}

/// A browser in words, from what it says it is. Good enough to tell one line of a list from another.
pub(crate) fn browser(user_agent: Option<&HeaderValue>) -> String {
    let said = user_agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The order matters: most browsers claim to be the ones further down, too.
    let name = find(said, &["Firefox", "Edg", "OPR", "Chrome", "Safari", "curl"]).unwrap_or("A browser");
    let name = match name {
        "Edg" => "Edge",
        "OPR" => "Opera",
        other => other,
    };
    let system = find(said, &["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"]);
    match system {
        Some("Mac OS X") => format!("{name} on macOS"),
        Some(system) => format!("{name} on {system}"),
        None => name.to_owned(),
    }
}

fn find(text: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().copied().find(|word| text.contains(word))
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
