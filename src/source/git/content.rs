//! Single objects by name, for whoever has to look at a place again.

use gix::objs::Kind;

use super::lookup::Lookup;
use super::repository::Repository;
use crate::finding::Oid;

/// Largest object read, in bytes.
const MOST_BYTES: usize = 1 << 30;

impl Repository {
    /// Content of the object `id` as it is scanned: blobs, commits and tags as they are, of trees
    /// the names, one a line.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, in words.
    pub fn content(&self, id: Oid) -> Result<Vec<u8>, String> {
        let name = gix::ObjectId::try_from(id.as_bytes()).map_err(|error| error.to_string())?;
        if name.kind() != self.hash_kind() {
            return Err("the object name is of another kind of repository".to_owned());
        }
        let mut lookup = Lookup::new(self);
        let (kind, data) = lookup.read(&name).map_err(|unread| unread.why)?;
        if data.len() > MOST_BYTES {
            return Err("the object is too large to be read again".to_owned());
        }
        Ok(match kind {
            Kind::Tree => names(data, id.as_bytes().len()),
            Kind::Blob | Kind::Commit | Kind::Tag => data.to_vec(),
        })
    }
}

/// The names in a tree: `<mode> <name>\0<object>` over and over.
fn names(mut tree: &[u8], id_length: usize) -> Vec<u8> {
    let mut names = Vec::new();
    while let Some(end) = memchr::memchr(0, tree) {
        let start = memchr::memchr(b' ', &tree[..end]).map_or(0, |space| space + 1);
        names.extend_from_slice(&tree[start..end]);
        names.push(b'\n');
        tree = tree.get(end + 1 + id_length..).unwrap_or_default();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_of_a_tree_are_lines() {
        let tree = [b"100644 a b.txt\0".as_slice(), &[0; 20], b"40000 dir\0", &[7; 20]].concat();
        assert_eq!(names(&tree, 20), b"a b.txt\ndir\n");
        assert_eq!(names(b"broken", 20), b"");
        assert_eq!(names(b"100644 cut\x00123", 20), b"cut\n");
    }
}
