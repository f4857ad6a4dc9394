//! Just enough JSON to ask a token's header for one field, without building a tree.

/// The text of the string member `name` of the outermost object, or `None`.
///
/// Escapes in the value are left as they are. Reads each byte once and keeps no stack, so
/// nesting depth does not matter.
pub(super) fn string_member<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut found = None;
    let whole = members(text, |key, value| {
        if found.is_none() && key == name.as_bytes() {
            found = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\""));
        }
    });
    found.filter(|_| whole)
}

/// Whether `text` is one object whose strings and brackets close.
pub(super) fn is_object(text: &[u8]) -> bool {
    members(text, |_, _| {})
}

/// Calls `visit` with name (without quotes) and value of each member of the outermost object.
fn members<'a>(text: &'a [u8], mut visit: impl FnMut(&'a [u8], &'a [u8])) -> bool {
    let text = text.trim_ascii();
    if text.first() != Some(&b'{') {
        return false;
    }
    let (mut depth, mut at) = (0usize, 0);
    let (mut name, mut value_start): (Option<&[u8]>, Option<usize>) = (None, None);
    let mut last_string: &[u8] = b"";
    while let Some(&byte) = text.get(at) {
        let next = if byte == b'"' { string_end(text, at) } else { Some(at + 1) };
        let Some(next) = next else { return false };
        match byte {
            b'"' => last_string = &text[at + 1..next - 1],
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 && value_start.is_none() => {
                name = Some(last_string);
                value_start = Some(next);
            }
            _ => {}
        }
        if matches!(byte, b'}' | b']') || byte == b',' && depth == 1 {
            if depth == 1
                && let (Some(key), Some(start)) = (name.take(), value_start.take())
            {
                visit(key, text[start..at].trim_ascii());
            }
            if byte != b',' {
                depth -= 1;
                if depth == 0 {
                    return byte == b'}' && next == text.len();
                }
            }
        }
        at = next;
    }
    false
}

/// One past the closing quote of the string that starts at `start`.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            0..=31 => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_members_of_the_outermost_object_only() {
        let text = br#" {"x":{"alg":"inner"},"l":["a","alg"], "alg" : "HS256","n":1} "#;
        assert_eq!(string_member(text, "alg"), Some(b"HS256".as_slice()));
        assert_eq!(string_member(text, "n"), None);
        assert_eq!(string_member(br#"{"x":"alg","y":"z"}"#, "alg"), None);
        assert_eq!(string_member(br#"{"a":"q\"uote"}"#, "a"), Some(br#"q\"uote"#.as_slice()));
    }

    #[test]
    fn what_does_not_close_is_no_object() {
        for text in ["", "{", "[]", "{}}", r#"{"a"#, r#"{"a":"b"#, r#"{"a":"\"#, "{]", "{}x"] {
            assert!(!is_object(text.as_bytes()), "{text}");
        }
        assert!(is_object(b"{}"));
        assert!(is_object(br#"{"a":[{"b":{}}]}"#));
        assert!(!is_object("{\"a\":".repeat(50_000).as_bytes()));
    }
}
