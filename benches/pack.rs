//! Time and memory of a bare traversal: `cargo bench --bench pack -- GIT_DIR [THREADS] [blob|all|none|verify]`.

#![allow(clippy::print_stdout)]

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use keycull::source::git::pack::{
    Base, DeltaMap, HashKind, Object, ObjectDirectories, ObjectKind, TraverseOptions, Visitor, traverse,
};

/// Does nothing, or computes the name of each object and compares.
struct Bare {
    kinds: &'static [ObjectKind],
    verify: bool,
    wrong: AtomicU64,
}

impl Bare {
    fn see(&self, object: &Object<'_>) {
        if self.verify && HashKind::Sha1.name_object(object.kind, object.bytes) != object.id() {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Visitor for Bare {
    type Local = ();
    type State = ();

    fn local(&self) {}

    fn wants(&self, kind: ObjectKind) -> bool {
        self.kinds.contains(&kind)
    }

    fn root(&self, (): &mut (), object: &Object<'_>) {
        self.see(object);
    }

    fn child(&self, (): &mut (), object: &Object<'_>, _: &Base<'_, ()>, _: &DeltaMap) {
        self.see(object);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(git_dir) = arguments.first() else {
        return println!("usage: pack GIT_DIR [THREADS] [blob|all|none|verify]");
    };
    let mut options = TraverseOptions::default();
    if let Some(jobs) = arguments.get(1).and_then(|jobs| jobs.parse::<NonZero<usize>>().ok()) {
        options.jobs = jobs;
    }
    let mode = arguments.get(2).map_or("blob", String::as_str);
    let visitor = Bare {
        verify: mode == "verify",
        wrong: AtomicU64::new(0),
        kinds: match mode {
            "all" | "verify" => &ObjectKind::ALL,
            "none" => &[],
            _ => &[ObjectKind::Blob],
        },
    };
    let directories = ObjectDirectories::discover(&Path::new(git_dir).join("objects"), HashKind::Sha1, None);
    let result = traverse(&directories, &options, &visitor);
    println!(
        "{:?} in {} packs, {} gaps, idle {:?}",
        result.counts,
        result.packs,
        result.gaps.len(),
        result.idle
    );
    if visitor.verify {
        println!("{} objects whose content is not theirs", visitor.wrong.load(Ordering::Relaxed));
    }
    for gap in result.gaps.iter().take(10) {
        println!("{}: {} ({})", gap.kind.as_str(), gap.what, gap.why);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon")) {
        println!("{line}");
    }
}
