//! `keycull mock-provider`: the provider of drills, for rehearsals by hand and for other tools.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::mock::{Faults, Issued, Kind, MockProvider, operator_file};

use super::args::MockArgs;
use super::failure::{Failure, Outcome};
use super::output;
use super::validate::listen;

/// Most keys issued of one kind.
const MOST_KEYS: u64 = 1000;

/// Serves until a signal comes, and then says which keys are live. Always 0: a signal is how it ends.
pub(super) fn run(args: &MockArgs) -> Outcome<u8> {
    let interrupt = listen()?;
    let faults: Faults = args.faults.as_deref().unwrap_or_default().parse()?;
    let provider = MockProvider::start(args.port.unwrap_or(0), faults)
        .map_err(|error| Failure::from(error).context("cannot listen on 127.0.0.1"))?;
    let mut issued: Vec<(Kind, Issued)> = Vec::new();
    for text in &args.issue {
        let (kind, count) = wanted(text)?;
        for _ in 0..count {
            let seed = args.seed.unwrap_or(1).wrapping_mul(1_000_003).wrapping_add(issued.len() as u64);
            issued.push((kind, provider.issue(kind, seed)));
        }
    }
    if let Some(file) = &args.keys {
        let mut text = String::new();
        for (kind, key) in &issued {
            let _ = writeln!(text, "{} {} {}", kind.as_str(), key.secret, key.companion);
        }
        write(file, &text)?;
    }
    if let Some(file) = &args.operator {
        write(file, &operator_file(provider.address()))?;
    }
    told(&format!("listening on http://{}\n", provider.address()))?;
    let mut seen = 0;
    while interrupt.signal().is_none() {
        std::thread::sleep(Duration::from_millis(50));
        let requests = provider.requests();
        for request in requests.iter().skip(seen) {
            // Paths of some providers hold keys; the first words tell which request it was.
            told(&format!("{} {}\n", request.method, request.shown()))?;
        }
        seen = requests.len();
    }
    for (kind, key) in &issued {
        let state = if provider.is_live(&key.secret) { "live" } else { "dead" };
        told(&format!("{state} {} {}\n", kind.as_str(), key.id_shown()))?;
    }
    Ok(0)
}

fn told(text: &str) -> Outcome<()> {
    output::to_stdout(|out| out.write_all(text.as_bytes()))
}

fn wanted(text: &str) -> Outcome<(Kind, u64)> {
    let (name, count) = text.split_once('=').unwrap_or((text, "1"));
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
    let count = count.parse().ok().filter(|count| (1..=MOST_KEYS).contains(count));
    kind.zip(count).ok_or_else(|| {
        Failure::new(format!("--issue {text}: expected KIND=N"))
            .hint("KIND is drill, listed, github, gitlab, aws or oauth")
    })
}

/// Writes a file that only its owner reads; one that is there is replaced.
fn write(file: &Path, text: &str) -> Outcome<()> {
    let failed =
        |error: std::io::Error| Failure::from(error).context(format!("cannot write {}", file.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
