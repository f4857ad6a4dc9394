//! Errors as the command line shows them: one line what, one line what to do next.

use std::fmt;
use std::io::Write;

/// Why a command ended with exit code 2, and the next command to try.
#[derive(Debug)]
pub(super) struct Failure {
    cause: anyhow::Error,
    hint: Option<String>,
}

/// What commands return.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure that has no underlying error. `what` is lower case and without a full stop.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { cause: anyhow::Error::msg(what.into()), hint: None }
    }

    /// Adds the next command to try, or replaces it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done when the error came up.
    pub(super) fn context(mut self, what: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.cause = self.cause.context(what);
        self
    }

    /// All of it in one line, for a report.
    pub(super) fn in_one_line(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}"));
        printable(&format!("{:#}{}", self.cause, hint.unwrap_or_default()))
    }

    /// Writes the failure: everything on one line, or with `verbose` each cause on its own.
    ///
    /// Control characters, which file names may hold, are written as `\xNN`. A standard error
    /// that cannot be written to is no reason to fail again.
    pub(super) fn write(&self, verbose: bool, out: &mut dyn Write) {
        let mut text = if verbose {
            let mut lines = vec![format!("error: {}", printable(&self.cause.to_string()))];
            lines.extend(
                self.cause.chain().skip(1).map(|c| format!("  because: {}", printable(&c.to_string()))),
            );
            lines.join("\n")
        } else {
            format!("error: {}", printable(&format!("{:#}", self.cause)))
        };
        if let Some(hint) = &self.hint {
            text.push_str("\nhint: ");
            text.push_str(&printable(hint));
        }
        text.push('\n');
        let _ = out.write_all(text.as_bytes());
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { cause: anyhow::Error::new(error), hint: None }
    }
}

/// `text` on one line and safe for a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(' '),
            c if c.is_control() => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(failure: &Failure, verbose: bool) -> String {
        let mut out = Vec::new();
        failure.write(verbose, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_and_a_hint() {
        let cause = std::io::Error::other("disk\nfull");
        let failure = Failure::from(cause).context("cannot write a\u{1b}[31m.json").hint("free some space");
        assert_eq!(
            shown(&failure, false),
            "error: cannot write a\\x1b[31m.json: disk full\nhint: free some space\n"
        );
        assert_eq!(
            shown(&failure, true),
            "error: cannot write a\\x1b[31m.json\n  because: disk full\nhint: free some space\n"
        );
    }
}
