//! The depth-first walk of one worker through delta trees.

mod large;

use std::sync::Arc;
use std::time::Duration;

use super::crew::{Crew, Work};
use super::database::{Database, Reader};
use super::delta::{Delta, DeltaMap};
use super::error::ObjectError;
use super::file::EntryKind;
use super::forest::Forest;
use super::heavy::{HEAVY, Turn, turn};
use super::inflate::Inflater;
use super::object::ObjectKind;
use super::traverse::Counts;
use super::visitor::{Base, Name, Object, Visitor};
use crate::finding::Oid;

/// Buffers kept for reuse hold this many bytes at most.
const MOST_POOLED: usize = 8 << 20;

/// A branch smaller than this many bytes of children is not worth giving away.
const LEAST_GIVEN: usize = 16 << 10;

/// Something to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// The tree of this entry of this pack.
    Tree { pack: u32, entry: u32 },
    /// A loose object.
    Loose(Oid),
}

/// A job, or the root of a part of one, that failed.
pub(crate) struct Failure {
    pub(crate) place: Job,
    pub(crate) error: ObjectError,
}

/// What all workers share.
pub(crate) struct Ground<'a, V: Visitor> {
    pub(crate) database: &'a Database,
    pub(crate) forests: &'a [Forest],
    pub(crate) visitor: &'a V,
    pub(crate) crew: Crew<'a, Job, Frame<V::State>>,
    /// Bytes of bases that a worker may hold before it drops some and builds them again later.
    pub(crate) most_held: usize,
}

/// A built object whose deltas are still to come.
struct Node<S> {
    pack: u32,
    entry: u32,
    kind: ObjectKind,
    /// Its content; `None` when dropped to save memory.
    bytes: Option<Vec<u8>>,
    /// What the visitor returned, if it was passed to it.
    state: Option<S>,
}

impl<S> Node<S> {
    fn held(&self) -> usize {
        self.bytes.as_ref().map_or(0, Vec::len)
    }
}

/// A node and which of its children are to be built.
pub(crate) struct Frame<S> {
    node: Held<S>,
    next: u32,
    end: u32,
}

enum Held<S> {
    Alone(Node<S>),
    /// Several workers build children of it.
    Shared(Arc<Node<S>>),
}

impl<S> Held<S> {
    fn node(&self) -> &Node<S> {
        match self {
            Self::Alone(node) => node,
            Self::Shared(node) => node,
        }
    }
}

/// What a worker has to show at the end.
#[derive(Default)]
pub(crate) struct Harvest {
    pub(crate) counts: Counts,
    pub(crate) idle: Duration,
    pub(crate) failures: Vec<Failure>,
    /// Entries that are readable but not as the index says.
    pub(crate) doubts: Vec<(u32, u64, &'static str)>,
}

/// One thread of the walk.
pub(crate) struct Worker<'g, 'a, V: Visitor> {
    ground: &'g Ground<'a, V>,
    local: V::Local,
    tools: Tools,
    stack: Vec<Frame<V::State>>,
    held: usize,
    harvest: Harvest,
    /// Held as long as there is something large on the stack, or about to be.
    turn: Option<Turn>,
}

/// Decoder and buffers.
struct Tools {
    inflater: Inflater,
    reader: Reader,
    instructions: Vec<u8>,
    map: DeltaMap,
    pool: Vec<Vec<u8>>,
    pooled: usize,
}

impl Tools {
    fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            reader: Reader::new(),
            instructions: Vec::new(),
            map: DeltaMap::default(),
            pool: Vec::new(),
            pooled: 0,
        }
    }

    fn buffer(&mut self) -> Vec<u8> {
        let buffer = self.pool.pop().unwrap_or_default();
        self.pooled -= buffer.capacity();
        buffer
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if self.pooled + buffer.capacity() <= MOST_POOLED {
            self.pooled += buffer.capacity();
            self.pool.push(buffer);
        }
    }
}

impl<'g, 'a, V: Visitor> Worker<'g, 'a, V> {
    pub(crate) fn new(ground: &'g Ground<'a, V>) -> Self {
        Self {
            ground,
            local: ground.visitor.local(),
            tools: Tools::new(),
            stack: Vec::new(),
            held: 0,
            harvest: Harvest::default(),
            turn: None,
        }
    }

    /// Works until nothing is left.
    pub(crate) fn work(mut self) -> Harvest {
        let _guard = self.ground.crew.stop_on_panic();
        while let Some(work) = self.ground.crew.next(&mut self.harvest.idle) {
            match work {
                Work::Job(&job) => self.start(job),
                Work::Branch(frame) => self.push(frame),
            }
            self.run();
        }
        self.harvest
    }

    /// Walks the tree of `entry` with content that was read elsewhere.
    pub(crate) fn work_from(mut self, pack: u32, entry: u32, kind: ObjectKind, bytes: Vec<u8>) -> Harvest {
        self.root(pack, entry, kind, bytes);
        self.run();
        self.harvest
    }

    /// What it has to show.
    pub(crate) fn into_harvest(self) -> Harvest {
        self.harvest
    }

    fn start(&mut self, job: Job) {
        let outcome = match job {
            Job::Loose(name) => self.loose(name),
            Job::Tree { pack, entry } => {
                let mut bytes = self.tools.buffer();
                self.build_root(pack, entry, &mut bytes).map(|kind| self.root(pack, entry, kind, bytes))
            }
        };
        let outcome = match outcome {
            Err(error @ ObjectError::TooLarge { .. }) => self.large(job, error),
            other => other,
        };
        if let Err(error) = outcome {
            self.harvest.failures.push(Failure { place: job, error });
        }
    }

    fn loose(&mut self, name: Oid) -> Result<(), ObjectError> {
        let Ground { database, .. } = *self.ground;
        let mut buffer = self.tools.buffer();
        let limit = database.limit();
        let mut read = database.read_loose(&name, limit.min(HEAVY), &mut self.tools.inflater, &mut buffer);
        if matches!(read, Err(ObjectError::TooLarge { size, .. }) if size <= limit) {
            self.take_turn(limit);
            read = database.read_loose(&name, limit, &mut self.tools.inflater, &mut buffer);
        }
        if let Ok((kind, start)) = read
            && self.ground.visitor.wants(kind)
        {
            let bytes = &buffer[start..];
            self.harvest.counts.add(kind, bytes.len() as u64);
            let object = Object { kind, bytes, has_children: false, name: Name::Known(name) };
            self.ground.visitor.root(&mut self.local, &object);
        }
        self.tools.recycle(buffer);
        read.map(drop)
    }

    /// Builds an entry that has no base in its pack.
    fn build_root(&mut self, pack: u32, entry: u32, out: &mut Vec<u8>) -> Result<ObjectKind, ObjectError> {
        let home = &self.ground.database.packs()[pack as usize];
        let header = home.file.entry(home.index.offsets()[entry as usize])?;
        let base = match header.kind {
            EntryKind::Whole(kind) => {
                self.unpack(pack, entry, out)?;
                return Ok(kind);
            }
            EntryKind::OffsetDelta(offset) => {
                home.index.name(home.index.entry_at(offset).ok_or(ObjectError::NoBaseAt(offset))?)
            }
            EntryKind::NamedDelta(name) => name,
        };
        let inside = home.index.find(&base);
        let except = inside.map(|base| (pack, base));
        let Some((kind, bytes)) = self.ground.database.read(&base, except, &mut self.tools.reader) else {
            return Err(if inside.is_some() { ObjectError::Cycle } else { ObjectError::MissingBase(base) });
        };
        self.build(pack, entry, &bytes, out)?;
        Ok(kind)
    }

    /// Builds an entry from its base.
    fn build(&mut self, pack: u32, entry: u32, base: &[u8], out: &mut Vec<u8>) -> Result<(), ObjectError> {
        let mut instructions = std::mem::take(&mut self.tools.instructions);
        let limit = self.ground.database.limit();
        let built = self.unpack(pack, entry, &mut instructions).and_then(|()| {
            let delta = Delta::parse(&instructions)?;
            self.take_turn(delta.cost(base.len(), limit)?);
            Ok(delta.apply(base, out, &mut self.tools.map)?)
        });
        if instructions.capacity() <= MOST_POOLED {
            self.tools.instructions = instructions;
        }
        built
    }

    /// Decompresses the data of an entry.
    fn unpack(&mut self, pack: u32, entry: u32, out: &mut Vec<u8>) -> Result<(), ObjectError> {
        let database = self.ground.database;
        let home = &database.packs()[pack as usize];
        let offset = home.index.offsets()[entry as usize];
        let header = home.file.entry(offset)?;
        if header.size > database.limit() {
            return Err(ObjectError::TooLarge { size: header.size, limit: database.limit() });
        }
        let end = home.index.end_of(entry, home.file.end()).min(home.file.end());
        let packed = home.file.slice(header.data, end)?;
        self.take_turn(header.size);
        let inflater = &mut self.tools.inflater;
        let whole = home.file.slice(offset, end)?;
        if home.index.checksum(entry).is_some_and(|checksum| checksum != crc32fast::hash(whole)) {
            self.harvest.doubts.push((pack, offset, "its checksum is not the one in the index"));
        }
        let taken = inflater.inflate_all(packed, header.size as usize, out)?;
        if taken != packed.len() {
            self.harvest.doubts.push((pack, offset, "it is followed by data that the index does not name"));
        }
        Ok(())
    }

    /// Passes a root to the visitor and gets ready for its children.
    fn root(&mut self, pack: u32, entry: u32, kind: ObjectKind, bytes: Vec<u8>) {
        let Ground { database, forests, visitor, .. } = *self.ground;
        if !visitor.wants(kind) {
            return self.tools.recycle(bytes);
        }
        let forest = &forests[pack as usize];
        let children = forest.children(entry);
        let state = forest.is_visited(entry).then(|| {
            self.harvest.counts.add(kind, bytes.len() as u64);
            let name = Name::Packed(&database.packs()[pack as usize].index, entry);
            let object = Object { kind, bytes: &bytes, has_children: !children.is_empty(), name };
            visitor.root(&mut self.local, &object)
        });
        let node = Node { pack, entry, kind, bytes: Some(bytes), state };
        self.keep(node, children);
    }

    /// Walks down from what is on the stack until nothing is left of it.
    fn run(&mut self) {
        self.run_stack();
        if self.turn.take().is_some() {
            self.tools.map.shrink();
        }
    }

    fn run_stack(&mut self) {
        while let Some(frame) = self.stack.pop() {
            let Ground { visitor, crew, .. } = self.ground;
            if visitor.cancelled() {
                crew.stop();
            }
            if crew.is_stopped() {
                self.stack.clear();
                self.held = 0;
                return;
            }
            if let Held::Alone(node) = &frame.node {
                self.held -= node.held();
            }
            // What is large is not given away: whoever takes it would have to wait.
            let shared = self.turn.is_none() && crew.is_hungry();
            let frame = if shared { self.share(frame) } else { frame };
            self.step(frame);
        }
    }

    /// Builds the next child of a frame, puts the frame back if there are more, and the child on top of
    /// it if it has children.
    fn step(&mut self, mut frame: Frame<V::State>) {
        let Some(frame_bytes) = self.bytes_again(&mut frame) else { return };
        let (pack, kind) = (frame.node.node().pack, frame.node.node().kind);
        let forest = &self.ground.forests[pack as usize];
        let entry = forest.child(frame.next);
        frame.next += 1;
        self.prefetch_after(entry, &frame);

        let mut bytes = self.tools.buffer();
        let base = frame.node.node();
        let base_bytes = frame_bytes.as_deref().or(base.bytes.as_deref()).unwrap_or_default();
        let built = self.build(pack, entry, base_bytes, &mut bytes);
        let child = match built {
            Ok(()) => {
                let children = forest.children(entry);
                let state = forest.is_visited(entry).then(|| {
                    self.harvest.counts.add(kind, bytes.len() as u64);
                    let name = Name::Packed(&self.ground.database.packs()[pack as usize].index, entry);
                    let object = Object { kind, bytes: &bytes, has_children: !children.is_empty(), name };
                    let (visitor, local) = (self.ground.visitor, &mut self.local);
                    match &base.state {
                        Some(state) => {
                            let base = Base { bytes: base_bytes, state };
                            visitor.child(local, &object, &base, &self.tools.map)
                        }
                        None => visitor.root(local, &object),
                    }
                });
                Some((Node { pack, entry, kind, bytes: Some(bytes), state }, children))
            }
            Err(error) => {
                self.tools.recycle(bytes);
                self.harvest.failures.push(Failure { place: Job::Tree { pack, entry }, error });
                None
            }
        };
        self.put_back(frame);
        if let Some((node, children)) = child {
            self.keep(node, children);
        }
    }

    /// Has the entry fetched that is built after `entry`, the one taken from `frame` just now.
    fn prefetch_after(&self, entry: u32, frame: &Frame<V::State>) {
        let Ground { database, forests, .. } = *self.ground;
        let pack = frame.node.node().pack;
        let forest = &forests[pack as usize];
        let children = forest.children(entry);
        let next = if !children.is_empty() {
            children.start
        } else if frame.next < frame.end {
            frame.next
        } else {
            // Frames on the stack mostly are of the same pack; a hint that misses costs nothing.
            match self.stack.last() {
                Some(below) if below.node.node().pack == pack => below.next,
                _ => return,
            }
        };
        let home = &database.packs()[pack as usize];
        home.file.prefetch(home.index.offsets()[forest.child(next) as usize]);
    }

    fn put_back(&mut self, frame: Frame<V::State>) {
        if frame.next < frame.end {
            self.push(frame);
        } else if let Held::Alone(Node { bytes: Some(bytes), .. }) = frame.node {
            self.tools.recycle(bytes);
        }
    }

    fn keep(&mut self, node: Node<V::State>, children: std::ops::Range<u32>) {
        self.put_back(Frame { node: Held::Alone(node), next: children.start, end: children.end });
    }

    /// Puts a frame on the stack, and drops the content of frames at the bottom when it gets too much.
    fn push(&mut self, frame: Frame<V::State>) {
        if let Held::Alone(node) = &frame.node {
            self.held += node.held();
        }
        self.stack.push(frame);
        if self.held > self.ground.most_held {
            // The two on top are needed next.
            self.drop_below(self.stack.len().saturating_sub(2), self.ground.most_held);
        }
    }

    /// Drops the content of frames, the lowest `count` at most, until no more than `most` is held.
    fn drop_below(&mut self, count: usize, most: usize) {
        for frame in &mut self.stack[..count] {
            if self.held <= most {
                break;
            }
            if let Held::Alone(node) = &mut frame.node {
                self.held -= node.held();
                node.bytes = None;
            }
        }
    }

    /// Before `cost` bytes of memory are taken for an object: waits for its turn if they are many. Only
    /// that object and its base stay in memory then.
    fn take_turn(&mut self, cost: u64) {
        if cost > HEAVY {
            self.drop_below(self.stack.len(), 0);
            if self.turn.is_none() {
                self.turn = Some(turn());
            }
        }
    }

    /// Builds the content of a frame again if it was dropped. `None` when that is not possible: then
    /// its children are failures.
    #[allow(clippy::option_option)]
    fn bytes_again(&mut self, frame: &mut Frame<V::State>) -> Option<Option<Vec<u8>>> {
        let node = frame.node.node();
        if node.bytes.is_some() {
            return Some(None);
        }
        let (pack, entry) = (node.pack, node.entry);
        match self.ground.database.read_entry(pack, entry, &mut self.tools.reader) {
            Ok((_, bytes)) => match &mut frame.node {
                Held::Alone(node) => {
                    node.bytes = Some(bytes);
                    Some(None)
                }
                Held::Shared(_) => Some(Some(bytes)),
            },
            Err(error) => {
                let forest = &self.ground.forests[pack as usize];
                let lost = (frame.next..frame.end).map(|at| forest.child(at));
                self.harvest.failures.extend(
                    lost.map(|entry| Failure { place: Job::Tree { pack, entry }, error: error.clone() }),
                );
                None
            }
        }
    }

    /// Gives a branch to an idle worker: the lowest frame of the stack, or else half of the children of
    /// the only one, which is `frame`.
    fn share(&mut self, mut frame: Frame<V::State>) -> Frame<V::State> {
        if let Some(lowest) = self.stack.first() {
            if weight(lowest) >= LEAST_GIVEN {
                let lowest = self.stack.remove(0);
                if let Held::Alone(node) = &lowest.node {
                    self.held -= node.held();
                }
                self.ground.crew.give(lowest);
            }
            return frame;
        }
        let children = frame.end - frame.next;
        if children < 2 || weight(&frame) < LEAST_GIVEN {
            return frame;
        }
        let shared = match frame.node {
            Held::Alone(node) => Arc::new(node),
            Held::Shared(node) => node,
        };
        let middle = frame.next + children / 2;
        self.ground.crew.give(Frame {
            node: Held::Shared(Arc::clone(&shared)),
            next: middle,
            end: frame.end,
        });
        frame = Frame { node: Held::Shared(shared), next: frame.next, end: middle };
        frame
    }
}

/// About how many bytes the children of a frame have.
fn weight<S>(frame: &Frame<S>) -> usize {
    frame.node.node().held().saturating_mul((frame.end - frame.next) as usize)
}
