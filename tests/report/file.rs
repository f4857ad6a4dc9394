//! Report files: whole or not there, and private when they hold secrets.

use std::fs;

use keycull::report::{Format, ReportOptions, WriteFileError, write_file};

use super::rendered;
use super::sample::sample_report;

fn raw() -> ReportOptions {
    ReportOptions { show_secrets: true, ..ReportOptions::default() }
}

#[test]
fn a_file_holds_what_standard_output_would() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    fs::write(&path, "old").unwrap();
    let report = sample_report();
    write_file(&path, &report, Format::Json, &ReportOptions::default()).unwrap();
    let expected = rendered(&report, Format::Json, &ReportOptions::default());
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_missing_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no/such/report.json");
    let error = write_file(&path, &sample_report(), Format::Json, &ReportOptions::default()).unwrap_err();
    assert!(matches!(error, WriteFileError::Io { .. }));
    assert!(error.to_string().contains("no/such/report.json"), "{error}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&target, &link).unwrap();
        write_file(&link, &sample_report(), Format::Jsonl, &ReportOptions::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&target).unwrap().starts_with('{'));
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o640);
    }

    #[test]
    fn what_is_no_regular_file_is_written_to() {
        write_file("/dev/null".as_ref(), &sample_report(), Format::Text, &ReportOptions::default()).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn raw_secrets_get_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw.jsonl");
        for _ in 0..2 {
            write_file(&path, &sample_report(), Format::Jsonl, &raw()).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn raw_secrets_are_refused_where_others_read() {
        let dir = tempfile::tempdir().unwrap();
        let shared = dir.path().join("shared.jsonl");
        fs::write(&shared, "old").unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o604)).unwrap();
        let link = dir.path().join("link");
        symlink(dir.path().join("elsewhere"), &link).unwrap();
        for path in [shared.as_path(), link.as_path(), "/dev/null".as_ref()] {
            let error = write_file(path, &sample_report(), Format::Jsonl, &raw()).unwrap_err();
            assert!(matches!(error, WriteFileError::NotPrivate { .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(&shared).unwrap(), "old");
        assert!(!dir.path().join("elsewhere").exists());
    }
}
