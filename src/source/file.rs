//! Opening files of a tree that somebody else may be changing, or has laid traps in.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading, and tells its size; none when it is something else.
///
/// A FIFO put in its place does not block, a terminal does not become ours, and a symbolic link
/// is not followed.
///
/// # Errors
/// When the file cannot be opened, also because it has become a symbolic link.
pub(crate) fn open_regular(path: &Path) -> io::Result<Option<(File, u64)>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata.len())))
}

/// Content of a small regular file; none when there is no such file, or it is over `limit` bytes.
pub(crate) fn read_small(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let (file, len) = open_regular(path).ok()??;
    let mut content = Vec::with_capacity(len.min(limit) as usize);
    file.take(limit + 1).read_to_end(&mut content).ok()?;
    (content.len() as u64 <= limit).then_some(content)
}
