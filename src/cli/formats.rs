//! Report formats by name, and which report goes where.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::report::Format;

use super::args::ScanArgs;
use super::failure::{Failure, Outcome};
use super::output::Destination;
use super::settings::Settings;

/// All names, in the order of the help text.
pub(super) fn names() -> [&'static str; Format::ALL.len()] {
    Format::ALL.map(Format::as_str)
}

/// One report of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// How it is written.
    pub format: Format,
    /// Where it goes.
    pub to: Destination,
}

/// The reports a scan is to write: that of standard output or `--output` first.
///
/// # Errors
/// A format nobody knows, a `--report` that is not `FORMAT=FILE`, or two reports for one place.
pub(super) fn wanted(args: &ScanArgs, settings: &Settings) -> Outcome<Vec<Wanted>> {
    let format = match &settings.format {
        None => Format::Text,
        Some(given) => given.value.parse().map_err(|error| {
            Failure::from(error).context(given.place.clone()).hint("see `keycull scan --help`")
        })?,
    };
    let first = args.output.as_deref().map_or(Destination::Stdout, Destination::new);
    let mut reports = vec![Wanted { format, to: first }];
    for text in &args.report {
        let report = report(text)?;
        if reports.iter().any(|other| other.to == report.to) {
            return Err(Failure::new(format!("two reports would go to {}", report.to))
                .hint("give each report a file of its own"));
        }
        reports.push(report);
    }
    Ok(reports)
}

/// Reads one `FORMAT=FILE`.
fn report(text: &OsStr) -> Outcome<Wanted> {
    let shape = || {
        Failure::new(format!("--report {}: expected FORMAT=FILE", text.display()))
            .hint("for example --report sarif=keycull.sarif")
    };
    let (format, file) = split(text).ok_or_else(shape)?;
    if file.as_os_str().is_empty() {
        return Err(shape());
    }
    let format = format
        .parse()
        .map_err(|error| Failure::from(error).context(format!("--report {}", text.display())))?;
    Ok(Wanted { format, to: Destination::new(&file) })
}

/// Splits at the first `=`; the file name need not be UTF-8.
fn split(text: &OsStr) -> Option<(String, PathBuf)> {
    let bytes = text.as_encoded_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=')?;
    let format = std::str::from_utf8(&bytes[..at]).ok()?.to_owned();
    // What follows an ASCII character is valid where the whole was; `to_str` is enough elsewhere.
    #[cfg(unix)]
    let file = {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(OsStr::from_bytes(&bytes[at + 1..]))
    };
    #[cfg(not(unix))]
    let file = PathBuf::from(&text.to_str()?[at + 1..]);
    Some((format, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_name_a_format_and_a_file() {
        let json = report(OsStr::new("json=a=b.json")).unwrap();
        assert_eq!(json, Wanted { format: Format::Json, to: Destination::File("a=b.json".into()) });
        for junk in ["json", "json=", "=x", "yaml=x"] {
            assert!(report(OsStr::new(junk)).is_err(), "{junk}");
        }
    }
}
