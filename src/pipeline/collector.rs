//! Where sources, engine and triage meet: takes chunks from many threads and keeps candidates.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::progress::Progress;
use crate::chunk::{Chunk, Encoding};
use crate::engine::{Engine, Scratch};
use crate::finding::{Checksum, Confidence, Coverage, GapKind, Match, Oid, Origin, RepoPath, Secret, Span};
use crate::source::Sink;
use crate::triage::{BaseSecrets, Candidate, RuleBook, capture, capture_with};

/// Most matches kept from one chunk. Real content stays far below; a hostile one must not fill
/// the memory, and what is left out is a reported gap.
const PER_CHUNK: usize = 50_000;

/// What finds matches; the engine, or a stand-in of a test.
pub(super) trait Matcher: Sync {
    /// Memory of one thread.
    type Scratch: Default + Send;

    /// Appends the matches whose triggers the chunk owns.
    fn find(&self, chunk: &Chunk<'_>, scratch: &mut Self::Scratch, out: &mut Vec<Match>);

    /// Appends what only a look at the whole content finds; [`Matcher::find`] does so by itself, what
    /// follows deltas does not.
    fn whole(&self, chunk: &Chunk<'_>, out: &mut Vec<Match>) {
        let _ = (chunk, out);
    }

    /// Appends what the path of a file alone gives away: matches of the whole path.
    fn names(&self, path: &RepoPath, out: &mut Vec<Match>) {
        let _ = (path, out);
    }

    /// Whether the last search left encoded text unread because there was too much of it.
    fn overran(&self, scratch: &mut Self::Scratch) -> bool {
        let _ = scratch;
        false
    }
}

impl Matcher for Engine {
    type Scratch = Scratch;

    fn find(&self, chunk: &Chunk<'_>, scratch: &mut Scratch, out: &mut Vec<Match>) {
        if chunk.is_whole() {
            self.scan(chunk.bytes, scratch, out);
        } else {
            self.scan_range(chunk.bytes, chunk.window.own(), scratch, out);
        }
        self.whole(chunk, out);
    }

    fn whole(&self, chunk: &Chunk<'_>, out: &mut Vec<Match>) {
        if let Some(imported) = self.imported().filter(|_| is_content(chunk.origin)) {
            let path = chunk.origin.path();
            imported.scan(chunk.bytes, &chunk.window.own(), path.as_ref().map(RepoPath::as_bytes), out);
        }
    }

    fn names(&self, path: &RepoPath, out: &mut Vec<Match>) {
        let span = Span::new(0, path.as_bytes().len());
        out.extend(self.imported().into_iter().flat_map(|imported| imported.paths(path.as_bytes())).map(
            |rule| Match {
                rule,
                trigger: 0,
                span,
                secret: span,
                confidence: Confidence::Medium,
                checksum: Checksum::Absent,
                decoded: None,
                traits: 0,
            },
        ));
    }

    fn overran(&self, scratch: &mut Scratch) -> bool {
        scratch.take_overrun()
    }
}

/// Whether a chunk is what somebody wrote, not the name of something.
fn is_content(origin: &Origin) -> bool {
    match origin {
        Origin::File { .. }
        | Origin::Index { .. }
        | Origin::Blob { .. }
        | Origin::Commit { .. }
        | Origin::Tag { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. }
        | Origin::Member { .. } => true,
        Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Tree { .. }
        | Origin::RefName { .. } => false,
    }
}

/// Memory of one thread, handed from chunk to chunk.
pub(super) struct Bench<S> {
    pub(super) scratch: S,
    matches: Vec<Match>,
}

impl<S: Default> Default for Bench<S> {
    fn default() -> Self {
        Self { scratch: S::default(), matches: Vec::new() }
    }
}

/// Takes what sources read and keeps what is found in it.
pub(super) struct Collector<'a, M: Matcher> {
    matcher: &'a M,
    rules: &'a dyn RuleBook,
    progress: &'a dyn Progress,
    cancel: &'a AtomicBool,
    deadline: Option<Instant>,
    hash_history: bool,
    /// Least confidence that is reported.
    least: Confidence,
    /// The deadline was met by somebody who then stopped.
    late: AtomicBool,
    benches: Mutex<Vec<Bench<M::Scratch>>>,
    kept: Mutex<Kept>,
}

/// What a scan has gathered so far.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) candidates: Vec<Candidate>,
    pub(super) base: BaseSecrets,
    /// Gaps met while scanning content.
    pub(super) coverage: Coverage,
    /// Objects whose content led to such gaps.
    pub(super) troubled: Vec<Oid>,
    /// The time budget ended the scan.
    pub(super) late: bool,
}

/// The guarded value, whatever happened to other threads: all updates are single appends.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a, M: Matcher> Collector<'a, M> {
    pub(super) fn new(
        matcher: &'a M,
        rules: &'a dyn RuleBook,
        progress: &'a dyn Progress,
        cancel: &'a AtomicBool,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            matcher,
            rules,
            progress,
            cancel,
            deadline,
            hash_history: true,
            least: Confidence::Low,
            late: AtomicBool::new(false),
            benches: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Whether line hashes are computed for blobs, too.
    pub(super) fn hashing_history(self, hash_history: bool) -> Self {
        Self { hash_history, ..self }
    }

    /// The blobs that hold candidates, each once.
    pub(super) fn found_blobs(&self) -> Vec<Oid> {
        let kept = lock(&self.kept);
        let blobs: BTreeSet<Oid> = kept.candidates.iter().filter_map(|c| c.origin.blob()).collect();
        blobs.into_iter().collect()
    }

    pub(super) fn matcher(&self) -> &'a M {
        self.matcher
    }

    /// Candidates below `least` are kept, but nothing is done to tell whether they are new.
    pub(super) fn reporting(self, least: Confidence) -> Self {
        Self { least, ..self }
    }

    /// What was gathered.
    pub(super) fn into_kept(self) -> Kept {
        let late = self.late.into_inner();
        Kept { late, ..self.kept.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Hands the matches of `chunk` to `take`. A panic anywhere in it costs this chunk only, and
    /// is told.
    fn scan<T: Default>(&self, chunk: &Chunk<'_>, take: impl FnOnce(&[Match]) -> T) -> T {
        let mut bench = lock(&self.benches).pop().unwrap_or_default();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            bench.matches.clear();
            self.matcher.find(chunk, &mut bench.scratch, &mut bench.matches);
            self.note_overrun(chunk, &mut bench.scratch);
            self.prepare(chunk, &mut bench.matches);
            take(&bench.matches)
        }));
        match outcome {
            Ok(taken) => {
                // Secrets of decoded matches must not lie about in a pool.
                bench.matches.clear();
                lock(&self.benches).push(bench);
                taken
            }
            Err(_) => {
                // The bench may be in any state; it is dropped.
                self.broke_down(chunk);
                T::default()
            }
        }
    }

    fn note_overrun(&self, chunk: &Chunk<'_>, scratch: &mut M::Scratch) {
        if self.matcher.overran(scratch) {
            lock(&self.kept).coverage.gap(
                GapKind::Budget,
                chunk.origin.to_string(),
                "encoded text in it unpacks to too much; what came before was scanned",
            );
        }
    }

    fn broke_down(&self, chunk: &Chunk<'_>) {
        let mut kept = lock(&self.kept);
        kept.troubled.extend(chunk.origin.object());
        kept.coverage.gap(
            GapKind::Unreadable,
            chunk.origin.to_string(),
            "internal error while scanning it; please report this as a bug of keycull",
        );
    }

    /// Finds matches with `find` on memory of the caller's own and keeps those that `matches` names.
    /// A panic costs this chunk only, is told, and gives `None`.
    pub(super) fn keep_found<T>(
        &self,
        bench: &mut Bench<M::Scratch>,
        chunk: &Chunk<'_>,
        find: impl FnOnce(&mut M::Scratch) -> T,
        matches: impl FnOnce(&T) -> &[Match],
    ) -> Option<T> {
        if self.cancelled() {
            return None;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let found = find(&mut bench.scratch);
            self.note_overrun(chunk, &mut bench.scratch);
            bench.matches.extend_from_slice(matches(&found));
            self.matcher.whole(chunk, &mut bench.matches);
            if !bench.matches.is_empty() {
                self.prepare(chunk, &mut bench.matches);
                self.keep(capture_with(chunk, &bench.matches, self.rules, self.hash_history));
                // Secrets of decoded matches must not lie about.
                bench.matches.clear();
            }
            found
        }));
        if outcome.is_err() {
            *bench = Bench::default();
            self.broke_down(chunk);
        }
        self.progress.scanned(chunk.bytes.len() as u64);
        outcome.ok()
    }

    /// Keeps candidates; whether there were any.
    fn keep(&self, found: Vec<Candidate>) -> bool {
        if found.is_empty() {
            return false;
        }
        self.progress.matched(found.len() as u64);
        lock(&self.kept).candidates.extend(found);
        true
    }

    /// What the path of a file gives away, once for each file.
    fn named(&self, chunk: &Chunk<'_>) -> Vec<Candidate> {
        let (Origin::File { path } | Origin::Index { path, .. }) = chunk.origin else { return Vec::new() };
        let mut matches = Vec::new();
        if chunk.window.offset == 0 {
            self.matcher.names(path, &mut matches);
        }
        let origin = Origin::FileName { path: path.clone() };
        capture(&Chunk::whole(path.as_bytes(), &origin, Encoding::Plain), &matches, self.rules)
    }

    /// Puts matches in order, without duplicates, and keeps what the content allows.
    fn prepare(&self, chunk: &Chunk<'_>, matches: &mut Vec<Match>) {
        if chunk.encoding == Encoding::Binary {
            // Values under names are chance in binary content; only exact forms count.
            matches.retain(|hit| matches!(self.rules.info(hit.rule).kind, "token" | "block"));
        }
        let decoded = |hit: &Match| hit.decoded.as_ref().map(|d| (d.chain.clone(), d.excerpt_secret));
        matches.sort_by(|a, b| {
            (a.secret, a.rule, a.span, std::cmp::Reverse(a.confidence))
                .cmp(&(b.secret, b.rule, b.span, std::cmp::Reverse(b.confidence)))
                .then_with(|| decoded(a).cmp(&decoded(b)))
                .then_with(|| a.secret_bytes(chunk.bytes).cmp(b.secret_bytes(chunk.bytes)))
                // Whatever order they were found in, the same one stays.
                .then_with(|| (a.traits, a.trigger).cmp(&(b.traits, b.trigger)))
        });
        matches.dedup_by(|a, b| {
            (a.secret, a.rule, a.secret_bytes(chunk.bytes)) == (b.secret, b.rule, b.secret_bytes(chunk.bytes))
        });
        if matches.len() > PER_CHUNK {
            let more = matches.len() - PER_CHUNK;
            matches.truncate(PER_CHUNK);
            let mut kept = lock(&self.kept);
            kept.troubled.extend(chunk.origin.object());
            kept.coverage.gap(
                GapKind::Budget,
                chunk.origin.to_string(),
                format!(
                    "{more} matches beyond the first {PER_CHUNK} are left out; exclude the file if it is data"
                ),
            );
        }
    }
}

impl<M: Matcher> Sink for Collector<'_, M> {
    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        if self.cancelled() {
            return false;
        }
        let mut found = self.scan(&chunk, |matches| capture(&chunk, matches, self.rules));
        found.extend(self.named(&chunk));
        self.progress.scanned(chunk.bytes.len() as u64);
        self.keep(found)
    }

    fn base(&self, chunk: Chunk<'_>) {
        let secrets: Vec<Secret> =
            self.scan(&chunk, |matches| matches.iter().map(|hit| hit.secret(chunk.bytes)).collect());
        let mut kept = lock(&self.kept);
        secrets.iter().for_each(|secret| kept.base.add(secret.expose()));
    }

    fn is_open(&self) -> bool {
        let kept = lock(&self.kept);
        let matters = |candidate: &&Candidate| candidate.own_confidence() >= self.least;
        kept.candidates.iter().filter(matters).any(|candidate| !kept.base.holds(&candidate.secret))
    }

    fn note(&self, part: Coverage) {
        lock(&self.kept).coverage.merge(part);
    }

    fn suspects(&self, text: &[u8]) -> bool {
        let origin = Origin::FileName { path: RepoPath::default() };
        self.scan(&Chunk::whole(text, &origin, Encoding::Plain), |matches| !matches.is_empty())
    }

    fn cancelled(&self) -> bool {
        if self.cancel.load(Ordering::Relaxed) {
            return true;
        }
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late {
            self.late.store(true, Ordering::Relaxed);
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chunk::Window;
    use crate::pipeline::progress::Silent;
    use crate::triage::testing::{ACME, Book, PASSWORD};

    /// Finds `token` as [`ACME`] and `word` as [`PASSWORD`]; `boom` makes it panic.
    struct Stub;

    impl Matcher for Stub {
        type Scratch = u32;

        fn find(&self, chunk: &Chunk<'_>, runs: &mut u32, out: &mut Vec<Match>) {
            *runs += 1;
            for (rule, needle) in [(ACME, "token"), (PASSWORD, "word"), (ACME, "token")] {
                for at in memchr::memmem::find_iter(chunk.bytes, needle) {
                    let span = Span::new(at, at + needle.len());
                    out.push(Match {
                        rule,
                        trigger: at,
                        span,
                        secret: span,
                        confidence: Confidence::High,
                        checksum: Checksum::Absent,
                        decoded: None,
                        traits: 0,
                    });
                }
            }
            assert!(memchr::memmem::find(chunk.bytes, b"boom").is_none(), "as asked for");
        }
    }

    /// Offers `texts` to a collector; what each call said, and what was kept.
    fn collect(
        texts: &[&str],
        encoding: Encoding,
        setup: impl Fn(&mut Collector<'_, Stub>),
    ) -> (Vec<bool>, Kept) {
        let (book, cancel) = (Book::standard(), AtomicBool::new(false));
        let mut collector = Collector::new(&Stub, &book, &Silent, &cancel, None);
        setup(&mut collector);
        let said = texts
            .iter()
            .enumerate()
            .map(|(n, text)| {
                let origin = Origin::File { path: format!("f{n}").as_str().into() };
                collector.chunk(Chunk::whole(text.as_bytes(), &origin, encoding))
            })
            .collect();
        (said, collector.into_kept())
    }

    fn gaps(kept: &Kept) -> Vec<(GapKind, &str)> {
        kept.coverage.gaps.iter().map(|gap| (gap.kind, gap.what.as_str())).collect()
    }

    #[test]
    fn matches_become_candidates_once_each() {
        let (said, kept) = collect(&["a token", "nothing", "word token"], Encoding::Plain, |_| {});
        assert_eq!(said, [true, false, true]);
        let rules: Vec<u16> = kept.candidates.iter().map(|candidate| candidate.rule).collect();
        assert_eq!(rules, [ACME, PASSWORD, ACME]);
        assert_eq!(gaps(&kept), []);
    }

    #[test]
    fn a_panic_costs_one_chunk_and_is_told() {
        let (said, kept) = collect(&["token", "token boom", "token"], Encoding::Plain, |_| {});
        assert_eq!(said, [true, false, true]);
        assert_eq!(kept.candidates.len(), 2);
        assert_eq!(gaps(&kept), [(GapKind::Unreadable, "f1")]);
        assert!(!kept.coverage.gaps[0].why.contains("token"));
    }

    #[test]
    fn binary_content_is_searched_for_exact_forms_only() {
        let (_, kept) = collect(&["word token"], Encoding::Binary, |_| {});
        assert_eq!(kept.candidates.len(), 1);
        assert_eq!(kept.candidates[0].rule, ACME);
    }

    #[test]
    fn more_matches_than_fit_are_a_gap() {
        let text = "token ".repeat(PER_CHUNK + 3);
        let (_, kept) = collect(&[&text], Encoding::Plain, |_| {});
        assert_eq!(kept.candidates.len(), PER_CHUNK);
        assert_eq!(gaps(&kept), [(GapKind::Budget, "f0")]);
        assert!(kept.coverage.gaps[0].why.starts_with("3 matches"));
    }

    #[test]
    fn nothing_is_scanned_after_the_signal_or_the_deadline() {
        let stop = AtomicBool::new(true);
        let (book, silent) = (Book::standard(), Silent);
        let collector = Collector::new(&Stub, &book, &silent, &stop, None);
        let origin = Origin::Stdin { name: None };
        assert!(!collector.chunk(Chunk::whole(b"token", &origin, Encoding::Plain)));
        assert!(collector.cancelled());
        assert!(!collector.into_kept().late);

        let (said, kept) =
            collect(&["token"], Encoding::Plain, |collector| collector.deadline = Some(Instant::now()));
        assert_eq!((said, kept.late), (vec![false], true));
        let (said, kept) = collect(&["token"], Encoding::Plain, |collector| {
            collector.deadline = Some(Instant::now() + Duration::from_secs(600));
        });
        assert_eq!((said, kept.late), (vec![true], false));
    }

    #[test]
    fn the_base_side_only_remembers() {
        let (book, cancel) = (Book::standard(), AtomicBool::new(false));
        let collector = Collector::new(&Stub, &book, &Silent, &cancel, None);
        let origin = Origin::Stdin { name: None };
        collector.base(Chunk::whole(b"word", &origin, Encoding::Plain));
        let kept = collector.into_kept();
        assert!(kept.candidates.is_empty());
        assert!(kept.base.holds(&Secret::new("word")));
    }

    #[test]
    fn windows_report_places_of_the_whole() {
        let (book, cancel) = (Book::standard(), AtomicBool::new(false));
        let collector = Collector::new(&Stub, &book, &Silent, &cancel, None);
        let origin = Origin::Stdin { name: None };
        let whole = Chunk::whole(b"x\ntoken", &origin, Encoding::Plain);
        let window = Window { offset: 1000, first_line: 41, ..whole.window };
        collector.chunk(Chunk { window, ..whole });
        let kept = collector.into_kept();
        assert_eq!(kept.candidates[0].span, Span::new(1002, 1007));
        assert_eq!(kept.candidates[0].region.start.line, 42);
    }
}
