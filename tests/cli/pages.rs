//! Help, completions and the manual page.

use crate::support::tool::run;

#[test]
fn help_shows_examples_and_exit_codes() {
    let here = tempfile::tempdir().expect("a directory");
    let top = run(here.path(), &["--help"]).expect(0);
    assert!(top.stdout.contains("Examples:") && top.stdout.contains("Exit codes"));
    let scan = run(here.path(), &["scan", "--help"]).expect(0);
    for flag in [
        "--staged",
        "--no-history",
        "--report",
        "--accept-incomplete",
        "--show-secrets",
        "What a PATH stands for",
    ] {
        assert!(scan.stdout.contains(flag), "{flag}");
    }
    let version = run(here.path(), &["--version"]).expect(0);
    assert_eq!(version.stdout.trim(), format!("keycull {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_every_command() {
    let here = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(here.path(), &["completions", shell]).expect(0);
        for word in ["scan", "rules", "hook", "accept-incomplete"] {
            assert!(script.stdout.contains(word), "{shell} lacks {word}");
        }
    }
    run(here.path(), &["completions", "tcsh"]).expect(2);
}

#[test]
fn the_manual_page_has_a_section_for_every_command() {
    let here = tempfile::tempdir().expect("a directory");
    let page = run(here.path(), &["man"]).expect(0);
    assert!(page.stdout.contains(".TH keycull 1"));
    for section in ["KEYCULL SCAN", "KEYCULL RULES LIST", "KEYCULL HOOK INSTALL", "KEYCULL INIT"] {
        assert!(page.stdout.contains(&format!(".SH {section}\n")), "{section}");
    }
}
