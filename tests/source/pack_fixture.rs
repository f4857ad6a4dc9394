//! Repositories built with git, and a visitor that checks every object it is passed.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use keycull::finding::Oid;
use keycull::source::git::pack::{
    Base, DeltaMap, HashKind, Object, ObjectDirectories, ObjectError, ObjectKind, Traversal, TraverseOptions,
    Visitor, traverse,
};

/// A bare repository in a temporary directory.
pub(super) struct Repo {
    dir: tempfile::TempDir,
    pub(super) hash: HashKind,
}

impl Repo {
    /// An empty one.
    pub(super) fn empty(hash: HashKind) -> Self {
        let repo = Self { dir: tempfile::tempdir().unwrap(), hash };
        let format = if hash == HashKind::Sha1 { "sha1" } else { "sha256" };
        repo.git(&["init", "-q", "--bare", "-b", "main", &format!("--object-format={format}"), "."]);
        repo
    }

    /// One with a history of `commits` commits, a tag and an unreachable blob.
    pub(super) fn with_history(hash: HashKind, commits: usize) -> Self {
        let repo = Self::empty(hash);
        repo.add_history("main", 1, commits);
        repo.git(&["tag", "-a", "-m", "a tag with a message", "v1", "main"]);
        repo.git_with_input(&["hash-object", "-w", "--stdin"], b"");
        repo.git_with_input(&["hash-object", "-w", "--stdin"], b"nobody refers to this\n");
        repo
    }

    /// Adds commits to a new `branch`: each edits a few lines of two of five files.
    pub(super) fn add_history(&self, branch: &str, seed: u64, commits: usize) {
        let mut random = Random(seed);
        let mut files: Vec<Vec<String>> =
            (0..5).map(|_| (0..60 + random.below(200)).map(|_| random.line()).collect()).collect();
        let mut stream = String::new();
        for commit in 0..commits {
            let message = random.line();
            writeln!(stream, "commit refs/heads/{branch}").unwrap();
            writeln!(stream, "committer A U Thor <author@example.com> {} +0000", 1_700_000_000 + commit)
                .unwrap();
            writeln!(stream, "data {}\n{message}", message.len()).unwrap();
            for edit in 0..if commit == 0 { 5 } else { 2 } {
                let which = if commit == 0 { edit } else { random.below(5) };
                let file = &mut files[which];
                for _ in 0..3 {
                    let at = random.below(file.len());
                    match random.below(4) {
                        0 => file.insert(at, random.line()),
                        1 if file.len() > 30 => drop(file.remove(at)),
                        2 => {
                            let moved = file.remove(at);
                            file.push(moved);
                        }
                        _ => file[at] = random.line(),
                    }
                }
                let text = file.concat();
                writeln!(stream, "M 100644 inline dir{}/file{which}", which % 2).unwrap();
                writeln!(stream, "data {}\n{text}", text.len()).unwrap();
            }
        }
        self.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.path().join("objects")
    }

    /// The only pack, without its extension.
    pub(super) fn pack(&self) -> PathBuf {
        let packs = self.files("pack");
        assert_eq!(packs.len(), 1, "one pack expected");
        packs[0].with_extension("")
    }

    /// Files of the pack directory with this extension.
    pub(super) fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.objects().join("pack")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|found| found == extension));
        files.sort();
        files
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, b"")
    }

    pub(super) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = run_git(self.path(), arguments, input);
        String::from_utf8(output).unwrap()
    }

    /// Every object and its kind, as git tells them.
    pub(super) fn expected(&self) -> BTreeMap<Oid, ObjectKind> {
        self.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"])
            .lines()
            .map(|line| {
                let (name, kind) = line.split_once(' ').unwrap();
                (name.parse().unwrap(), ObjectKind::from_name(kind.as_bytes()).unwrap())
            })
            .collect()
    }

    /// Traverses the repository with a checking visitor.
    pub(super) fn visit(&self, options: &TraverseOptions) -> (Checker, Traversal) {
        let directories = ObjectDirectories::discover(&self.objects(), self.hash, None);
        let checker = Checker::new(self.hash);
        let traversal = traverse(&directories, options, &checker);
        (checker, traversal)
    }

    /// Traverses with one thread and with three, and demands that every object is passed as it should.
    pub(super) fn assert_complete(&self) -> Checker {
        let expected = self.expected();
        for jobs in [1, 3] {
            let (checker, traversal) = self.visit(&options(jobs));
            assert_eq!(traversal.gaps, []);
            checker.assert_sound();
            assert!(checker.kinds() == expected, "{} of {}", checker.kinds().len(), expected.len());
            assert_eq!(traversal.counts.objects(), expected.len() as u64);
        }
        self.visit(&options(2)).0
    }
}

pub(super) fn options(jobs: usize) -> TraverseOptions {
    TraverseOptions { jobs: NonZero::new(jobs).unwrap(), ..TraverseOptions::default() }
}

pub(super) fn run_git(directory: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=A U Thor", "-c", "user.email=author@example.com", "-c", "gc.auto=0"])
        .args(["-c", "fastimport.unpackLimit=0", "-c", "pack.threads=1"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000")
        .env_remove("GIT_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A command that does not read its input to the end is judged by its status.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Numbers that look random and are the same each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn line(&mut self) -> String {
        let words = 1 + self.below(9);
        let mut line: String = (0..words).map(|_| format!("w{} ", self.below(3000))).collect();
        line.push('\n');
        line
    }
}

/// Checks names, contents and delta maps, and counts.
pub(super) struct Checker {
    hash: HashKind,
    seen: Mutex<BTreeMap<Oid, ObjectKind>>,
    complaints: Mutex<Vec<String>>,
    pub(super) deltas: AtomicU64,
    wanted: Vec<ObjectKind>,
    stop_after: u64,
    /// Whether it reads what is too large to be held.
    streaming: bool,
    pub(super) streamed: AtomicU64,
}

impl Checker {
    pub(super) fn new(hash: HashKind) -> Self {
        Self {
            hash,
            seen: Mutex::default(),
            complaints: Mutex::default(),
            deltas: AtomicU64::new(0),
            wanted: ObjectKind::ALL.to_vec(),
            stop_after: u64::MAX,
            streaming: false,
            streamed: AtomicU64::new(0),
        }
    }

    pub(super) fn wanting(mut self, kinds: &[ObjectKind]) -> Self {
        self.wanted = kinds.to_vec();
        self
    }

    pub(super) fn streaming(mut self) -> Self {
        self.streaming = true;
        self
    }

    pub(super) fn stopping_after(mut self, objects: u64) -> Self {
        self.stop_after = objects;
        self
    }

    pub(super) fn kinds(&self) -> BTreeMap<Oid, ObjectKind> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn assert_sound(&self) {
        let complaints = self.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{} complaints: {:?}", complaints.len(), &complaints[..1]);
    }

    pub(super) fn is_sound(&self) -> bool {
        self.complaints.lock().unwrap().is_empty()
    }

    fn complain(&self, about: String) {
        self.complaints.lock().unwrap().push(about);
    }

    fn see(&self, object: &Object<'_>) -> Vec<u8> {
        self.see_bytes(object, object.bytes);
        object.bytes.to_vec()
    }

    fn see_bytes(&self, object: &Object<'_>, bytes: &[u8]) {
        let name = object.id();
        if self.hash.name_object(object.kind, bytes) != name {
            self.complain(format!("{name} has other content"));
        }
        if self.seen.lock().unwrap().insert(name, object.kind).is_some() {
            self.complain(format!("{name} passed twice"));
        }
    }
}

impl Visitor for Checker {
    type Local = ();
    type State = Vec<u8>;

    fn local(&self) {}

    fn wants(&self, kind: ObjectKind) -> bool {
        self.wanted.contains(&kind)
    }

    fn root(&self, (): &mut (), object: &Object<'_>) -> Vec<u8> {
        self.see(object)
    }

    fn child(&self, (): &mut (), object: &Object<'_>, base: &Base<'_, Vec<u8>>, delta: &DeltaMap) -> Vec<u8> {
        self.deltas.fetch_add(1, Ordering::Relaxed);
        if base.bytes != base.state {
            self.complain(format!("{} got another base than its state is of", object.id()));
        }
        if let Err(why) = check_map(base.bytes, object.bytes, delta) {
            self.complain(format!("{}: {why}", object.id()));
        }
        self.see(object)
    }

    fn large(
        &self,
        (): &mut (),
        object: &Object<'_>,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<bool, ObjectError> {
        if !self.streaming {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        if content.read_to_end(&mut bytes).is_ok() {
            if bytes.len() as u64 != size {
                self.complain(format!("{} has not {size} bytes", object.id()));
            }
            self.streamed.fetch_add(1, Ordering::Relaxed);
            self.see_bytes(object, &bytes);
        }
        Ok(true)
    }

    fn cancelled(&self) -> bool {
        self.seen.lock().unwrap().len() as u64 >= self.stop_after
    }
}

/// Whether a delta map tells the truth about base and target.
fn check_map(base: &[u8], target: &[u8], map: &DeltaMap) -> Result<(), String> {
    if (map.base_len() as usize, map.target_len() as usize) != (base.len(), target.len()) {
        return Err("wrong lengths".to_owned());
    }
    for copy in map.copies() {
        let [from, to] = [copy.base_range(), copy.target_range()].map(|r| r.start as usize..r.end as usize);
        if copy.length == 0 || base.get(from) != target.get(to) {
            return Err(format!("{copy:?} is not a copy"));
        }
    }
    let mut pieces: Vec<(u32, u32, bool)> =
        map.copies().iter().map(|copy| (copy.target, copy.target_range().end, false)).collect();
    pieces.extend(map.dirty().map(|range| (range.start, range.end, true)));
    // Empty dirty ranges come between the copy that ends and the one that starts there.
    pieces.sort_by_key(|&(start, end, _)| (start, end));
    let mut at = 0;
    for &(start, end, _) in &pieces {
        if start != at {
            return Err(format!("{start} after {at}: ranges overlap or leave a hole"));
        }
        at = end;
    }
    if at != map.target_len() {
        return Err("the end is not covered".to_owned());
    }
    for pair in map.copies().windows(2) {
        if !map.dirty().any(|dirty| dirty.start == pair[0].target_range().end) {
            return Err(format!("nothing dirty between {pair:?}"));
        }
    }
    let starts = map.copies().first().is_some_and(|copy| copy.target == 0 && copy.base == 0);
    let ends = map.copies().last().is_some_and(|copy| {
        copy.target_range().end == map.target_len() && copy.base_range().end == map.base_len()
    });
    if !starts && map.dirty().next().is_none_or(|dirty| dirty.start != 0) {
        return Err("the start is not dirty".to_owned());
    }
    if !ends && map.dirty().last().is_none_or(|dirty| dirty.end != map.target_len()) {
        return Err("the end is not dirty".to_owned());
    }
    Ok(())
}

/// Builds packs by hand: entries with any header, declared size and data.
pub(super) struct HandMade {
    pub(super) bytes: Vec<u8>,
    pub(super) count: u32,
}

impl HandMade {
    pub(super) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), count: 0 }
    }

    /// Appends an entry and returns its offset.
    pub(super) fn entry(&mut self, kind: u8, size: u64, base: &[u8], data: &[u8]) -> u64 {
        let offset = self.bytes.len() as u64;
        let mut rest = size >> 4;
        self.bytes.push(kind << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
        while rest > 0 {
            let byte = (rest & 0x7f) as u8;
            rest >>= 7;
            self.bytes.push(byte | if rest > 0 { 0x80 } else { 0 });
        }
        self.bytes.extend_from_slice(base);
        let mut zlib = flate2::write::ZlibEncoder::new(&mut self.bytes, flate2::Compression::best());
        zlib.write_all(data).unwrap();
        zlib.finish().unwrap();
        self.count += 1;
        offset
    }

    pub(super) fn blob(&mut self, content: &[u8]) -> u64 {
        self.entry(3, content.len() as u64, &[], content)
    }

    /// Puts the pack into a repository, with an index that names the entries at `offsets` as told.
    pub(super) fn into_repo(mut self, objects: &[([u8; 20], u64)]) -> Repo {
        use sha1::{Digest as _, Sha1};
        let repo = Repo::empty(HashKind::Sha1);
        self.bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
        let checksum = Sha1::digest(&self.bytes);
        self.bytes.extend_from_slice(&checksum);
        std::fs::write(repo.objects().join("pack/pack-made.pack"), &self.bytes).unwrap();
        if objects.is_empty() {
            return repo;
        }
        let mut objects = objects.to_vec();
        objects.sort_unstable();
        let mut index = Vec::new();
        for byte in 0..=255_u8 {
            let count = objects.iter().filter(|object| object.0[0] <= byte).count() as u32;
            index.extend_from_slice(&count.to_be_bytes());
        }
        for (name, offset) in &objects {
            index.extend_from_slice(&(*offset as u32).to_be_bytes());
            index.extend_from_slice(name);
        }
        index.extend_from_slice(&checksum);
        let own = Sha1::digest(&index);
        index.extend_from_slice(&own);
        std::fs::write(repo.objects().join("pack/pack-made.idx"), &index).unwrap();
        repo
    }
}

pub(super) fn blob_name(content: &[u8]) -> [u8; 20] {
    let name = HashKind::Sha1.name_object(ObjectKind::Blob, content);
    name.as_bytes().try_into().unwrap()
}
