//! How long the program takes to start, read two kilobytes and end: `cargo bench --bench startup`.
//!
//! Processor time, user and system, of whole processes, least and median of many runs; beside it
//! that of a program that does nothing.

#![allow(clippy::print_stdout, missing_docs)]

mod corpus;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const RUNS: usize = 200;

fn main() {
    let input = std::env::temp_dir().join(format!("keycull-startup-{}", std::process::id()));
    let mut file = File::create(&input).expect("a temporary file");
    file.write_all(&corpus::source("startup", 2 << 10)).expect("two kilobytes");
    let program = Path::new(env!("CARGO_BIN_EXE_keycull"));
    measure("keycull scan - (2 KB)", program, &["scan", "-"], &input);
    measure("keycull --version", program, &["--version"], &input);
    measure("true", Path::new("true"), &[], &input);
    let _ = std::fs::remove_file(&input);
}

fn measure(name: &str, program: &Path, arguments: &[&str], input: &Path) {
    let (mut processor, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let before = children();
        let start = Instant::now();
        let status = Command::new(program)
            .args(arguments)
            .stdin(File::open(input).expect("the input"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        processor.push(children() - before);
        status.expect("the program runs");
    }
    for values in [&mut processor, &mut wall] {
        values.sort_by(f64::total_cmp);
    }
    println!(
        "{name:24} processor {:.2} ms mean; wall {:.2} ms least, {:.2} ms median",
        processor.iter().sum::<f64>() / RUNS as f64,
        wall[0],
        wall[RUNS / 2]
    );
}

/// Processor time of ended children, in milliseconds; the system counts it in hundredths of a
/// second, so only the mean of many runs says anything.
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold blanks; cutime and cstime are fields 16 and 17 of the line.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks =
        |number: usize| fields.get(number - 3).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(16) + ticks(17)) * 10.0
}
