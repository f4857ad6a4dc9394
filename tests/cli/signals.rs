//! Ctrl-C and SIGTERM leave a valid report that says it is not the whole.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command};

use super::json;

/// Starts a scan of standard input that has read a key and waits for more.
fn waiting() -> (Child, ChildStdin, BufReader<std::process::ChildStderr>) {
    let here = tempfile::tempdir().expect("a directory");
    let mut child = command(here.path())
        .args(["scan", "-", "--format", "json", "-v"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    // Handlers are installed before the scan says that it begins.
    while !line.contains("scanning") {
        line.clear();
        assert!(stderr.read_line(&mut line).expect("a line") > 0, "it ended early");
    }
    stdin.write_all(format!("KEY={}\n", stripe_key(1)).as_bytes()).expect("it reads");
    (child, stdin, stderr)
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

fn end(child: Child, mut stderr: BufReader<std::process::ChildStderr>) -> Run {
    let output = child.wait_with_output().expect("it ends");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    let mut run = Run::from(output);
    run.stderr = rest;
    run
}

#[test]
fn the_first_signal_ends_the_scan_with_a_partial_report() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (child, mut stdin, stderr) = waiting();
        send(&child, signal);
        // The signal may arrive before or after the key is read; either way the next bytes end it.
        std::thread::sleep(std::time::Duration::from_millis(200));
        let _ = stdin.write_all(b"more\n");
        drop(stdin);
        let run = end(child, stderr).expect(code);
        let report = json(&run);
        assert_eq!(report["summary"]["complete"], false);
        assert_eq!(report["coverage"]["gaps"][0]["kind"], "interrupted", "{}", run.stdout);
    }
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    let (child, stdin, stderr) = waiting();
    // By then it waits for input that never comes, and only a signal can end it.
    std::thread::sleep(std::time::Duration::from_millis(500));
    send(&child, "-INT");
    std::thread::sleep(std::time::Duration::from_millis(200));
    // It may be gone already, had it not come to waiting yet.
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
    end(child, stderr).expect(130);
    drop(stdin);
}
