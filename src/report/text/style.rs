//! Colours of the terminal report; all empty when colour is off.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::finding::Severity;

/// Which parts get which colour.
pub(super) struct Palette {
    color: bool,
}

impl Palette {
    pub(super) const fn new(color: bool) -> Self {
        Self { color }
    }

    pub(super) fn severity(&self, severity: Severity, text: impl Display) -> String {
        let style = match severity {
            Severity::Critical => AnsiColor::BrightWhite.on(AnsiColor::Red).bold(),
            Severity::High => AnsiColor::BrightRed.on_default().bold(),
            Severity::Medium => AnsiColor::Yellow.on_default().bold(),
            Severity::Low => AnsiColor::Cyan.on_default(),
            Severity::Info => AnsiColor::Blue.on_default(),
        };
        self.paint(style, text)
    }

    /// Names of rules, the secret.
    pub(super) fn strong(&self, text: impl Display) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What is read second: labels, line numbers, ids.
    pub(super) fn quiet(&self, text: impl Display) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    pub(super) fn place(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    pub(super) fn good(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    pub(super) fn alarm(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    fn paint(&self, style: Style, text: impl Display) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}
