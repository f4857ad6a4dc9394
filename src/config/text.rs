//! Values given as plain text: by an environment variable or a flag.

use std::path::PathBuf;
use std::str::FromStr;

use super::keys::{Key, Kind};
use super::{ConfigError, Given, Layer, Place};

impl Layer {
    /// Sets `key` to what `text` says. For a list, `text` is one more item.
    ///
    /// # Errors
    /// The text is no value of this key; the error names `place`.
    pub fn set(&mut self, key: &'static Key, text: &str, place: Place) -> Result<(), ConfigError> {
        let wrong = |message: String| ConfigError::Value { place: place.clone(), key: key.name, message };
        match key.name {
            "confidence" => self.confidence = Some(parsed(text, &place).map_err(wrong)?),
            "severity" => self.severity = Some(parsed(text, &place).map_err(wrong)?),
            "fail-on" => self.fail_on = Some(parsed(text, &place).map_err(wrong)?),
            "baseline" => self.baseline = Some(Given { value: PathBuf::from(text), place }),
            "allow-new-markers" => {
                let on =
                    switch(text).ok_or_else(|| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                self.allow_new_markers = Some(Given { value: on, place });
            }
            "import" => self.import = Some(Given { value: PathBuf::from(text), place }),
            "fail-on-stale" => {
                let on =
                    switch(text).ok_or_else(|| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                self.fail_on_stale = Some(Given { value: on, place });
            }
            "format" => self.format = Some(Given { value: text.to_owned(), place }),
            "color" => self.color = Some(Given { value: text.to_owned(), place }),
            "jobs" => {
                let number =
                    text.parse().map_err(|_| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                self.jobs = Some(Given { value: number, place });
            }
            _ if key.is_budget() => {
                let number =
                    text.parse().map_err(|_| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                self.archives.insert(key.name, Given { value: number, place });
            }
            "no-ignore" => {
                let on =
                    switch(text).ok_or_else(|| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                self.no_ignore = Some(Given { value: on, place });
            }
            "exclude" => self.exclude.push(Given { value: text.to_owned(), place }),
            "accept-incomplete" => self.accept_incomplete.push(parsed(text, &place).map_err(wrong)?),
            "rules.select" => self.rules_select.push(Given { value: text.to_owned(), place }),
            "rules.exclude" => self.rules_exclude.push(Given { value: text.to_owned(), place }),
            "rules.files" => self.rules_files.push(Given { value: PathBuf::from(text), place }),
            "hook.confidence" => self.hook.confidence = Some(parsed(text, &place).map_err(wrong)?),
            "hook.time-budget" => self.hook.time_budget = Some(parsed(text, &place).map_err(wrong)?),
            "hook.on-timeout" => self.hook.on_timeout = Some(parsed(text, &place).map_err(wrong)?),
            "hook.break-glass" | "hook.allow-markers" => {
                let on =
                    switch(text).ok_or_else(|| wrong(format!("`{text}` is not {}", key.kind.expected())))?;
                let given = Some(Given { value: on, place });
                if key.name == "hook.break-glass" {
                    self.hook.break_glass = given;
                } else {
                    self.hook.allow_markers = given;
                }
            }
            // NOTE: a test walks every entry of KEYS through this match.
            other => unreachable!("key {other} of the table is not handled"),
        }
        Ok(())
    }

    /// Sets `key` from the value of its environment variable; items of a list stand between
    /// commas, and commas inside `{…}` belong to the item.
    ///
    /// # Errors
    /// The text is no value of this key; the error names the variable.
    pub fn set_from_variable(&mut self, key: &'static Key, text: &str) -> Result<(), ConfigError> {
        let place = Place::Variable(key.variable);
        match key.kind {
            Kind::List => split(text).into_iter().try_for_each(|item| self.set(key, item, place.clone())),
            Kind::Text | Kind::Flag | Kind::Number => self.set(key, text, place),
        }
    }
}

/// What a switch given as text means; `None` when it is neither on nor off.
#[must_use]
pub fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "" | "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn parsed<T>(text: &str, place: &Place) -> Result<Given<T>, String>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let value = text.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(Given { value, place: place.clone() })
}

/// The items of a comma-separated list, trimmed, empty ones left out.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0_usize, 0);
    let mut items = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::*;

    #[test]
    fn every_key_takes_text() {
        for key in &KEYS {
            let text = match key.kind {
                Kind::Text | Kind::Flag | Kind::Number => key.default.trim_matches('"'),
                Kind::List => "shallow",
            };
            Layer::default()
                .set_from_variable(key, text)
                .unwrap_or_else(|error| panic!("{}: {error}", key.name));
        }
    }

    #[test]
    fn lists_split_at_commas_outside_braces() {
        assert_eq!(split("a/**, *.{js,ts} ,,b"), ["a/**", "*.{js,ts}", "b"]);
        assert!(split(" ").is_empty());
    }

    #[test]
    fn wrong_values_name_the_variable() {
        let jobs = KEYS.iter().find(|key| key.name == "jobs").unwrap();
        let error = Layer::default().set_from_variable(jobs, "many").unwrap_err().to_string();
        assert_eq!(error, "KEYCULL_JOBS: `jobs`: `many` is not a whole number, 0 or more");
    }

    #[test]
    fn switches_are_on_off_or_neither() {
        assert_eq!(switch("Yes"), Some(true));
        assert_eq!(switch("0"), Some(false));
        assert_eq!(switch("maybe"), None);
    }
}
