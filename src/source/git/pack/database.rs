//! All the packs and loose objects of a repository, and reading single objects from them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta::{Delta, DeltaMap};
use super::directories::ObjectDirectories;
use super::error::ObjectError;
use super::file::{EntryKind, PackFile};
use super::index::Index;
use super::inflate::Inflater;
use super::known::Known;
use super::loose;
use super::mmap::{Access, FileBytes};
use super::object::{HashKind, ObjectKind};
use super::reindex::reindex;
use super::stream::ObjectStream;
use super::visitor::{Name, Object};
use crate::finding::Oid;

/// A pack and its table.
pub(crate) struct Pack {
    pub(crate) file: PackFile,
    pub(crate) index: Index,
}

/// The object database as it was when it was opened.
pub struct Database {
    directories: Vec<PathBuf>,
    hash: HashKind,
    limit: u64,
    packs: Vec<Pack>,
    /// Objects that are there and are not to be visited; packs that hold only such are not open.
    known: Arc<Known>,
    /// Loose objects that no pack holds, with the directory they are in.
    loose: Vec<(Oid, usize)>,
    problems: Vec<(String, ObjectError)>,
}

/// Decoder and buffers for reading single objects.
pub(crate) struct Reader {
    inflater: Inflater,
    map: DeltaMap,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { inflater: Inflater::new(), map: DeltaMap::default() }
    }
}

impl Database {
    /// Opens all packs in `directories` and lists all loose objects. Objects over `limit` bytes are not
    /// read. What cannot be opened is kept as a problem.
    #[must_use]
    pub fn open(directories: &ObjectDirectories, limit: u64) -> Self {
        Self::open_beside(directories, limit, &Arc::default())
    }

    /// [`Database::open`] without what is in `known`.
    #[must_use]
    pub(in crate::source) fn open_beside(
        directories: &ObjectDirectories,
        limit: u64,
        known: &Arc<Known>,
    ) -> Self {
        let mut database = Self::list(directories, limit, known);
        // A pack that is gone between listing and opening was repacked: there is a new one.
        if database.problems.iter().any(|(_, error)| *error == ObjectError::Gone) {
            database = Self::list(directories, limit, known);
        }
        database
    }

    fn list(directories: &ObjectDirectories, limit: u64, known: &Arc<Known>) -> Self {
        let mut database = Self {
            directories: directories.paths().to_vec(),
            hash: directories.hash(),
            limit,
            packs: Vec::new(),
            known: Arc::clone(known),
            loose: Vec::new(),
            problems: Vec::new(),
        };
        let mut orphans = Vec::new();
        for at in 0..database.directories.len() {
            let directory = database.directories[at].clone();
            database.open_packs(&directory.join("pack"), &mut orphans);
        }
        // Where several packs have an object, the largest one owns it.
        database.packs.sort_by_cached_key(|pack| (Reverse(pack.file.len()), pack.file.name()));
        database.list_loose();
        for orphan in orphans {
            database.check_orphan(&orphan);
        }
        database
    }

    /// Opens the packs in `directory`; indexes without a pack are put into `orphans`.
    fn open_packs(&mut self, directory: &Path, orphans: &mut Vec<PathBuf>) {
        let mut packs = BTreeMap::<PathBuf, bool>::new();
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.problem(directory, error.into()),
        };
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    // NOTE: other names are temporary files of git and never objects of the repository.
                    let named = entry.file_name().to_string_lossy().starts_with("pack-");
                    let extension = path.extension().and_then(|extension| extension.to_str());
                    if named && (extension == Some("pack") || extension == Some("idx")) {
                        *packs.entry(path.with_extension("")).or_default() |= extension == Some("pack");
                    }
                }
                Err(error) => self.problem(directory, error.into()),
            }
        }
        for (stem, has_pack) in packs {
            if self.known.has_pack(&stem) {
                continue;
            }
            let path = stem.with_extension("pack");
            if !has_pack {
                orphans.push(stem.with_extension("idx"));
            } else if let Err(error) = self.open_pack(&path) {
                self.problem(&path, error);
            }
        }
    }

    fn open_pack(&mut self, path: &Path) -> Result<(), ObjectError> {
        let file = PackFile::open(path, self.hash)?;
        let read = Index::open(&path.with_extension("idx"), self.hash);
        let (index, trouble) = match read {
            Ok(index) => match index.check(&file) {
                Ok(()) => (index, None),
                Err(error) => {
                    let made = reindex(&file, self.hash, self.limit)?;
                    // The entries that the index names may be there even when those that follow each
                    // other end early: take whichever has more.
                    let take_made = made.incomplete.is_none() || made.index.len() > index.len();
                    let trouble = made.incomplete.map(|_| error);
                    (if take_made { made.index } else { index }, trouble)
                }
            },
            Err(_) => {
                let made = reindex(&file, self.hash, self.limit)?;
                (made.index, made.incomplete)
            }
        };
        if let Some(trouble) = trouble {
            self.problem(path, trouble);
        }
        self.packs.push(Pack { file, index });
        Ok(())
    }

    fn list_loose(&mut self) {
        let mut found = Vec::new();
        for (at, directory) in self.directories.iter().enumerate() {
            let names = loose::list(directory, self.hash, |path, error| {
                self.problems.push((path.display().to_string(), error.into()));
            });
            found.extend(names.into_iter().map(|name| (name, at)));
        }
        found.sort_unstable();
        found.dedup_by_key(|object| object.0);
        found.retain(|(name, _)| {
            !self.known.contains(name) && self.packs.iter().all(|pack| pack.index.find(name).is_none())
        });
        self.loose = found;
    }

    /// An index whose pack is gone does no harm if all its objects are elsewhere.
    fn check_orphan(&mut self, path: &Path) {
        let Ok(index) = Index::open(path, self.hash) else { return };
        let missing = (0..index.len() as u32).filter(|&entry| !self.contains(&index.name(entry))).count();
        if missing > 0 {
            let what = path.with_extension("pack");
            self.problems.push((format!("{missing} objects of {}", what.display()), ObjectError::Gone));
        }
    }

    fn problem(&mut self, path: &Path, error: ObjectError) {
        self.problems.push((path.display().to_string(), error));
    }

    /// What could not be opened or listed.
    pub(crate) fn problems(&self) -> &[(String, ObjectError)] {
        &self.problems
    }

    /// The packs, the largest first.
    pub(crate) fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// Loose objects that no pack holds.
    pub(crate) fn loose(&self) -> impl ExactSizeIterator<Item = Oid> + '_ {
        self.loose.iter().map(|object| object.0)
    }

    /// Entries of all packs and loose objects together; what is there twice counts twice.
    pub(crate) fn object_count(&self) -> usize {
        self.loose().len() + self.packs().iter().map(|pack| pack.index.len()).sum::<usize>()
    }

    /// Objects over this size in bytes are not read.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether any pack or directory has the object.
    #[must_use]
    pub fn contains(&self, name: &Oid) -> bool {
        self.number(name).is_some() || self.known.contains(name)
    }

    /// A number below [`len`](Self::len) that stands for the object as long as the database is open; none
    /// for what is known.
    #[must_use]
    pub fn number(&self, name: &Oid) -> Option<u32> {
        let mut before = 0;
        for pack in &self.packs {
            if let Some(place) = pack.index.find_place(name.as_bytes()) {
                return Some(before + place);
            }
            before += pack.index.len() as u32;
        }
        let place = self.loose.binary_search_by_key(name, |object| object.0).ok()?;
        Some(before + place as u32)
    }

    /// Bytes in the name of an object.
    #[must_use]
    pub const fn name_len(&self) -> usize {
        self.hash.name_len()
    }

    /// The number of an object that a traversal of this database passes.
    #[must_use]
    pub fn number_of(&self, object: &Object<'_>) -> Option<u32> {
        match object.name {
            // With one pack the place is the number, unless another has the same name.
            Name::Packed(index, entry) if self.packs.len() == 1 && !index.repeats() => {
                Some(index.place(entry))
            }
            Name::Known(_) | Name::Packed(..) => self.number(&object.id()),
        }
    }

    /// Has the part of the largest index fetched into the processor's cache where `name` will be looked
    /// up soon.
    pub(crate) fn prefetch(&self, name: &Oid) {
        if let Some(pack) = self.packs.first() {
            pack.index.prefetch(name.as_bytes());
        }
    }

    /// The name of the object of this number.
    ///
    /// # Panics
    /// When there is no object of this number.
    #[must_use]
    pub fn name(&self, number: u32) -> Oid {
        let mut place = number as usize;
        for pack in &self.packs {
            if place < pack.index.len() {
                return Oid::from_bytes(pack.index.name_at(place as u32))
                    .expect("NOTE: a slice as long as the repository's names");
            }
            place -= pack.index.len();
        }
        self.loose[place].0
    }

    /// How many objects there are, those counted twice that two packs hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packs.iter().map(|pack| pack.index.len()).sum::<usize>() + self.loose.len()
    }

    /// Whether there is no object at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Objects that are not to be visited.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// For each pack the places (in its sorted names) of objects that a pack before it has, or that
    /// it has itself in another entry, as no pack of git's does.
    pub(crate) fn duplicates(&self) -> Vec<HashSet<u32>> {
        let mut duplicates = vec![HashSet::new(); self.packs.len()];
        if let [only] = &*self.packs {
            // The same as below, without the order that several packs need.
            let twice = |&place: &u32| only.index.name_at(place) == only.index.name_at(place - 1);
            duplicates[0].extend((1..only.index.len() as u32).filter(twice));
            return duplicates;
        }
        let next = |pack: usize, place: u32| {
            let index = &self.packs[pack].index;
            ((place as usize) < index.len()).then(|| Reverse((index.name_at(place), pack, place)))
        };
        let mut heads: BinaryHeap<_> = (0..self.packs.len()).filter_map(|pack| next(pack, 0)).collect();
        let mut previous: &[u8] = &[];
        while let Some(Reverse((name, pack, place))) = heads.pop() {
            if name == previous {
                duplicates[pack].insert(place);
            }
            previous = name;
            heads.extend(next(pack, place + 1));
        }
        duplicates
    }

    /// Reads the loose object `name`, of at most `limit` bytes, into `out`, header included; its content
    /// starts at the returned position.
    pub(crate) fn read_loose(
        &self,
        name: &Oid,
        limit: u64,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<(ObjectKind, usize), ObjectError> {
        let mut failure = ObjectError::Gone;
        for directory in &self.directories {
            match loose::read(&loose::path_of(directory, name), limit, inflater, out) {
                Ok(read) => return Ok(read),
                Err(ObjectError::Gone) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Reads an object by name, wherever a good copy of it is, but not from the entry `except`.
    /// `None` when there is no good copy.
    pub(crate) fn read(
        &self,
        name: &Oid,
        except: Option<(u32, u32)>,
        reader: &mut Reader,
    ) -> Option<(ObjectKind, Vec<u8>)> {
        for (at, pack) in (0..).zip(&self.packs) {
            if let Some(entry) = pack.index.find(name)
                && except != Some((at, entry))
                && let Ok(object) = self.read_entry(at, entry, reader)
            {
                return Some(object);
            }
        }
        let mut bytes = Vec::new();
        let (kind, start) = self.read_loose(name, self.limit, &mut reader.inflater, &mut bytes).ok()?;
        bytes.drain(..start);
        Some((kind, bytes))
    }

    /// Hands the object `name` to `read`, with its kind and size, from front to back, where some good copy
    /// of it is stored whole. True when there is one, and all of it that was read was good.
    pub(in crate::source) fn stream(
        &self,
        name: &Oid,
        mut read: impl FnMut(ObjectKind, u64, &mut ObjectStream<'_>),
    ) -> bool {
        for Pack { file, index } in &self.packs {
            if let Some(entry) = index.find(name)
                && let Ok(header) = file.entry(index.offsets()[entry as usize])
                && let EntryKind::Whole(kind) = header.kind
                && let Ok(mut stream) = file.stream(&header, index.end_of(entry, file.end()).min(file.end()))
            {
                read(kind, header.size, &mut stream);
                if stream.finish().is_ok() {
                    return true;
                }
            }
        }
        self.stream_loose(name, |kind, size, stream| read(kind, size, stream)).is_ok()
    }

    /// The same for a loose object.
    pub(super) fn stream_loose(
        &self,
        name: &Oid,
        mut read: impl FnMut(ObjectKind, u64, &mut ObjectStream<'_>),
    ) -> Result<(), ObjectError> {
        let mut failure = ObjectError::Gone;
        for directory in &self.directories {
            let read_one = |read: &mut dyn FnMut(ObjectKind, u64, &mut ObjectStream<'_>)| {
                let packed = FileBytes::open(&loose::path_of(directory, name), Access::Forward)?;
                let (kind, size, mut stream) = loose::stream(&packed)?;
                read(kind, size, &mut stream);
                match stream.finish()? {
                    Some(0) | None => Ok(()),
                    Some(_) => Err(ObjectError::Inflate("bytes follow it")),
                }
            };
            match read_one(&mut read) {
                Ok(()) => return Ok(()),
                Err(ObjectError::Gone) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Reads the object in an entry, building its chain of deltas from the bottom.
    pub(crate) fn read_entry(
        &self,
        pack: u32,
        entry: u32,
        reader: &mut Reader,
    ) -> Result<(ObjectKind, Vec<u8>), ObjectError> {
        let longest: usize = self.packs.iter().map(|pack| pack.index.len()).sum();
        let mut chain = vec![(pack, entry)];
        let (kind, mut bytes) = loop {
            let (at, entry) = chain[chain.len() - 1];
            let home = &self.packs[at as usize];
            let header = home.file.entry(home.index.offsets()[entry as usize])?;
            let base = match header.kind {
                EntryKind::Whole(kind) => {
                    chain.pop();
                    break (kind, self.unpack(at, entry, reader)?);
                }
                EntryKind::OffsetDelta(offset) => {
                    (at, home.index.entry_at(offset).ok_or(ObjectError::NoBaseAt(offset))?)
                }
                EntryKind::NamedDelta(name) => match self.locate(&name, at) {
                    Some(base) => base,
                    None => {
                        let mut bytes = Vec::new();
                        let (kind, start) = self
                            .read_loose(&name, self.limit, &mut reader.inflater, &mut bytes)
                            .map_err(|_| ObjectError::MissingBase(name))?;
                        bytes.drain(..start);
                        break (kind, bytes);
                    }
                },
            };
            if chain.len() > longest {
                return Err(ObjectError::Cycle);
            }
            chain.push(base);
        };
        while let Some((at, entry)) = chain.pop() {
            let instructions = self.unpack(at, entry, reader)?;
            bytes = self.apply(&instructions, &bytes, reader)?;
        }
        Ok((kind, bytes))
    }

    /// Applies a delta after checking its size.
    fn apply(&self, instructions: &[u8], base: &[u8], reader: &mut Reader) -> Result<Vec<u8>, ObjectError> {
        let delta = Delta::parse(instructions)?;
        delta.cost(base.len(), self.limit)?;
        let mut target = Vec::new();
        delta.apply(base, &mut target, &mut reader.map)?;
        Ok(target)
    }

    /// Decompresses the data of an entry.
    fn unpack(&self, pack: u32, entry: u32, reader: &mut Reader) -> Result<Vec<u8>, ObjectError> {
        let Pack { file, index } = &self.packs[pack as usize];
        let header = file.entry(index.offsets()[entry as usize])?;
        if header.size > self.limit {
            return Err(ObjectError::TooLarge { size: header.size, limit: self.limit });
        }
        let packed = file.slice(header.data, index.end_of(entry, file.end()).min(file.end()))?;
        let mut bytes = Vec::new();
        reader.inflater.inflate(packed, header.size as usize, &mut bytes)?;
        Ok(bytes)
    }

    /// The entry of the object `name`, in `first` if it is there, else in any pack.
    fn locate(&self, name: &Oid, first: u32) -> Option<(u32, u32)> {
        let find = |at: u32| self.packs[at as usize].index.find(name).map(|entry| (at, entry));
        find(first).or_else(|| (0..self.packs.len() as u32).find_map(find))
    }
}
