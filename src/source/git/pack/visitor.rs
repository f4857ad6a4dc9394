//! What the traversal asks of whoever uses it.

use std::io::Read;

use super::delta::DeltaMap;
use super::error::ObjectError;
use super::index::Index;
use super::object::ObjectKind;
use crate::finding::Oid;

/// Does something with every object. Called from many threads at once.
///
/// Each object of a wanted kind is passed exactly once, either to [`root`](Self::root) or to
/// [`child`](Self::child), whatever the number of its copies. Which of the two is an accident of how
/// git packed it: results must not depend on it.
pub trait Visitor: Sync {
    /// Scratch space of one thread.
    type Local: Send;
    /// What is known of an object that helps with its deltas; dropped when the last of them is done.
    type State: Send + Sync;

    /// Scratch space for a thread that starts.
    fn local(&self) -> Self::Local;

    /// Whether objects of this kind are to be passed. Others are not even decompressed.
    fn wants(&self, kind: ObjectKind) -> bool;

    /// An object of which nothing is known yet.
    fn root(&self, local: &mut Self::Local, object: &Object<'_>) -> Self::State;

    /// An object that is stored as a delta of one that was passed before.
    fn child(
        &self,
        local: &mut Self::Local,
        object: &Object<'_>,
        base: &Base<'_, Self::State>,
        delta: &DeltaMap,
    ) -> Self::State;

    /// An object of `size` bytes that is too large to be held, to be read from front to back. `object` has no
    /// bytes. True when it was looked at; otherwise it becomes a gap.
    ///
    /// # Errors
    /// Why it is not looked at, for the gap. Whether the content could be read to its end is known without.
    fn large(
        &self,
        _local: &mut Self::Local,
        _object: &Object<'_>,
        _size: u64,
        _content: &mut dyn Read,
    ) -> Result<bool, ObjectError> {
        Ok(false)
    }

    /// Asked between objects: whether to stop.
    fn cancelled(&self) -> bool;
}

/// An object as it is passed to a [`Visitor`].
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// What it is.
    pub kind: ObjectKind,
    /// Its content.
    pub bytes: &'a [u8],
    /// Whether deltas of it follow: if not, the state made for it is of no use to anyone.
    pub has_children: bool,
    pub(super) name: Name<'a>,
}

impl Object<'_> {
    /// Its name. Looked up on each call, since few visitors ask for more than a few.
    #[must_use]
    pub fn id(&self) -> Oid {
        match self.name {
            Name::Known(name) => name,
            Name::Packed(index, entry) => index.name(entry),
        }
    }

    /// Whether it is in no pack.
    #[must_use]
    pub const fn is_loose(&self) -> bool {
        matches!(self.name, Name::Known(_))
    }
}

/// Where the name of an object is.
#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    Known(Oid),
    Packed(&'a Index, u32),
}

/// The base of a delta.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a, S> {
    /// Its content.
    pub bytes: &'a [u8],
    /// What the visitor returned for it.
    pub state: &'a S,
}
