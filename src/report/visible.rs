//! Makes text safe for terminals and logs: what cannot be seen is spelled out.

/// `text` with control characters as `\xNN` and invisible direction marks as `\u{NNNN}`.
///
/// Tabs become spaces. Direction marks are spelled out because they make a line read otherwise
/// than it is (CVE-2021-42574).
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            _ if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if is_direction_mark(c) => out.push_str(&format!("\\u{{{:04x}}}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// JSON with the characters serde leaves raw but terminals act on (DEL, C1, direction marks)
/// escaped. In JSON they can stand only inside strings, so the document stays the same.
pub(super) fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(|c| matches!(c, '\u{7f}'..='\u{9f}') || is_direction_mark(c)) {
        let (plain, odd) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = odd.chars();
        out.extend(chars.next().map(|c| format!("\\u{:04x}", u32::from(c))));
        rest = chars.as_str();
    }
    out + rest
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_survives() {
        assert_eq!(visible("a\x1b[31m\tb\u{202e}c\u{9b}"), "a\\x1b[31m b\\u{202e}c\\x9b");
        assert_eq!(visible("ümlaut … ok"), "ümlaut … ok");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "a\u{7f}b\u{202e}c\u{85}";
        let json = visible_json(&serde_json::to_string(text).expect("a string serialises"));
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("still JSON"), text);
    }
}
