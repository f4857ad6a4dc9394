//! Allowlists: which findings of gitleaks rules do not count.

use std::collections::BTreeSet;

use super::expression::Expression;

/// What the expressions of an allowlist are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// The whole match.
    Match,
    /// The line the match stands on, with the line feed before it.
    Line,
}

/// One allowlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allowlist {
    /// Where it stands, for people: `.gitleaks.toml:12`.
    pub place: String,
    /// Its description, or an empty text.
    pub description: String,
    /// All kinds of conditions that are given must hold, not just one of them.
    pub all: bool,
    /// Commits, in lower case.
    pub commits: BTreeSet<String>,
    /// Any of the paths.
    pub paths: Option<Expression>,
    /// Any of the expressions.
    pub regexes: Option<Expression>,
    /// What they are held against.
    pub target: Target,
    /// Texts one of which the secret contains, in lower case.
    pub stopwords: Vec<String>,
}

/// The texts of one match.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The secret.
    pub secret: &'a [u8],
    /// The whole match.
    pub hit: &'a [u8],
    /// The line, with the line feed before it.
    pub line: &'a [u8],
}

/// What the content says about an allowlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, wherever the content is.
    Holds,
    /// It holds if path and commit say so.
    Depends,
    /// It does not hold, wherever the content is.
    Fails,
}

impl Allowlist {
    /// Whether it says anything at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.paths.is_none() && self.regexes.is_none() && self.stopwords.is_empty()
    }

    /// What the content alone says.
    #[must_use]
    pub fn content(&self, subject: &Subject<'_>) -> Outcome {
        let elsewhere = !self.commits.is_empty() || self.paths.is_some();
        let regex = self.regexes.as_ref().map(|any| {
            let text = match self.target {
                Target::Secret => subject.secret,
                Target::Match => subject.hit,
                Target::Line => subject.line,
            };
            !text.is_empty() && any.is_match(text)
        });
        let word = (!self.stopwords.is_empty()).then(|| self.has_stopword(subject.secret));
        let mut given = [regex, word].into_iter().flatten();
        let decided = if self.all { given.any(|holds| !holds) } else { given.any(|holds| holds) };
        match (self.all, decided, elsewhere) {
            (true, true, _) => Outcome::Fails,
            (false, true, _) => Outcome::Holds,
            (_, false, true) => Outcome::Depends,
            (all, false, false) => {
                if all {
                    Outcome::Holds
                } else {
                    Outcome::Fails
                }
            }
        }
    }

    /// Whether it holds at a place, when the content left that open.
    #[must_use]
    pub fn place(&self, path: Option<&[u8]>, commit: Option<&str>) -> bool {
        let by_path = self.paths.as_ref().map(|any| path.is_some_and(|path| any.is_match(path)));
        let by_commit = (!self.commits.is_empty())
            .then(|| commit.is_some_and(|commit| self.commits.contains(&commit.to_ascii_lowercase())));
        let mut given = [by_path, by_commit].into_iter().flatten();
        if self.all { given.all(|holds| holds) } else { given.any(|holds| holds) }
    }

    fn has_stopword(&self, secret: &[u8]) -> bool {
        let lower = String::from_utf8_lossy(secret).to_lowercase();
        self.stopwords.iter().any(|word| lower.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'_> =
        Subject { secret: b"seCret1", hit: b"key=seCret1", line: b"\n  key=seCret1 # x" };

    fn regex(text: &str, target: Target, all: bool) -> Allowlist {
        Allowlist { regexes: Some(Expression::new(text).unwrap()), target, all, ..Allowlist::default() }
    }

    #[test]
    fn expressions_are_held_against_their_target() {
        for (text, target, outcome) in [
            ("^seCret1$", Target::Secret, Outcome::Holds),
            ("key", Target::Secret, Outcome::Fails),
            ("^key", Target::Match, Outcome::Holds),
            ("# x$", Target::Line, Outcome::Holds),
            // The line begins with the line feed before it.
            ("^  key", Target::Line, Outcome::Fails),
        ] {
            assert_eq!(regex(text, target, false).content(&SUBJECT), outcome, "{text}");
            assert_eq!(regex(text, target, true).content(&SUBJECT), outcome, "{text}");
        }
    }

    #[test]
    fn stopwords_ignore_case() {
        let mut list = Allowlist { stopwords: vec!["secret".to_owned()], ..Allowlist::default() };
        assert_eq!(list.content(&SUBJECT), Outcome::Holds);
        list.stopwords = vec!["other".to_owned()];
        assert_eq!(list.content(&SUBJECT), Outcome::Fails);
    }

    #[test]
    fn or_needs_one_and_and_needs_every_kind() {
        let paths = Some(Expression::new("^tests/").unwrap());
        let or = Allowlist { paths: paths.clone(), ..regex("nothing", Target::Secret, false) };
        let and = Allowlist { paths, ..regex("seCret", Target::Secret, true) };
        assert_eq!((or.content(&SUBJECT), and.content(&SUBJECT)), (Outcome::Depends, Outcome::Depends));
        for (path, holds) in [(Some(&b"tests/a"[..]), true), (Some(b"src/a"), false), (None, false)] {
            assert_eq!((or.place(path, None), and.place(path, None)), (holds, holds));
        }
        let and = Allowlist { paths: or.paths.clone(), ..regex("nothing", Target::Secret, true) };
        assert_eq!(and.content(&SUBJECT), Outcome::Fails);
        let both = Allowlist { commits: ["ab".to_owned()].into(), all: true, ..or };
        assert!(both.place(Some(b"tests/a"), Some("AB")) && !both.place(Some(b"tests/a"), Some("cd")));
    }
}
