//! Time and memory of a bare traversal: `cargo bench --bench pack -- GIT_DIR [THREADS] [blob|all]`.

#![allow(clippy::print_stdout)]

use std::num::NonZero;
use std::path::Path;

use keycull::source::git::pack::{
    Base, DeltaMap, HashKind, Object, ObjectDirectories, ObjectKind, TraverseOptions, Visitor, traverse,
};

struct Nothing {
    blobs_only: bool,
}

impl Visitor for Nothing {
    type Local = ();
    type State = ();

    fn local(&self) {}

    fn wants(&self, kind: ObjectKind) -> bool {
        !self.blobs_only || kind == ObjectKind::Blob
    }

    fn root(&self, (): &mut (), _: &Object<'_>) {}

    fn child(&self, (): &mut (), _: &Object<'_>, _: &Base<'_, ()>, _: &DeltaMap) {}

    fn cancelled(&self) -> bool {
        false
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(git_dir) = arguments.first() else {
        return println!("usage: pack GIT_DIR [THREADS] [blob|all]");
    };
    let mut options = TraverseOptions::default();
    if let Some(jobs) = arguments.get(1).and_then(|jobs| jobs.parse::<NonZero<usize>>().ok()) {
        options.jobs = jobs;
    }
    let visitor = Nothing { blobs_only: arguments.get(2).is_none_or(|kinds| kinds == "blob") };
    let directories = ObjectDirectories::discover(&Path::new(git_dir).join("objects"), HashKind::Sha1, None);
    let result = traverse(&directories, &options, &visitor);
    println!(
        "{:?} in {} packs, {} gaps, idle {:?}",
        result.counts,
        result.packs,
        result.gaps.len(),
        result.idle
    );
    for gap in result.gaps.iter().take(10) {
        println!("{}: {} ({})", gap.kind.as_str(), gap.what, gap.why);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon")) {
        println!("{line}");
    }
}
