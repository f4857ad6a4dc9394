//! The environment of the process, read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::config::{KEYS, Layer, OTHER_VARIABLES, closest, switch};

use super::failure::{Failure, Outcome};

/// Environment variables by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of this process.
    pub(super) fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of `name`; `None` when unset or empty.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of `name` as text.
    fn text(&self, name: &str) -> Outcome<Option<&str>> {
        self.get(name)
            .map(|value| {
                value.to_str().ok_or_else(|| Failure::new(format!("the value of {name} is not UTF-8")))
            })
            .transpose()
    }

    /// Whether `name` is switched on.
    pub(super) fn switch(&self, name: &str) -> Outcome<bool> {
        let Some(text) = self.text(name)? else { return Ok(false) };
        switch(text).ok_or_else(|| {
            Failure::new(format!("{name}: `{text}` is neither on nor off"))
                .hint(format!("set {name}=1, or unset it"))
        })
    }

    /// The settings in the `KEYCULL_*` variables.
    ///
    /// Variables keycull does not know are logged as warnings: a misspelt name must not go
    /// unseen, and a foreign one must not stop a scan.
    pub(super) fn layer(&self) -> Outcome<Layer> {
        let mut layer = Layer::default();
        for key in &KEYS {
            if let Some(text) = self.text(key.variable)? {
                layer.set_from_variable(key, text)?;
            }
        }
        for (name, suggestion) in self.unknown() {
            match suggestion {
                Some(known) => log::warn!("unknown variable {name}, did you mean {known}?"),
                None => log::warn!("unknown variable {name}"),
            }
        }
        Ok(layer)
    }

    fn unknown(&self) -> Vec<(String, Option<&'static str>)> {
        let known: Vec<&'static str> = KEYS
            .iter()
            .map(|key| key.variable)
            .chain(OTHER_VARIABLES.iter().map(|(name, _)| *name))
            .collect();
        self.0
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| name.starts_with("KEYCULL_") && !known.contains(name))
            .map(|name| (name.to_owned(), closest(name, known.iter().copied())))
            .collect()
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Confidence;

    #[test]
    fn variables_become_settings() {
        let env = Environment::from([
            ("KEYCULL_CONFIDENCE", "low"),
            ("KEYCULL_EXCLUDE", "a,b"),
            ("KEYCULL_JOBS", ""),
        ]);
        let layer = env.layer().unwrap();
        assert_eq!(layer.confidence.unwrap().value, Confidence::Low);
        assert_eq!(layer.exclude.len(), 2);
        assert!(layer.jobs.is_none(), "empty is unset");
        assert!(Environment::from([("KEYCULL_CONFIDENCE", "lots")]).layer().is_err());
    }

    #[test]
    fn misspelt_variables_are_noticed() {
        let env = Environment::from([("KEYCULL_CONFIDENSE", "low"), ("KEYCULL_TOOLS", "x"), ("OTHER", "y")]);
        assert_eq!(env.unknown(), [("KEYCULL_CONFIDENSE".to_owned(), Some("KEYCULL_CONFIDENCE"))]);
    }

    #[test]
    fn switches_are_strict() {
        assert!(Environment::from([("X", "1")]).switch("X").unwrap());
        assert!(!Environment::default().switch("X").unwrap());
        assert!(Environment::from([("X", "maybe")]).switch("X").is_err());
    }
}
