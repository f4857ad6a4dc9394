//! Writes first inputs for the fuzz targets into `corpus/<target>/`: `cargo run --bin seeds`.
//!
//! They are made when they are wanted, so that no packs and no token-shaped text lie in the
//! repository.

use std::fs;
use std::path::Path;
use std::process::Command;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    pack(&corpus.join("pack"))
}

/// Small packs of real repositories, and recipes for each kind of entry.
fn pack(to: &Path) -> Done {
    fs::create_dir_all(to)?;
    let dir = tempfile::tempdir()?;
    let git = |args: &[&str]| -> Done {
        let status = Command::new("git")
            .current_dir(dir.path())
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "gc.auto=0"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .status()?;
        if status.success() { Ok(()) } else { Err(format!("git {args:?}: {status}").into()) }
    };
    git(&["init", "-q", "."])?;
    for round in 0..4_usize {
        let text: String =
            (0..40).map(|line| format!("line {line} of round {}\n", line * round / 7)).collect();
        fs::write(dir.path().join("file.txt"), text)?;
        git(&["add", "."])?;
        git(&["commit", "-q", "-m", "one more"])?;
    }
    git(&["tag", "-a", "-m", "a tag", "v1"])?;
    for (name, depth, version) in [("flat", "0", "2"), ("deep", "50", "2"), ("old", "50", "1")] {
        git(&[
            "-c",
            &format!("pack.indexVersion={version}"),
            "repack",
            "-qadf",
            &format!("--depth={depth}"),
        ])?;
        let packs = fs::read_dir(dir.path().join(".git/objects/pack"))?;
        for path in packs
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "pack"))
        {
            let (pack, index) = (fs::read(&path)?, fs::read(path.with_extension("idx"))?);
            let (pack, index) = (&pack[..pack.len() - 20], &index[..index.len() - 40]);
            let length = (pack.len() as u16).to_le_bytes();
            fs::write(to.join(format!("raw-{name}")), [&[0][..], &length, pack, index].concat())?;
            fs::write(to.join(format!("raw-{name}-no-index")), [&[2][..], &length, pack].concat())?;
        }
    }
    // Kind and flags, [base], length, data: a blob, an offset delta and a named delta of it.
    let delta = [12, 12, 0x90, 6, 6, b'w', b'o', b'r', b'l', b'd', b'!'];
    let entries = [
        &[3 | 8, 12][..],
        b"hello, there",
        &[6 | 8, 0, delta.len() as u8],
        &delta,
        &[7 | 8, 0, delta.len() as u8],
        &delta,
        &[3 | 16, 4],
        b"size",
        &[0xfc, 0xff],
    ]
    .concat();
    for mode in [1_u8, 3, 5] {
        fs::write(to.join(format!("recipe-{mode}")), [&[mode][..], &entries].concat())?;
    }
    Ok(())
}
