//! One fixed workload, for counting its instructions: see `benches/instructions.py`.
//!
//! `workload NAME ROUNDS [portable]` scans the text called NAME as often as asked and does nothing
//! else that depends on the number of rounds. `workload startup 1` writes the text the program is
//! started with.

#![allow(clippy::print_stdout, missing_docs)]

mod corpus;

use keycull::engine::{Engine, Scratch};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [name, rounds, back_end @ ..] = arguments.as_slice() else {
        return println!("usage: workload source|dense|startup ROUNDS [portable]");
    };
    let text = match name.as_str() {
        "source" => corpus::source("workload", 512 << 10),
        "dense" => corpus::dense("workload", 64 << 10),
        "startup" => return print!("{}", String::from_utf8_lossy(&corpus::source("startup", 2 << 10))),
        other => return println!("no workload is called {other}"),
    };
    let engine = Engine::builtin();
    let engine = if back_end.is_empty() { engine } else { engine.portable() };
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let mut found = 0;
    for _ in 0..rounds.parse::<usize>().unwrap_or(1) {
        engine.scan(&text, &mut scratch, &mut out);
        found += out.len();
        out.clear();
    }
    println!("{found} matches");
}
