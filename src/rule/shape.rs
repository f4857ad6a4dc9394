//! Shapes: the deterministic patterns token and assignment rules are written in.
//!
//! A shape is a list of items, each a literal or a run of one character class with a length
//! range, for example `alnum{22} '_' alnum{59}`. Every run that can vary in length is followed
//! by something its class excludes, so greedy matching needs no backtracking and is exact.

use std::borrow::Cow;

use super::class::ByteSet;

/// Longest run a shape may ask for; keeps every rule's reach bounded.
pub const MAX_RUN: u16 = 4096;

/// One item of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// These bytes.
    Lit(Cow<'static, [u8]>),
    /// Between `min` and `max` bytes of `set`, as many as there are.
    Run {
        /// Allowed bytes.
        set: ByteSet,
        /// Fewest bytes.
        min: u16,
        /// Most bytes; a longer run of the class does not match at all when it ends the shape.
        max: u16,
    },
}

/// A deterministic sequence of literals and runs.
pub type Shape = Cow<'static, [Item]>;

/// Parses the text form: items separated by blanks.
///
/// * `'text'` a literal (no escapes; a quote is written in a set),
/// * `class{n}`, `class{m,n}`, `class` (once) with a class name of [`ByteSet::named`],
/// * `[A-Z0-9._-]{n}` a bracket set.
///
/// # Errors
/// Says which item is wrong and why; also when two items make matching ambiguous.
pub fn parse(text: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (item, after) = parse_item(rest)?;
        items.push(item);
        rest = after.trim_start();
    }
    if items.is_empty() {
        return Err("empty shape".to_owned());
    }
    check_deterministic(&items)?;
    Ok(items)
}

fn parse_item(text: &str) -> Result<(Item, &str), String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let end = rest.find('\'').ok_or_else(|| format!("literal is not closed: {text}"))?;
        if end == 0 {
            return Err("empty literal".to_owned());
        }
        return Ok((Item::Lit(Cow::Owned(rest.as_bytes()[..end].to_vec())), &rest[end + 1..]));
    }
    let (set, rest) = if let Some(rest) = text.strip_prefix('[') {
        let end = closing_bracket(rest).ok_or_else(|| format!("set is not closed: {text}"))?;
        (ByteSet::parse_bracket(&rest[..end])?, &rest[end + 1..])
    } else {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let name = &text[..end];
        let set = ByteSet::named(name).ok_or_else(|| format!("unknown class `{name}`"))?;
        (set, &text[end..])
    };
    let Some(counts) = rest.strip_prefix('{') else {
        return Ok((Item::Run { set, min: 1, max: 1 }, rest));
    };
    let end = counts.find('}').ok_or_else(|| format!("count is not closed: {text}"))?;
    let (min, max) = parse_counts(&counts[..end])?;
    Ok((Item::Run { set, min, max }, &counts[end + 1..]))
}

/// Index of the `]` that closes a set whose inside starts at `text`.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(i, c)| {
        let closes = c == ']' && !escaped && i > 0;
        escaped = c == '\\' && !escaped;
        closes.then_some(i)
    })
}

fn parse_counts(text: &str) -> Result<(u16, u16), String> {
    let number = |s: &str| s.trim().parse::<u16>().map_err(|_| format!("bad count `{{{text}}}`"));
    let (min, max) = match text.split_once(',') {
        Some((min, max)) if max.trim().is_empty() => {
            return Err(format!("`{{{min},}}` has no upper bound; give one (at most {MAX_RUN})"));
        }
        Some((min, max)) => (number(min)?, number(max)?),
        None => (number(text)?, number(text)?),
    };
    if max == 0 || min > max || max > MAX_RUN {
        return Err(format!("bad count `{{{text}}}`: needs min <= max, 1 <= max <= {MAX_RUN}"));
    }
    Ok((min, max))
}

/// Rejects a variable run whose class meets what may follow it.
fn check_deterministic(items: &[Item]) -> Result<(), String> {
    for (i, item) in items.iter().enumerate() {
        let Item::Run { set, min, max } = item else { continue };
        if min == max {
            continue;
        }
        for next in &items[i + 1..] {
            let clash = match next {
                Item::Lit(bytes) => set.has(bytes[0]),
                Item::Run { set: other, .. } => !set.is_disjoint(other),
            };
            if clash {
                return Err(format!(
                    "item {} varies in length and the next one starts with a byte of its class: ambiguous",
                    i + 1
                ));
            }
            let optional = matches!(next, Item::Run { min: 0, .. });
            if !optional {
                break;
            }
        }
    }
    Ok(())
}

/// Matches `items` from `start` to the right; the end of the match, or `None`.
#[must_use]
#[inline]
pub fn match_forward(items: &[Item], bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for item in items {
        match item {
            Item::Lit(lit) => {
                if !bytes[at..].starts_with(lit) {
                    return None;
                }
                at += lit.len();
            }
            Item::Run { set, min, max } => {
                let window = &bytes[at..bytes.len().min(at + usize::from(*max))];
                let taken = window.iter().position(|&b| !set.has(b)).unwrap_or(window.len());
                if taken < usize::from(*min) {
                    return None;
                }
                at += taken;
            }
        }
    }
    Some(at)
}

/// Matches `items` so that they end at `end`, from the last item leftwards; the start, or `None`.
#[must_use]
pub fn match_backward(items: &[Item], bytes: &[u8], end: usize) -> Option<usize> {
    let mut at = end;
    for item in items.iter().rev() {
        match item {
            Item::Lit(lit) => {
                if !bytes[..at].ends_with(lit) {
                    return None;
                }
                at -= lit.len();
            }
            Item::Run { set, min, max } => {
                let window = &bytes[at.saturating_sub(usize::from(*max))..at];
                let taken = window.iter().rev().position(|&b| !set.has(b)).unwrap_or(window.len());
                if taken < usize::from(*min) {
                    return None;
                }
                at -= taken;
            }
        }
    }
    Some(at)
}

/// Fewest bytes a match has.
#[must_use]
pub fn min_len(items: &[Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            Item::Lit(lit) => lit.len(),
            Item::Run { min, .. } => usize::from(*min),
        })
        .sum()
}

/// Most bytes a match has.
#[must_use]
pub fn max_len(items: &[Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            Item::Lit(lit) => lit.len(),
            Item::Run { max, .. } => usize::from(*max),
        })
        .sum()
}

/// All bytes a match may have.
#[must_use]
pub fn bytes_of(items: &[Item]) -> ByteSet {
    items.iter().fold(ByteSet::EMPTY, |all, item| match item {
        Item::Lit(lit) => lit.iter().fold(all, |all, &byte| all.with(byte)),
        Item::Run { set, .. } => all.union(*set),
    })
}

/// Bytes at the start of every match that are certain to lie in `class`, counted until the
/// first byte that may not.
#[must_use]
pub fn leading_in(items: &[Item], class: &ByteSet) -> usize {
    let mut sure = 0;
    for item in items {
        match item {
            Item::Lit(lit) => match lit.iter().position(|&b| !class.has(b)) {
                Some(stop) => return sure + stop,
                None => sure += lit.len(),
            },
            Item::Run { set, min, max } => {
                if !set.is_subset(class) {
                    return sure;
                }
                sure += usize::from(*min);
                if min != max && usize::from(*min) == 0 {
                    // An optional run says nothing about what follows it; stop counting.
                    return sure;
                }
            }
        }
    }
    sure
}

/// Length of the longest stretch of bytes of `class` that every match is certain to have.
#[must_use]
pub fn longest_in(items: &[Item], class: &ByteSet) -> usize {
    (0..items.len()).map(|from| leading_in(&items[from..], class)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_classes_sets_and_literals() {
        let items = parse("alnum{22} '_' [A-Za-z0-9.~-]{2,5} '='").unwrap();
        assert_eq!(items.len(), 4);
        assert_eq!((min_len(&items), max_len(&items)), (26, 29));
    }

    #[test]
    fn rejects_ambiguity_and_unbounded_runs() {
        assert!(parse("alnum{2,5} digit{3}").unwrap_err().contains("ambiguous"));
        assert!(parse("alnum{2,5} '-'{1}").is_err());
        assert!(parse("alnum{2,}").unwrap_err().contains("upper bound"));
        assert!(parse("nonsense{3}").unwrap_err().contains("unknown class"));
        assert!(parse("alnum{5,2}").is_err());
        // An optional run is looked through: `a` could start what follows it.
        assert!(parse("lower{1,3} '-'").is_ok());
        assert!(parse("lower{1,3} digit{0,2} 'a'").unwrap_err().contains("ambiguous"));
    }

    #[test]
    fn forward_and_backward_agree() {
        let items = parse("lower{2,4} '.' digit{3}").unwrap();
        assert_eq!(match_forward(&items, b"xxabc.123y", 2), Some(9));
        assert_eq!(match_backward(&items, b"--abc.123y", 9), Some(2));
        assert_eq!(match_forward(&items, b"a.123", 0), None);
        assert_eq!(match_forward(&items, b"ab.12", 0), None);
    }

    #[test]
    fn leading_bytes_stop_at_the_first_stranger() {
        let items = parse("alnum{22} '.' alnum{43}").unwrap();
        assert_eq!(leading_in(&items, &ByteSet::RUN), 22);
        let items = parse("alnum{3,9} '-' alnum{20}").unwrap();
        assert_eq!(leading_in(&items, &ByteSet::RUN), 24);
    }
}
