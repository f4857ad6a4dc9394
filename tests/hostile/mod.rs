//! Input made to hide a secret or to hurt the scanner, and machines that fail under it.
//!
//! What takes long is in `slow` and `slow_objects` and ignored; `.ci/run` runs it.

mod bombs;
mod faults;
mod git_directory;
mod mounts;
mod nests;
mod repositories;
mod slow;
mod slow_objects;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::tool::{Run, command};

/// A run of the program with what it took.
struct Measured {
    run: Run,
    time: Duration,
    /// Peak of resident memory in MiB, mapped files included; 0 where it cannot be told.
    memory: u64,
}

/// Runs the program and watches its memory.
fn measured(directory: &Path, args: &[&str]) -> Measured {
    let start = Instant::now();
    let mut child = command(directory)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let read = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            pipe.read_to_end(&mut text).expect("a pipe");
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let stdout = read(Box::new(child.stdout.take().expect("a pipe")));
    let stderr = read(Box::new(child.stderr.take().expect("a pipe")));
    let mut memory = 0;
    let status = loop {
        memory = memory.max(peak(child.id()));
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let run = Run {
        code: status.code().unwrap_or(-1),
        stdout: stdout.join().expect("a reader"),
        stderr: stderr.join().expect("a reader"),
    };
    Measured { run, time: start.elapsed(), memory }
}

/// Peak of resident memory of a process in MiB, as Linux tells it.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kib >> 10
}

/// Insists on the exit code, at most 300 MiB, and a time that only a runaway reaches.
///
/// Where `KEYCULL_TEST_TABLE` names a file, the case is written there as a row for `docs/limits.md`.
#[track_caller]
fn within_limits(case: &str, measured: &Measured, code: i32, most: Duration) {
    let Measured { run, time, memory } = measured;
    if let Some(table) = std::env::var_os("KEYCULL_TEST_TABLE") {
        let mut table = OpenOptions::new().create(true).append(true).open(table).expect("a table");
        let verdict = match run.code {
            0 => "clean",
            1 => "found",
            3 => "a gap",
            _ => "error",
        };
        let row = format!("| {case} | {verdict} | {:.2} s | {memory} MiB |\n", time.as_secs_f64());
        table.write_all(row.as_bytes()).expect("a row");
    }
    assert_eq!(run.code, code, "{case}\n--- stdout\n{}\n--- stderr\n{}", run.stdout, run.stderr);
    assert!(*memory <= 300, "{case}: {memory} MiB");
    assert!(time <= &most, "{case}: {time:?}");
}
