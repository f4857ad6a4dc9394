//! Reads a baseline, strictly: a file that gates commits must not be half understood.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{ConfigError, Place, suggest};
use super::{BASELINE_KEYS, Baseline, BaselineEntry};
use crate::finding::Fingerprint;

/// Marks git writes around the two sides of a conflict.
const CONFLICT: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

pub(super) fn parse(text: &str, path: &Path) -> Result<Baseline, ConfigError> {
    let page = Page { text, path };
    if let Some(line) = text.lines().position(|line| CONFLICT.iter().any(|mark| line.starts_with(mark))) {
        return Err(ConfigError::Conflict { place: page.line(line + 1) });
    }
    let root = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        place: page.at(error.span().map_or(0, |span| span.start)),
        message: error.message().lines().collect::<Vec<_>>().join("; "),
    })?;
    let mut entries = Vec::new();
    let mut first = text.len();
    for (name, value) in root.get_ref() {
        match name.get_ref().as_ref() {
            "schema" => page.check_schema(value)?,
            "finding" => {
                let items = page.tables(value)?;
                let starts: Vec<usize> =
                    items.iter().map(|item| block_start(text, item.span().start)).collect();
                first = starts.first().copied().unwrap_or(text.len());
                for (at, item) in items.iter().enumerate() {
                    let end = starts.get(at + 1).copied().unwrap_or(text.len());
                    entries.push(page.entry(item, &text[starts[at]..end])?);
                }
            }
            other => {
                return Err(ConfigError::UnknownKey {
                    place: page.at(name.span().start),
                    key: other.to_owned(),
                    suggestion: suggest::closest(other, ["schema", "finding"]).map(str::to_owned),
                });
            }
        }
    }
    Ok(Baseline { head: text[..first].to_owned(), entries: settled(entries)?, crlf: false })
}

/// Sorted, each secret once: entries that say the same (two branches added them) become one.
fn settled(mut entries: Vec<BaselineEntry>) -> Result<Vec<BaselineEntry>, ConfigError> {
    entries.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    if let Some([one, other]) = entries
        .windows(2)
        .filter_map(|pair| <&[BaselineEntry; 2]>::try_from(pair).ok())
        .find(|[a, b]| a.fingerprint == b.fingerprint && !a.agrees(b))
    {
        let mut places = [one, other].map(|entry| entry.place.clone());
        places.sort_by_key(line_of);
        let [first, second] = places;
        return Err(ConfigError::Value {
            // NOTE: entries that were parsed have a place.
            place: second.unwrap_or(Place::Flag("baseline")),
            key: "finding",
            message: format!(
                "`{}` has another entry in line {}, and the two differ; keep one of them",
                one.fingerprint,
                line_of(&first)
            ),
        });
    }
    entries.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    Ok(entries)
}

fn line_of(place: &Option<Place>) -> usize {
    match place {
        Some(Place::File { line, .. }) => *line,
        Some(Place::Variable(_) | Place::Flag(_)) | None => 0,
    }
}

/// Where the block of the table at `header` begins: at the comment lines directly above it.
fn block_start(text: &str, header: usize) -> usize {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let mut start = line_start(header);
    while start > 0 {
        let above = line_start(start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

struct Page<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Page<'_> {
    fn line(&self, line: usize) -> Place {
        Place::File { file: self.path.to_owned(), line }
    }

    fn at(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        self.line(1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }

    fn check_schema(&self, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        if value.get_ref().as_integer().is_some_and(|number| number.as_str() == "1") {
            return Ok(());
        }
        Err(ConfigError::Value {
            place: self.at(value.span().start),
            key: "schema",
            message: "this keycull reads version 1 of the baseline".to_owned(),
        })
    }

    fn tables<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Result<&'v [Spanned<DeValue<'v>>], ConfigError> {
        let not_tables = || ConfigError::Type {
            place: self.at(value.span().start),
            key: "finding",
            expected: "written as [[finding]] tables",
            got: value.get_ref().type_str(),
        };
        let DeValue::Array(items) = value.get_ref() else { return Err(not_tables()) };
        if items.iter().all(|item| item.get_ref().is_table()) { Ok(items) } else { Err(not_tables()) }
    }

    fn entry(&self, item: &Spanned<DeValue<'_>>, text: &str) -> Result<BaselineEntry, ConfigError> {
        let place = self.at(item.span().start);
        let mut print: Option<Fingerprint> = None;
        // NOTE: replaced below; an entry without a fingerprint is refused.
        let mut rest = Texts::default();
        for (name, value) in item.get_ref().as_table().into_iter().flatten() {
            let plain = name.get_ref().as_ref();
            let Some((key, _)) = BASELINE_KEYS.iter().find(|(key, _)| *key == plain) else {
                return Err(ConfigError::UnknownKey {
                    place: self.at(name.span().start),
                    key: format!("finding.{plain}"),
                    suggestion: suggest::closest(plain, BASELINE_KEYS.map(|(key, _)| key)).map(str::to_owned),
                });
            };
            let text = self.text(key, value)?;
            let wrong =
                |message: String| ConfigError::Value { place: self.at(value.span().start), key, message };
            match *key {
                "fingerprint" => print = Some(text.parse().map_err(|error| wrong(format!("{error}")))?),
                "until" => {
                    let day = text.parse();
                    rest.until =
                        Some(day.map_err(|_| wrong(format!("`{text}` is not a day: write YYYY-MM-DD")))?);
                }
                "rule" => rest.rule = Some(text),
                "shows" => rest.shows = Some(text),
                "reason" => rest.reason = Some(text),
                "who" => rest.who = Some(text),
                "receipt" => rest.receipt = Some(text),
                // NOTE: a test walks every entry of BASELINE_KEYS through this match.
                other => unreachable!("key {other} of the table is not handled"),
            }
        }
        let Some(fingerprint) = print else {
            let message = "an entry needs a `fingerprint`".to_owned();
            return Err(ConfigError::Value { place, key: "finding", message });
        };
        Ok(BaselineEntry {
            fingerprint,
            rule: rest.rule,
            shows: rest.shows,
            reason: rest.reason,
            who: rest.who,
            until: rest.until,
            receipt: rest.receipt,
            place: Some(place),
            text: Some(text.to_owned()),
        })
    }

    fn text(&self, key: &'static str, value: &Spanned<DeValue<'_>>) -> Result<String, ConfigError> {
        let got = value.get_ref();
        if let Some(text) = got.as_str() {
            return Ok(text.to_owned());
        }
        if let (DeValue::Datetime(date), "until") = (got, key) {
            return Ok(date.to_string());
        }
        Err(ConfigError::Type {
            place: self.at(value.span().start),
            key,
            expected: if key == "until" { "a date" } else { "a string" },
            got: got.type_str(),
        })
    }
}

/// The optional keys of an entry.
#[derive(Default)]
struct Texts {
    rule: Option<String>,
    shows: Option<String>,
    reason: Option<String>,
    who: Option<String>,
    until: Option<jiff::civil::Date>,
    receipt: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(n: u8) -> String {
        format!("t1:{}", format!("{n:02x}").repeat(16))
    }

    fn read(text: &str) -> Result<Baseline, String> {
        parse(text, Path::new("b.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_taken_and_written_back() {
        let mut text = format!("schema = 1\n\n[[finding]]\nfingerprint = \"{}\"\n", print(1));
        for (key, _) in &BASELINE_KEYS[1..] {
            let value = if *key == "until" { "2030-01-31" } else { "\"a \\\"b\\\"\"" };
            text.push_str(&format!("{key} = {value}\n"));
        }
        let baseline = read(&text).unwrap();
        assert_eq!(baseline.to_text(), text);
        let mut fresh = Baseline::default();
        fresh.insert(BaselineEntry { text: None, place: None, ..baseline.entries()[0].clone() });
        assert!(fresh.to_text().ends_with(text.strip_prefix("schema = 1\n").unwrap()), "{}", fresh.to_text());
        assert!(read(&fresh.to_text()).unwrap().entries()[0].agrees(&baseline.entries()[0]));
    }

    #[test]
    fn what_people_wrote_stays_and_new_entries_take_their_place() {
        let old = format!(
            "# ours\nschema = 1\n\n# asked Dana\n[[finding]]\nreason = 'x' # odd\nfingerprint = \"{}\"\n\n[[finding]]\nfingerprint = \"{}\"\n",
            print(9),
            print(2)
        );
        let mut baseline = read(&old).unwrap();
        assert!(baseline.insert(BaselineEntry::new(print(5).parse().unwrap())));
        assert!(!baseline.insert(BaselineEntry::new(print(9).parse().unwrap())), "it is there");
        let text = baseline.to_text();
        let order: Vec<usize> = [2, 5, 9].iter().map(|n| text.find(&print(*n)).unwrap()).collect();
        assert!(order.is_sorted(), "{text}");
        assert!(text.starts_with("# ours\n"), "{text}");
        assert!(text.contains("# asked Dana\n[[finding]]\nreason = 'x' # odd\n"), "{text}");
        assert_eq!(read(&text).unwrap().to_text(), text, "writing again changes nothing");
    }

    #[test]
    fn receipts_are_added_and_comments_stay() {
        let old = format!("schema = 1\n\n# why\n[[finding]]\nfingerprint = \"{}\"\n", print(1));
        let mut baseline = read(&old).unwrap();
        assert!(baseline.set_receipt(&print(1).parse().unwrap(), "r-7"));
        assert!(!baseline.set_receipt(&print(2).parse().unwrap(), "r-7"));
        let text = baseline.to_text();
        assert!(text.contains("# why\n[[finding]]\n") && text.contains("receipt = \"r-7\"\n"), "{text}");
        assert_eq!(read(&text).unwrap().entries()[0].receipt.as_deref(), Some("r-7"));
    }

    #[test]
    fn equal_entries_of_two_branches_become_one_and_others_are_an_error() {
        let entry = format!("[[finding]]\nfingerprint = \"{}\"\n", print(1));
        assert_eq!(read(&format!("{entry}\n{entry}")).unwrap().entries().len(), 1);
        let error = read(&format!("{entry}\n{entry}reason = \"a\"\n")).unwrap_err();
        assert!(error.starts_with("b.toml:4: ") && error.contains("line 1"), "{error}");
    }

    #[test]
    fn mistakes_name_line_and_key() {
        let entry = format!("[[finding]]\nfingerprint = \"{}\"\n", print(1));
        for (text, said) in [
            ("<<<<<<< HEAD\nschema = 1\n".to_owned(), "b.toml:1: merge conflict"),
            (format!("{entry}=======\n"), "b.toml:3: merge conflict"),
            (
                format!("{entry}resaon = \"x\"\n"),
                "b.toml:3: unknown key `finding.resaon`, did you mean `reason`?",
            ),
            ("findings = 1\n".to_owned(), "b.toml:1: unknown key `findings`, did you mean `finding`?"),
            (
                "finding = 1\n".to_owned(),
                "b.toml:1: `finding` must be written as [[finding]] tables, not integer",
            ),
            ("schema = 2\n".to_owned(), "b.toml:1: `schema`"),
            (
                "[[finding]]\nreason = \"x\"\n".to_owned(),
                "b.toml:1: `finding`: an entry needs a `fingerprint`",
            ),
            (
                "[[finding]]\nfingerprint = \"zz\"\n".to_owned(),
                "b.toml:2: `fingerprint`: `zz` is not a fingerprint",
            ),
            (format!("{entry}until = \"soon\"\n"), "b.toml:3: `until`: `soon` is not a day"),
            (format!("{entry}until = 3\n"), "b.toml:3: `until` must be a date, not integer"),
            (format!("{entry}who = [1]\n"), "b.toml:3: `who` must be a string, not array"),
            ("[[finding]\n".to_owned(), "b.toml:1: not valid TOML"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(said), "{text}\n{error}");
        }
    }
}
