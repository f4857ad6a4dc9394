//! What is taken when an expression has no value: `args.get('p')?.value ?? '…'`.

/// Most bytes of the expression with what stands behind it.
const MAX: usize = 96;

/// Where the quote opens of the text that stands behind the expression at `from` and `??` or `||`, on
/// the same line.
pub(super) fn behind(bytes: &[u8], from: usize) -> Option<usize> {
    let end = bytes.len().min(from + MAX);
    let rest = trim(bytes.get(from..end)?);
    rest.first().filter(|b| b.is_ascii_alphabetic() || **b == b'_')?;
    let expression = rest.iter().take_while(|b| is_part(**b)).count();
    let sign = trim(&rest[expression..]);
    let text = trim(sign.strip_prefix(b"??").or_else(|| sign.strip_prefix(b"||"))?);
    matches!(text.first(), Some(b'"' | b'\'' | b'`')).then_some(end - text.len())
}

fn trim(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()..]
}

/// Names, members, elements and calls.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'$' | b'.' | b'?' | b'!' | b'[' | b']' | b'(' | b')' | b'\'' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_last_resort() {
        for text in ["a ?? 'S'", " a.b[2]?.c || \"S\"", "f('x')||`S`"] {
            assert_eq!(behind(text.as_bytes(), 0), text.find('S').map(|at| at - 1), "{text}");
        }
        for text in ["'a' || 'S'", "a ?? b", "a ? 'S' : b", "a\n?? 'S'", "a + 'S'", "", &"a".repeat(MAX)] {
            assert_eq!(behind(text.as_bytes(), 0), None, "{text}");
        }
    }
}
