//! Standard input.

use std::io::{self, Read};

use keycull::finding::{GapKind, RepoPath};
use keycull::source::archive::Limits;
use keycull::source::{SourceError, Windows, stdin};

use super::recorder::Recorder;

/// Delivers some bytes, then fails.
struct Broken(&'static [u8]);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the pipe burst")),
            read => Ok(read),
        }
    }
}

#[test]
fn what_is_piped_in_is_scanned_under_its_name() {
    let recorder = Recorder::default();
    let name = Some(RepoPath::from("deploy.env"));
    let coverage =
        stdin::scan(&mut &b"needle"[..], name, Windows::default(), Limits::default(), &recorder).unwrap();
    assert_eq!((coverage.files, coverage.bytes), (1, 6));
    assert_eq!(recorder.origins(), ["stdin deploy.env"]);
}

#[test]
fn a_pipe_that_breaks_later_is_a_gap_and_its_start_is_scanned() {
    let recorder = Recorder::default();
    let coverage =
        stdin::scan(&mut Broken(b"first part"), None, Windows::default(), Limits::default(), &recorder)
            .unwrap();
    assert_eq!(coverage.gaps[0].kind, GapKind::Unreadable);
    assert_eq!(recorder.chunks()[0].bytes, b"first part");
}

#[test]
fn a_pipe_that_never_worked_is_an_error() {
    let error =
        stdin::scan(&mut Broken(b""), None, Windows::default(), Limits::default(), &Recorder::default());
    assert!(matches!(error, Err(SourceError::Stdin(_))));
}
