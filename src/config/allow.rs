//! `[[allow]]` entries: findings that somebody has looked at and decided about.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Reader;
use super::{ConfigError, Given, suggest};
use crate::finding::Fingerprint;

/// One `[[allow]]` entry. Every kind of condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowEntry {
    /// Ids of rules; empty for any.
    pub rules: Vec<String>,
    /// Path globs; empty for any.
    pub paths: Vec<Given<String>>,
    /// Texts one of which the secret contains, in any case; empty for any.
    pub stopwords: Vec<String>,
    /// Secrets; empty for any.
    pub fingerprints: Vec<Fingerprint>,
    /// Why. Required: an allowance nobody can judge later is worth nothing.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
}

const KEYS: [&str; 6] = ["rules", "paths", "stopwords", "fingerprints", "reason", "until"];

/// Reads the `[[allow]]` tables of one file.
///
/// # Errors
/// An unknown key, a value of the wrong type, an entry without a reason or without a condition.
pub(super) fn read(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Given<AllowEntry>>, ConfigError> {
    let not_tables = || ConfigError::Type {
        place: reader.place(value.span().start),
        key: "allow",
        expected: "written as [[allow]] tables",
        got: value.get_ref().type_str(),
    };
    let DeValue::Array(items) = value.get_ref() else { return Err(not_tables()) };
    let mut entries = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else { return Err(not_tables()) };
        let place = reader.place(item.span().start);
        let entry = entry(reader, table)?;
        let complaint = |message: &str| ConfigError::Value {
            place: place.clone(),
            key: "allow",
            message: message.to_owned(),
        };
        if entry.reason.trim().is_empty() {
            return Err(complaint("an entry needs a `reason`"));
        }
        let open = entry.rules.is_empty()
            && entry.paths.is_empty()
            && entry.stopwords.is_empty()
            && entry.fingerprints.is_empty();
        if open {
            return Err(complaint("an entry needs one of `rules`, `paths`, `stopwords`, `fingerprints`"));
        }
        entries.push(Given { value: entry, place });
    }
    Ok(entries)
}

fn entry(reader: &Reader<'_>, table: &DeTable<'_>) -> Result<AllowEntry, ConfigError> {
    let mut entry = AllowEntry::default();
    for (name, value) in table {
        let texts = |key| texts(reader, key, value);
        match name.get_ref().as_ref() {
            "rules" => entry.rules = texts("allow.rules")?.into_iter().map(|given| given.value).collect(),
            "paths" => entry.paths = texts("allow.paths")?,
            "stopwords" => {
                entry.stopwords = texts("allow.stopwords")?.into_iter().map(|given| given.value).collect();
            }
            "fingerprints" => {
                for given in texts("allow.fingerprints")? {
                    let print = given.value.parse::<Fingerprint>().map_err(|error| ConfigError::Value {
                        place: given.place,
                        key: "allow.fingerprints",
                        message: error.to_string(),
                    })?;
                    entry.fingerprints.push(print);
                }
            }
            "reason" => entry.reason = text(reader, "allow.reason", value)?.value,
            "until" => entry.until = Some(day(text(reader, "allow.until", value)?)?),
            other => {
                return Err(ConfigError::UnknownKey {
                    place: reader.place(name.span().start),
                    key: format!("allow.{other}"),
                    suggestion: suggest::closest(other, KEYS).map(|key| format!("allow.{key}")),
                });
            }
        }
    }
    Ok(entry)
}

/// A day written as `YYYY-MM-DD`.
fn day(given: Given<String>) -> Result<String, ConfigError> {
    match given.value.parse::<jiff::civil::Date>() {
        Ok(_) => Ok(given.value),
        Err(_) => Err(ConfigError::Value {
            place: given.place,
            key: "allow.until",
            message: format!("`{}` is not a day; write it as \"2027-01-31\"", given.value),
        }),
    }
}

fn text(
    reader: &Reader<'_>,
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Given<String>, ConfigError> {
    let place = reader.place(value.span().start);
    match value.get_ref().as_str() {
        Some(text) => Ok(Given { value: text.to_owned(), place }),
        None => Err(ConfigError::Type { place, key, expected: "a string", got: value.get_ref().type_str() }),
    }
}

fn texts(
    reader: &Reader<'_>,
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Given<String>>, ConfigError> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err(ConfigError::Type {
            place: reader.place(value.span().start),
            key,
            expected: "a list of strings",
            got: value.get_ref().type_str(),
        });
    };
    items.iter().map(|item| text(reader, key, item)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::file::parse;

    fn complaint(text: &str) -> String {
        parse(text, Path::new("keycull.toml")).unwrap_err().to_string()
    }

    #[test]
    fn entries_are_read_with_their_lines() {
        let text = "\n[[allow]]\nrules = [\"generic-password\"]\npaths = [\"tests/**\"]\nreason = \"fixtures\"\nuntil = \"2030-01-31\"\n";
        let layer = parse(text, Path::new("keycull.toml")).unwrap();
        let entry = &layer.allow[0];
        assert_eq!(entry.place.to_string(), "keycull.toml:2");
        assert_eq!(entry.value.rules, ["generic-password"]);
        assert_eq!(entry.value.paths[0].value, "tests/**");
        assert_eq!(entry.value.until.as_deref(), Some("2030-01-31"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(complaint("[[allow]]\npaths = [\"x\"]\n").contains("needs a `reason`"));
        assert!(complaint("[[allow]]\nreason = \"x\"\n").contains("needs one of"));
        assert!(
            complaint("[[allow]]\npath = [\"x\"]\nreason = \"y\"\n").contains("did you mean `allow.paths`")
        );
        assert!(complaint("[[allow]]\npaths = \"x\"\nreason = \"y\"\n").contains("a list of strings"));
        assert!(
            complaint("[[allow]]\npaths = [\"x\"]\nreason = \"y\"\nuntil = \"soon\"\n").contains("not a day")
        );
        assert!(
            complaint("[[allow]]\nfingerprints = [\"x\"]\nreason = \"y\"\n").contains("not a fingerprint")
        );
        assert!(complaint("[allow]\nreason = \"y\"\n").contains("[[allow]]"));
    }
}
