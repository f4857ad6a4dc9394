//! The tables of a gitleaks file as they are written: keys in any case, values as loosely typed as
//! gitleaks takes them, and every key it would overlook told.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config::Warning;
use super::error::ImportError;

/// One table with its place.
pub(super) struct Table<'a> {
    page: &'a Page<'a>,
    table: &'a DeTable<'a>,
    /// Offset of its first byte.
    at: usize,
    /// How it is called in messages.
    name: &'static str,
}

/// A file being read.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a Path,
}

impl<'a> Page<'a> {
    pub(super) fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset.min(self.text.len())].iter().filter(|&&b| b == b'\n').count()
    }

    pub(super) fn error(&self, offset: usize, what: impl Into<String>) -> ImportError {
        ImportError::Invalid { file: self.file.to_owned(), line: self.line(offset), what: what.into() }
    }

    pub(super) fn root(&'a self, table: &'a DeTable<'a>) -> Table<'a> {
        Table { page: self, table, at: 0, name: "" }
    }
}

impl<'a> Table<'a> {
    pub(super) fn line(&self) -> usize {
        self.page.line(self.at)
    }

    pub(super) fn error(&self, what: impl Into<String>) -> ImportError {
        self.page.error(self.at, what)
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let found = self.table.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case(key));
        found.map(|(_, value)| value)
    }

    /// Remarks on keys that are none of `known`.
    pub(super) fn strangers(&self, known: &[&str], warnings: &mut Vec<Warning>) {
        for (name, _) in self.table {
            let key = name.get_ref();
            if known.iter().any(|known| key.eq_ignore_ascii_case(known)) {
                continue;
            }
            let dot = if self.name.is_empty() { "" } else { "." };
            let near =
                closest(key, known).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            warnings.push(Warning {
                line: self.page.line(name.span().start),
                file: self.page.file.to_owned(),
                text: format!("unknown key `{}{dot}{key}` does nothing{near}", self.name),
            });
        }
    }

    pub(super) fn text(&self, key: &'static str) -> Result<String, ImportError> {
        let Some(value) = self.get(key) else { return Ok(String::new()) };
        scalar(value.get_ref()).ok_or_else(|| self.wrong(key, "a string", value))
    }

    pub(super) fn flag(&self, key: &'static str) -> Result<bool, ImportError> {
        let Some(value) = self.get(key) else { return Ok(false) };
        match (value.get_ref(), scalar(value.get_ref()).as_deref()) {
            (DeValue::Boolean(on), _) => Ok(*on),
            (_, Some("true" | "1")) => Ok(true),
            (_, Some("false" | "0" | "")) => Ok(false),
            _ => Err(self.wrong(key, "true or false", value)),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&self, key: &'static str) -> Result<Option<T>, ImportError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = scalar(value.get_ref()).and_then(|text| text.replace('_', "").parse().ok());
        number.map(Some).ok_or_else(|| self.wrong(key, "a number", value))
    }

    /// A list of strings; one string stands for those between its commas.
    pub(super) fn list(&self, key: &'static str) -> Result<Vec<String>, ImportError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        if let DeValue::Array(items) = value.get_ref() {
            let text = |item: &Spanned<DeValue<'_>>| {
                scalar(item.get_ref()).ok_or_else(|| self.wrong(key, "a list of strings", item))
            };
            return items.iter().map(text).collect();
        }
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong(key, "a list of strings", value))?;
        Ok(text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// The table `key`.
    pub(super) fn table(&self, key: &'static str) -> Result<Option<Table<'a>>, ImportError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(key, "a table", value))?;
        Ok(Some(Table { page: self.page, table, at: value.span().start, name: key }))
    }

    /// The tables of the list `key`.
    pub(super) fn tables(&self, key: &'static str) -> Result<Vec<Table<'a>>, ImportError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            // gitleaks takes one table for a list of it.
            DeValue::Table(_) => vec![value],
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => return Err(self.wrong(key, "a list of tables", value)),
        };
        items
            .into_iter()
            .map(|item| {
                let table =
                    item.get_ref().as_table().ok_or_else(|| self.wrong(key, "a list of tables", item))?;
                Ok(Table { page: self.page, table, at: item.span().start, name: key })
            })
            .collect()
    }

    fn wrong(&self, key: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> ImportError {
        let what = format!("`{key}` must be {expected}, not {}", value.get_ref().type_str());
        self.page.error(value.span().start, what)
    }
}

/// The text of a value that is no list and no table.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(on) => Some(on.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// The known key that is written the same but for a few letters.
fn closest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let shared = |other: &str| {
        key.to_ascii_lowercase()
            .bytes()
            .zip(other.to_ascii_lowercase().bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let ends = |other: &&&str| key.to_ascii_lowercase().ends_with(&other.to_ascii_lowercase());
    known
        .iter()
        .find(ends)
        .or_else(|| known.iter().max_by_key(|other| shared(other)).filter(|other| shared(other) >= 4))
        .copied()
}
