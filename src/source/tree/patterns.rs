//! The patterns of one ignore file, as git reads them (gitignore(5), `wildmatch.c`).
//!
//! An own matcher, since ignore files come from whoever wrote the tree: sets of regular expressions
//! take gigabytes for some thousand patterns with many stars. This one holds nothing but the text, and
//! a match takes at most the product of both lengths.

/// Bytes that mean something else than themselves.
const SPECIAL: &[u8] = b"*?[\\";

/// What a file says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ignore,
    Keep,
}

/// All patterns of a file.
#[derive(Debug)]
pub(super) struct Patterns {
    list: Vec<Pattern>,
    ignore_case: bool,
}

#[derive(Debug)]
struct Pattern {
    text: Box<[u8]>,
    keep: bool,
    only_directories: bool,
    form: Form,
}

/// How the text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The last component is the text.
    Name,
    /// … ends in the text.
    NameEnd,
    /// … matches the text.
    NameGlob,
    /// The whole path matches the text, component by component.
    Path,
}

impl Patterns {
    /// Reads an ignore file.
    pub(super) fn read(content: &[u8], ignore_case: bool) -> Self {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let list = content.split(|&byte| byte == b'\n').filter_map(Pattern::read).collect();
        Self { list, ignore_case }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What the last pattern that matches says of `path`, which is given from the directory of the
    /// ignore file on, with slashes.
    pub(super) fn verdict(&self, path: &[u8], is_directory: bool) -> Option<Verdict> {
        let name = &path[memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1)..];
        let matching = self.list.iter().rev().find(|pattern| {
            (is_directory || !pattern.only_directories) && pattern.matches(path, name, self.ignore_case)
        })?;
        Some(if matching.keep { Verdict::Keep } else { Verdict::Ignore })
    }
}

impl Pattern {
    fn read(line: &[u8]) -> Option<Self> {
        let line = trimmed(line.strip_suffix(b"\r").unwrap_or(line));
        if line.starts_with(b"#") {
            return None;
        }
        let (keep, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
        let (only_directories, line) = line.strip_suffix(b"/").map_or((false, line), |rest| (true, rest));
        let (anchored, text) = line.strip_prefix(b"/").map_or((false, line), |rest| (true, rest));
        if text.is_empty() {
            return None;
        }
        let is_plain = |text: &[u8]| !text.iter().any(|byte| SPECIAL.contains(byte));
        let (form, text) = match text.strip_prefix(b"*") {
            _ if anchored || text.contains(&b'/') => (Form::Path, text),
            Some(end) if is_plain(end) => (Form::NameEnd, end),
            _ if is_plain(text) => (Form::Name, text),
            _ => (Form::NameGlob, text),
        };
        Some(Self { text: text.into(), keep, only_directories, form })
    }

    fn matches(&self, path: &[u8], name: &[u8], ignore_case: bool) -> bool {
        let same = |a: &[u8], b: &[u8]| if ignore_case { a.eq_ignore_ascii_case(b) } else { a == b };
        match self.form {
            Form::Name => same(name, &self.text),
            Form::NameEnd => {
                name.len().checked_sub(self.text.len()).is_some_and(|at| same(&name[at..], &self.text))
            }
            Form::NameGlob => matches_component(&self.text, name, ignore_case),
            Form::Path => {
                // What comes before the first special byte is compared as it is, as git does: `a**/b` is
                // then `a` and `**/b`.
                let plain =
                    self.text.iter().position(|byte| SPECIAL.contains(byte)).unwrap_or(self.text.len());
                let (start, rest) = self.text.split_at(plain);
                path.split_at_checked(plain)
                    .is_some_and(|(front, back)| same(front, start) && matches_path(rest, back, ignore_case))
            }
        }
    }
}

/// Without blanks at the end, unless a backslash keeps them.
fn trimmed(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        let step = if line[at] == b'\\' { 2 } else { 1 };
        if line[at] != b' ' {
            end = (at + step).min(line.len());
        }
        at += step;
    }
    &line[..end]
}

/// Whether the components of `path` match those of `pattern`, where `**` stands for any number of
/// them, and at the end for one at least.
fn matches_path(pattern: &[u8], path: &[u8], ignore_case: bool) -> bool {
    // Both go on at the start of a component; None behind the last.
    let (mut want, mut have) = (Some(pattern), Some(path));
    // Where to go on when it does not work out: behind the last `**`, one component later.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (want, have) {
            (None, None) => return true,
            (Some(rest), Some(here)) => {
                let (component, after) = first_of_pattern(rest);
                // Of two stars or more, for git.
                if component.len() > 1 && component.iter().all(|&byte| byte == b'*') {
                    let Some(after) = after else { return true };
                    again = Some((after, here));
                    want = Some(after);
                    continue;
                }
                let (name, later) = first(here);
                if matches_component(component, name, ignore_case) {
                    (want, have) = (after, later);
                    continue;
                }
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        let Some((after, here)) = again else { return false };
        let Some(later) = first(here).1 else { return false };
        again = Some((after, later));
        (want, have) = (Some(after), Some(later));
    }
}

/// The first component, and what comes behind its slash.
fn first(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'/', path) {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

/// The same for a pattern: a slash in a class ends no component, and a backslash before one is nothing.
fn first_of_pattern(pattern: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while at < pattern.len() {
        at += match pattern[at] {
            b'/' => return (&pattern[..at], Some(&pattern[at + 1..])),
            b'\\' if pattern.get(at + 1) == Some(&b'/') => return (&pattern[..at], Some(&pattern[at + 2..])),
            b'\\' => 2,
            b'[' => in_class(&pattern[at + 1..], 0, false).map_or(1, |(len, _)| len + 1),
            _ => 1,
        };
    }
    (pattern, None)
}

/// Whether one component matches.
fn matches_component(pattern: &[u8], name: &[u8], ignore_case: bool) -> bool {
    let (mut p, mut n) = (0, 0);
    // Behind the last star, and where in the name it was tried last.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, n));
            continue;
        }
        if let Some(next) = one(&pattern[p..], name[n], ignore_case) {
            (p, n) = (p + next, n + 1);
            continue;
        }
        let Some((behind, tried)) = star else { return false };
        (p, n) = (behind, tried + 1);
        star = Some((behind, n));
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Length of what matches `byte` at the start of `pattern`; none when nothing does.
fn one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let same = |a: u8| a == byte || ignore_case && a.eq_ignore_ascii_case(&byte);
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => same(*escaped).then_some(2),
        [b'[', class @ ..] => {
            let (len, holds) = in_class(class, byte, ignore_case)?;
            holds.then_some(len + 1)
        }
        // A backslash at the end matches nothing, for git.
        [b'\\'] | [] => None,
        [literal, ..] => same(*literal).then_some(1),
    }
}

/// Length of the class that begins behind `[`, and whether `byte` is in it; none when it has no end.
fn in_class(class: &[u8], byte: u8, ignore_case: bool) -> Option<(usize, bool)> {
    let mut at = 0;
    let negated = matches!(class.first()?, b'!' | b'^');
    at += usize::from(negated);
    let folds = [byte, byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
    let bytes = if ignore_case { &folds[..] } else { &folds[..1] };
    let mut holds = false;
    let mut is_first = true;
    loop {
        let mut low = *class.get(at)?;
        at += 1;
        if low == b']' && !is_first {
            return Some((at, holds != negated));
        }
        is_first = false;
        if low == b'[' && class.get(at) == Some(&b':') {
            let end = memchr::memchr(b']', &class[at..])? + at;
            let Some(name) = class[at + 1..end].strip_suffix(b":") else {
                // No class of that kind: the bracket is itself.
                holds |= bytes.contains(&b'[');
                continue;
            };
            holds |= bytes.iter().any(|&byte| named(name, byte) == Some(true));
            named(name, byte)?;
            at = end + 1;
            continue;
        }
        if low == b'\\' {
            low = *class.get(at)?;
            at += 1;
        }
        let mut high = low;
        if class.get(at) == Some(&b'-') && class.get(at + 1).is_some_and(|&next| next != b']') {
            high = class[at + 1];
            at += 2;
            if high == b'\\' {
                high = *class.get(at)?;
                at += 1;
            }
        }
        // The lower end counts even where the range is upside down.
        holds |= bytes.iter().any(|byte| *byte == low || (low..=high).contains(byte));
    }
}

/// Whether `byte` is in the class of that name; none when there is no such class.
fn named(name: &[u8], byte: u8) -> Option<bool> {
    Some(match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(file: &str, path: &str) -> bool {
        let is_directory = path.ends_with('/');
        let patterns = Patterns::read(file.as_bytes(), false);
        patterns.verdict(path.trim_end_matches('/').as_bytes(), is_directory) == Some(Verdict::Ignore)
    }

    #[test]
    fn the_last_pattern_decides() {
        assert!(ignores("*.log\n!keep.log\nkeep.*\n", "a/keep.log"));
        assert!(!ignores("*.log\r\n!keep.log\r\n", "a/keep.log"));
        assert!(ignores("*.log", "x.log") && !ignores("# *.log\n\n  \n", "x.log"));
    }

    #[test]
    fn slashes_tie_a_pattern_to_its_directory() {
        assert!(ignores("/a", "a") && !ignores("/a", "b/a") && ignores("a", "b/a"));
        assert!(ignores("b/a", "b/a") && !ignores("b/a", "c/b/a"));
        assert!(ignores("a/", "b/a/") && !ignores("a/", "b/a"));
        assert!(ignores("**/a/b", "x/y/a/b") && ignores("**/a/b", "a/b"));
        assert!(ignores("a/**", "a/b/c") && !ignores("a/**", "a"));
        assert!(ignores("a/**/b", "a/b") && ignores("a/**/b", "a/x/y/b") && !ignores("a/**/b", "a/xb"));
    }

    #[test]
    fn stars_stay_within_a_component() {
        assert!(ignores("/a*c", "abbc") && !ignores("/a*c", "ab/c"));
        assert!(ignores("a?c*e[!x-z]", "abcdef") && !ignores("a?c*e[!x-z]", "abcdey"));
        assert!(ignores("[[:digit:]]x", "1x") && !ignores("[[:digit:]]x", "ax") && ignores("[]]", "]"));
        assert!(ignores("\\!a\\ ", "!a ") && ignores("a  ", "a"));
    }

    #[test]
    fn patterns_made_against_matchers_are_linear() {
        let file = format!("{}b\n", "*a".repeat(2_000)).repeat(50);
        let start = std::time::Instant::now();
        assert!(!ignores(&file, &"a".repeat(4_000)));
        assert!(!ignores(&"**/*a/".repeat(500), &format!("{}b/", "a/".repeat(499))));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
