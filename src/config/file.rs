//! Reads a configuration file into a [`Layer`].

use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::allow::{ALLOW_KEYS, AllowEntry, AllowKey};
use super::keys::{KEYS, Key, Kind, TABLES};
use super::{ConfigError, Given, Layer, Place, beside, suggest};

/// Largest configuration file read, in bytes: far beyond any that people write.
const MAX_BYTES: u64 = 64 << 20;

/// The `[[rule]]` tables of one configuration file, for the rule loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTable {
    /// The file they stand in.
    pub file: PathBuf,
    /// A rule file with nothing but these rules; blank lines keep their line numbers.
    pub text: String,
}

/// Reads and parses `file`.
///
/// # Errors
/// The file cannot be read, is no regular file, or says something keycull does not understand.
pub fn read(file: &Path) -> Result<Layer, ConfigError> {
    parse(&text_of(file)?, file)
}

/// The text of a file that is read as a whole.
///
/// # Errors
/// It cannot be read, is no regular file, is too large, or is not UTF-8.
pub fn text_of(file: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { file: file.to_owned(), source };
    let about = fs::metadata(file).map_err(failed)?;
    if !about.is_file() {
        return Err(failed(std::io::Error::other("not a regular file")));
    }
    if about.len() > MAX_BYTES {
        return Err(failed(std::io::Error::other(format!("larger than {MAX_BYTES} bytes"))));
    }
    fs::read_to_string(file).map_err(failed)
}

/// Parses the text of a configuration file; `file` is named in errors and resolves its paths.
///
/// # Errors
/// The text is not TOML, has an unknown key, or a value that makes no sense; the error names
/// file and line.
pub fn parse(text: &str, file: &Path) -> Result<Layer, ConfigError> {
    let reader = Reader { text, file };
    let root = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        place: reader.place(error.span().map_or(0, |span| span.start)),
        message: error.message().lines().collect::<Vec<_>>().join("; "),
    })?;
    let mut layer = Layer::default();
    for (name, value) in root.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("schema", _) => reader.check_schema(value)?,
            ("rule", _) => layer.rules.push(reader.rule_table(value)?),
            ("allow", _) => layer.allow = reader.allow_entries(value)?,
            (outer, DeValue::Table(table)) if TABLES.contains(&outer) => {
                for (inner, value) in table {
                    reader.apply(
                        &format!("{outer}.{}", inner.get_ref()),
                        inner.span().start,
                        value,
                        &mut layer,
                    )?;
                }
            }
            (outer, other) if TABLES.contains(&outer) => {
                return Err(ConfigError::Type {
                    place: reader.place(value.span().start),
                    key: TABLES.into_iter().find(|table| *table == outer).unwrap_or_default(),
                    expected: "a table",
                    got: other.type_str(),
                });
            }
            (plain, _) => reader.apply(plain, name.span().start, value, &mut layer)?,
        }
    }
    Ok(layer)
}

/// What a value must look like: enough of a key to complain about it.
#[derive(Clone, Copy)]
struct Slot {
    name: &'static str,
    kind: Kind,
}

impl From<&Key> for Slot {
    fn from(key: &Key) -> Self {
        Self { name: key.name, kind: key.kind }
    }
}

impl From<&AllowKey> for Slot {
    fn from(key: &AllowKey) -> Self {
        Self { name: key.name, kind: key.kind }
    }
}

struct Reader<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Place::File { file: self.file.to_owned(), line }
    }

    /// The `[[allow]]` tables.
    fn allow_entries(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<AllowEntry>, ConfigError> {
        let not_tables = || ConfigError::Type {
            place: self.place(value.span().start),
            key: "allow",
            expected: "written as [[allow]] tables",
            got: value.get_ref().type_str(),
        };
        let DeValue::Array(items) = value.get_ref() else { return Err(not_tables()) };
        items
            .iter()
            .map(|item| {
                let table = item.get_ref().as_table().ok_or_else(not_tables)?;
                self.allow_entry(item.span().start, table)
            })
            .collect()
    }

    fn allow_entry(&self, offset: usize, table: &DeTable<'_>) -> Result<AllowEntry, ConfigError> {
        let mut entry = AllowEntry::at(self.place(offset));
        for (name, value) in table {
            let plain = name.get_ref().as_ref();
            let Some(key) = ALLOW_KEYS.iter().find(|key| key.name == plain) else {
                return Err(ConfigError::UnknownKey {
                    place: self.place(name.span().start),
                    key: format!("allow.{plain}"),
                    suggestion: suggest::closest(plain, ALLOW_KEYS.iter().map(|key| key.name))
                        .map(str::to_owned),
                });
            };
            let texts = match (key.kind, value.get_ref()) {
                (Kind::List, _) => self.list(key, value)?,
                // `until` may be written as a date of TOML, too.
                (_, DeValue::Datetime(date)) if key.name == "until" => {
                    vec![self.given(value, date.to_string())]
                }
                _ => vec![self.string(key, value)?],
            };
            for text in texts {
                let place = text.place.clone();
                entry.set(key.name, text).map_err(|message| ConfigError::Value {
                    place,
                    key: key.name,
                    message,
                })?;
            }
        }
        let missing = entry.missing();
        match missing {
            Some(message) => {
                Err(ConfigError::Value { place: entry.place, key: "allow", message: message.to_owned() })
            }
            None => Ok(entry),
        }
    }

    /// Puts one key into `layer`; `offset` is where its name starts.
    fn apply(
        &self,
        name: &str,
        offset: usize,
        value: &Spanned<DeValue<'_>>,
        layer: &mut Layer,
    ) -> Result<(), ConfigError> {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            let known = KEYS.iter().map(|key| key.name).chain(["schema", "rule", "allow"]).chain(TABLES);
            return Err(ConfigError::UnknownKey {
                place: self.place(offset),
                key: name.to_owned(),
                suggestion: suggest::closest(name, known).map(str::to_owned),
            });
        };
        match key.name {
            "confidence" => layer.confidence = Some(self.parsed(key, value)?),
            "severity" => layer.severity = Some(self.parsed(key, value)?),
            "fail-on" => layer.fail_on = Some(self.parsed(key, value)?),
            "baseline" => {
                let item = self.string(key, value)?;
                layer.baseline = Some(self.file_below(key, item)?);
            }
            "allow-new-markers" => layer.allow_new_markers = Some(self.boolean(key, value)?),
            "import" => {
                let item = self.string(key, value)?;
                layer.import = Some(self.file_below(key, item)?);
            }
            "fail-on-stale" => layer.fail_on_stale = Some(self.boolean(key, value)?),
            "format" => layer.format = Some(self.string(key, value)?),
            "color" => layer.color = Some(self.string(key, value)?),
            "jobs" => layer.jobs = Some(self.number(key, value)?),
            _ if key.is_budget() => {
                let number = self.number(key, value)?;
                layer.archives.insert(key.name, Given { value: number.value as u64, place: number.place });
            }
            "no-ignore" => layer.no_ignore = Some(self.boolean(key, value)?),
            "exclude" => layer.exclude = self.list(key, value)?,
            "accept-incomplete" => {
                layer.accept_incomplete = self
                    .list(key, value)?
                    .into_iter()
                    .map(|item| self.convert(key, item))
                    .collect::<Result<_, _>>()?;
            }
            "rules.select" => layer.rules_select = self.list(key, value)?,
            "rules.exclude" => layer.rules_exclude = self.list(key, value)?,
            "rules.files" => {
                for item in self.list(key, value)? {
                    layer.rules_files.push(self.file_below(key, item)?);
                }
            }
            "hook.confidence" => layer.hook.confidence = Some(self.parsed(key, value)?),
            "hook.time-budget" => layer.hook.time_budget = Some(self.parsed(key, value)?),
            "hook.on-timeout" => layer.hook.on_timeout = Some(self.parsed(key, value)?),
            "hook.break-glass" => layer.hook.break_glass = Some(self.boolean(key, value)?),
            "hook.allow-markers" => layer.hook.allow_markers = Some(self.boolean(key, value)?),
            // NOTE: a test walks every entry of KEYS through this match.
            other => unreachable!("key {other} of the table is not handled"),
        }
        Ok(())
    }

    fn check_schema(&self, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        if value.get_ref().as_integer().is_some_and(|number| number.as_str() == "1") {
            return Ok(());
        }
        Err(ConfigError::Value {
            place: self.place(value.span().start),
            key: "schema",
            message: "this keycull reads version 1 of the file format".to_owned(),
        })
    }

    fn wrong_type(&self, key: impl Into<Slot>, value: &Spanned<DeValue<'_>>) -> ConfigError {
        let Slot { name, kind } = key.into();
        ConfigError::Type {
            place: self.place(value.span().start),
            key: name,
            expected: kind.expected(),
            got: value.get_ref().type_str(),
        }
    }

    fn given<T>(&self, value: &Spanned<DeValue<'_>>, inner: T) -> Given<T> {
        Given { value: inner, place: self.place(value.span().start) }
    }

    fn string(
        &self,
        key: impl Into<Slot>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Given<String>, ConfigError> {
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong_type(key, value))?;
        Ok(self.given(value, text.to_owned()))
    }

    fn parsed<T>(&self, key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Given<T>, ConfigError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.convert(key, self.string(key, value)?)
    }

    fn convert<T>(&self, key: &Key, item: Given<String>) -> Result<Given<T>, ConfigError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        match item.value.parse() {
            Ok(value) => Ok(Given { value, place: item.place }),
            Err(error) => {
                Err(ConfigError::Value { place: item.place, key: key.name, message: error.to_string() })
            }
        }
    }

    fn boolean(&self, key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Given<bool>, ConfigError> {
        let on = value.get_ref().as_bool().ok_or_else(|| self.wrong_type(key, value))?;
        Ok(self.given(value, on))
    }

    fn number(&self, key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Given<usize>, ConfigError> {
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| usize::from_str_radix(number.as_str(), number.radix()).ok())
            .ok_or_else(|| self.wrong_type(key, value))?;
        Ok(self.given(value, number))
    }

    fn list(
        &self,
        key: impl Into<Slot>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<Given<String>>, ConfigError> {
        let key = key.into();
        let DeValue::Array(items) = value.get_ref() else { return Err(self.wrong_type(key, value)) };
        items.iter().map(|item| self.string(key, item)).collect()
    }

    /// A file named in a configuration file: below it, so that a scanned repository cannot
    /// make keycull read (and quote in an error) files elsewhere.
    fn file_below(&self, key: &Key, item: Given<String>) -> Result<Given<PathBuf>, ConfigError> {
        let inside = Path::new(&item.value)
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
        if item.value.is_empty() || !inside {
            let message = format!("`{}` must be a relative path without `..`", item.value);
            return Err(ConfigError::Value { place: item.place, key: key.name, message });
        }
        Ok(Given { value: beside(self.file, &item.value), place: item.place })
    }

    /// Cuts the `[[rule]]` tables out: everything else becomes blank, so that the rule loader
    /// reports the line numbers of this file.
    fn rule_table(&self, value: &Spanned<DeValue<'_>>) -> Result<RuleTable, ConfigError> {
        let not_tables = || ConfigError::Type {
            place: self.place(value.span().start),
            key: "rule",
            expected: "written as [[rule]] tables",
            got: value.get_ref().type_str(),
        };
        let DeValue::Array(items) = value.get_ref() else { return Err(not_tables()) };
        if !items.iter().all(|item| item.get_ref().is_table()) {
            return Err(not_tables());
        }
        let kept: Vec<Range<usize>> = items.iter().map(|item| item.span().start..end_of(item)).collect();
        Ok(RuleTable { file: self.file.to_owned(), text: only(&kept, self.text) })
    }
}

/// Where the text of a value ends, its inner tables included (a table's own span is its header).
fn end_of(value: &Spanned<DeValue<'_>>) -> usize {
    let inner = match value.get_ref() {
        DeValue::Table(table) => table.values().map(end_of).max(),
        DeValue::Array(items) => items.iter().map(end_of).max(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    };
    value.span().end.max(inner.unwrap_or(0))
}

/// `text` as a rule file: every line that touches none of `kept` is blank, and the schema number
/// stands in the first of these lines (in a line of its own in front, when all are kept).
fn only(kept: &[Range<usize>], text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut offset, mut schema_set) = (0, false);
    for line in text.split_inclusive('\n') {
        let end = offset + line.len();
        if kept.iter().any(|range| range.start < end && offset < range.end) {
            out.push_str(line);
        } else {
            out.push_str(if schema_set { "\n" } else { "schema = 1\n" });
            schema_set = true;
        }
        offset = end;
    }
    if schema_set { out } else { format!("schema = 1\n{out}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, GapKind, Severity};

    fn parsed(text: &str) -> Result<Layer, ConfigError> {
        parse(text, Path::new("dir/keycull.toml"))
    }

    fn complaint(text: &str) -> String {
        parsed(text).expect_err("must be refused").to_string()
    }

    #[test]
    fn every_key_is_read() {
        for key in &KEYS {
            let text = match key.name.split_once('.') {
                Some((table, name)) => format!("[{table}]\n{name} = {}\n", key.example),
                None => format!("{} = {}\n", key.name, key.example),
            };
            parsed(&text).unwrap_or_else(|error| panic!("{}: {error}", key.name));
        }
    }

    #[test]
    fn values_arrive_with_their_lines() {
        let layer = parsed(
            "schema = 1\nconfidence = \"high\"\nseverity = \"low\"\nexclude = [\n  \"a/**\",\n  \"b\",\n]\n\
             accept-incomplete = [\"missing:x/**\"]\njobs = 0x10\n[rules]\nfiles = [\"own.toml\"]\n",
        )
        .unwrap();
        let confidence = layer.confidence.unwrap();
        assert_eq!(
            (confidence.value, confidence.place.to_string()),
            (Confidence::High, "dir/keycull.toml:2".into())
        );
        assert_eq!(layer.severity.unwrap().value, Severity::Low);
        assert_eq!(layer.exclude[1].place.to_string(), "dir/keycull.toml:6");
        assert_eq!(layer.accept_incomplete[0].value.kind, GapKind::Missing);
        assert_eq!(layer.jobs.unwrap().value, 16);
        assert_eq!(layer.rules_files[0].value, Path::new("dir/own.toml"));
    }

    #[test]
    fn unknown_keys_name_the_line_and_the_nearest_key() {
        assert_eq!(
            complaint("# note\nconfidense = \"high\"\n"),
            "dir/keycull.toml:2: unknown key `confidense`, did you mean `confidence`?"
        );
        assert_eq!(
            complaint("[rules]\nselekt = []\n"),
            "dir/keycull.toml:2: unknown key `rules.selekt`, did you mean `rules.select`?"
        );
        assert_eq!(complaint("\nwarp = 9\n"), "dir/keycull.toml:2: unknown key `warp`");
    }

    #[test]
    fn bad_values_name_the_line_and_what_is_expected() {
        assert_eq!(
            complaint("jobs = \"two\""),
            "dir/keycull.toml:1: `jobs` must be a whole number, 0 or more, not string"
        );
        assert_eq!(
            complaint("jobs = -1"),
            "dir/keycull.toml:1: `jobs` must be a whole number, 0 or more, not integer"
        );
        assert_eq!(
            complaint("\nexclude = \"x\""),
            "dir/keycull.toml:2: `exclude` must be a list of strings, not string"
        );
        assert_eq!(
            complaint("confidence = \"sure\""),
            "dir/keycull.toml:1: `confidence`: unknown level `sure`, expected one of low, medium, high"
        );
        assert!(
            complaint("accept-incomplete = [\n\"gone\"]")
                .starts_with("dir/keycull.toml:2: `accept-incomplete`: ")
        );
        assert!(complaint("schema = 2").contains("version 1"));
        assert_eq!(complaint("rules = 3"), "dir/keycull.toml:1: `rules` must be a table, not integer");
        assert!(complaint("rule = 3").contains("[[rule]]"));
    }

    #[test]
    fn broken_toml_is_one_line_with_its_place() {
        let message = complaint("a = 1\nb = [1,\n");
        assert!(message.starts_with("dir/keycull.toml:"), "{message}");
        assert!(message.contains("not valid TOML") && !message.contains('\n'), "{message}");
    }

    #[test]
    fn rule_files_stay_below_the_configuration_file() {
        for path in ["/etc/rules.toml", "../rules.toml", "a/../../b", ""] {
            let text = format!("[rules]\nfiles = [\"{path}\"]\n");
            assert!(complaint(&text).contains("relative path without `..`"), "{path}");
        }
    }

    #[test]
    fn allow_entries_are_read_and_checked() {
        let print = format!("t1:{}", "0a".repeat(16));
        let layer = parsed(&format!(
            "[[allow]]\nreason = \"made up\"\npaths = [\"tests/**\"]\nrules = [\"generic-*\"]\nuntil = 2030-01-31\n\
             [[allow]]\nreason = \"rotated\"\nfingerprints = [\"{print}\"]\nstopwords = [\"sample\"]\n"
        ))
        .unwrap();
        let [first, second] = layer.allow.as_slice() else { panic!("two entries") };
        assert_eq!((first.reason.as_str(), first.rules.len(), first.paths.len()), ("made up", 1, 1));
        assert_eq!(first.until.map(|day| day.to_string()).as_deref(), Some("2030-01-31"));
        assert_eq!(second.place.to_string(), "dir/keycull.toml:6");
        assert_eq!((second.fingerprints.len(), second.stopwords.len()), (1, 1));

        assert!(complaint("[[allow]]\npaths = [\"x\"]\n").contains("reason"));
        assert!(complaint("[[allow]]\nreason = \"x\"\n").contains("at least one of"));
        assert!(complaint("[[allow]]\npath = [\"x\"]\n").contains("did you mean `paths`?"));
        assert!(
            complaint("[[allow]]\nreason = \"x\"\nfingerprints = [\"zz\"]\n").contains("dir/keycull.toml:3")
        );
        assert!(complaint("[[allow]]\nreason = \"x\"\nuntil = \"soon\"\n").contains("YYYY-MM-DD"));
        assert!(complaint("allow = 3").contains("[[allow]]"));
        assert!(complaint("[allow]\nreason = \"x\"").contains("[[allow]]"));
    }

    #[test]
    fn rules_keep_their_lines_and_nothing_else_stays() {
        let text = "jobs = 1\n[[rule]]\nid = \"x\"\npattern = '''\n[a]\n'''\n[rule.test_key]\ncontains = [\n\"t\"]\n\
                    [rules]\nselect = []\n[[rule]]\nid = \"y\"\n";
        let layer = parsed(text).unwrap();
        let expected = "schema = 1\n[[rule]]\nid = \"x\"\npattern = '''\n[a]\n'''\n[rule.test_key]\ncontains = [\n\"t\"]\n\
                        \n\n[[rule]]\nid = \"y\"\n";
        assert_eq!(layer.rules[0].text, expected);
    }
}
