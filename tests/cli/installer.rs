//! The installer that a release publishes: what it installs is what was released, or nothing.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::tool::Run;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn it_knows_the_archives_of_the_release_and_runs_on_every_shell() {
    let (script, release) = (read("ci/install.sh"), read(".github/workflows/release.yml"));
    let words = script.lines().filter_map(|line| line.trim().split_once(") echo ")?.1.split(' ').next());
    let targets: Vec<&str> = words.filter(|word| !word.contains('$')).collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in targets {
        assert!(release.contains(&format!("target: {target} }}")), "{target} is not built");
    }
    assert!(script.contains("archive=keycull-$version-$target.tar.gz"));
    assert!(release.contains("ARCHIVE=keycull-$version-$TARGET.tar.gz"));
    assert!(release.contains(".ci/installer \"$version\" "), "the release fills it in");
    assert!(
        read("README.md").contains(&format!("/releases/download/v{VERSION}/install.sh\n")),
        "this version"
    );
    assert!(!script.contains('\r') && script.starts_with("#!/bin/sh\n"));
    for bash in ["[[ ", "function ", "local ", "<<<", "$'", "pipefail"] {
        assert!(!script.contains(bash), "{bash} is not for every shell");
    }
}

#[test]
fn a_copy_that_no_release_filled_in_installs_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/install.sh");
    let mut shell = Command::new("sh");
    let to = place.path().join("bin");
    let run: Run = shell.arg(script).arg("--to").arg(&to).output().expect("a shell").into();
    assert!(run.stderr.contains("this copy belongs to no release"), "{}", run.stderr);
    run.expect(1);
    assert!(!to.exists());
}

mod needs_tools {
    //! With curl or wget, and tar.

    use super::*;

    /// What the archive for `system` is called.
    fn archive(target: &str) -> String {
        format!("keycull-{VERSION}-{target}.tar.gz")
    }

    const LINUX: &str = "x86_64-unknown-linux-musl";

    /// A release with a program for Linux and one for macOS, in a directory, and its installer.
    struct Release {
        place: TempDir,
    }

    impl Release {
        fn new() -> Self {
            let place = tempfile::tempdir().expect("a directory");
            let release = Self { place };
            let mut sums = String::new();
            for target in [LINUX, "aarch64-apple-darwin"] {
                let packed = release.pack(target, &format!("#!/bin/sh\necho keycull {VERSION}\n"));
                let hash: String = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
                sums += &format!("{hash}  {}\n", archive(target));
            }
            sums += &format!("{}  keycull-{VERSION}-py3-none-any.whl\n", "0".repeat(64));
            fs::write(release.path("SHA256SUMS"), sums).expect("a file");
            let filled = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/installer"))
                .args([VERSION, "http://127.0.0.1:9/nowhere"])
                .arg(release.path("SHA256SUMS"))
                .output()
                .expect("it runs");
            assert!(filled.status.success());
            let script = String::from_utf8(filled.stdout).expect("text");
            assert!(!script.contains("@URL@") && !script.contains(".whl"), "{script}");
            fs::write(release.path("install.sh"), script).expect("a file");
            release
        }

        fn path(&self, name: &str) -> PathBuf {
            self.place.path().join(name)
        }

        /// Packs `program` as the release does, and gives the archive.
        fn pack(&self, target: &str, program: &str) -> Vec<u8> {
            let pack = self.path("pack");
            fs::create_dir_all(&pack).expect("a directory");
            fs::write(pack.join("keycull"), program).expect("a file");
            fs::write(pack.join("README.md"), "read me\n").expect("a file");
            let file = self.path(&archive(target));
            let mut tar = Command::new("tar");
            let packed = tar.arg("-C").arg(&pack).arg("-czf").arg(&file).arg(".").status();
            assert!(packed.expect("tar is installed").success());
            fs::read(file).expect("an archive")
        }

        /// Runs the installer on a system of that name; gives what it said, and what it left.
        fn install(&self, system: (&str, &str), more: &[&str]) -> (Run, Vec<String>) {
            let tools = self.path("tools");
            fs::create_dir_all(&tools).expect("a directory");
            let uname =
                format!("#!/bin/sh\ncase $1 in -s) echo {} ;; *) echo {} ;; esac\n", system.0, system.1);
            fs::write(tools.join("uname"), uname).expect("a file");
            fs::set_permissions(tools.join("uname"), fs::Permissions::from_mode(0o755)).expect("permissions");
            let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a PATH"));
            let mut shell = Command::new("sh");
            shell.arg(self.path("install.sh")).args(more).env_clear();
            shell.env("PATH", path).env("HOME", self.path("home"));
            let run = shell.output().expect("a shell").into();
            let bin = self.path("home/.local/bin");
            let left = fs::read_dir(bin).into_iter().flatten();
            let mut left: Vec<String> = left
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect();
            left.sort();
            (run, left)
        }

        fn from(&self) -> String {
            format!("file://{}", self.place.path().display())
        }
    }

    /// What a server says to a request for a path.
    #[derive(Clone)]
    enum Answer {
        Whole(Vec<u8>),
        /// The connection ends before everything was sent.
        Half(Vec<u8>),
        /// Look there.
        Moved(String),
    }

    /// A server on loopback; gives its address.
    fn serve(answers: BTreeMap<String, Answer>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &answers);
            }
        });
        format!("http://{address}")
    }

    fn answer(mut stream: TcpStream, answers: &BTreeMap<String, Answer>) {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            request.push(byte[0]);
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (head, body) = match answers.get(path) {
            Some(Answer::Whole(body)) => (format!("200 OK\r\nContent-Length: {}", body.len()), body.clone()),
            Some(Answer::Half(body)) => {
                (format!("200 OK\r\nContent-Length: {}", body.len()), body[..body.len() / 2].to_vec())
            }
            Some(Answer::Moved(to)) => {
                (format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"), Vec::new())
            }
            None => ("404 Not Found\r\nContent-Length: 0".to_owned(), Vec::new()),
        };
        // NOTE: the client may have gone; it then says so itself.
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(&body);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn what_was_released_is_installed() {
        let release = Release::new();
        let file = fs::read(release.path(&archive(LINUX))).expect("an archive");
        let server = serve([(format!("/v/{}", archive(LINUX)), Answer::Whole(file))].into());
        let from = format!("{server}/v");
        let (run, left) = release.install(("Linux", "x86_64"), &["--from", &from]);
        assert!(
            run.stdout.contains(&format!("installed keycull {VERSION} as ")),
            "{}{}",
            run.stdout,
            run.stderr
        );
        assert!(run.stdout.contains("is not on PATH"), "{}", run.stdout);
        run.expect(0);
        assert_eq!(left, ["keycull"]);
        let mode =
            fs::metadata(release.path("home/.local/bin/keycull")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        // Again, over what is there; from files; for another system; to another place.
        let from = release.from();
        release.install(("Linux", "amd64"), &["--from", &from]).0.expect(0);
        release.install(("Darwin", "arm64"), &["--from", &from]).0.expect(0);
        let elsewhere = release.path("some where/bin").display().to_string();
        release.install(("Linux", "x86_64"), &["--from", &from, "--to", &elsewhere]).0.expect(0);
        assert!(Path::new(&elsewhere).join("keycull").is_file());
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn whatever_goes_wrong_nothing_is_left_and_the_old_one_stays() {
        let release = Release::new();
        let good = fs::read(release.path(&archive(LINUX))).expect("an archive");
        let other = release.pack(LINUX, "#!/bin/sh\necho evil >&2\n");
        let name = |place: &str| format!("/{place}/{}", archive(LINUX));
        let server = serve(
            [
                (name("other"), Answer::Whole(other)),
                (name("empty"), Answer::Whole(Vec::new())),
                (name("half"), Answer::Half(good.clone())),
                (name("moved"), Answer::Moved("http://127.0.0.1:9/plain".to_owned())),
            ]
            .into(),
        );
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let cases = [
            (format!("{server}/other"), "is not what was released"),
            (format!("{server}/empty"), "is not what was released"),
            (format!("{server}/half"), "could not be downloaded"),
            (format!("{server}/moved"), "could not be downloaded"),
            (format!("{server}/gone"), "could not be downloaded"),
            (format!("http://{nobody}"), "could not be downloaded"),
            ("file:///no/such/place".to_owned(), "could not be downloaded"),
        ];
        for old in [false, true] {
            let bin = release.path("home/.local/bin/keycull");
            if old {
                fs::create_dir_all(bin.parent().expect("a directory")).expect("directories");
                fs::write(&bin, "the old one").expect("a file");
            }
            for (from, why) in &cases {
                let (run, left) = release.install(("Linux", "x86_64"), &["--from", from]);
                assert!(run.stderr.contains(why), "{from}: {}", run.stderr);
                assert!(!run.stderr.contains("evil"), "it was not started: {}", run.stderr);
                run.expect(1);
                assert_eq!(left, vec!["keycull"; usize::from(old)], "{from}");
                assert!(!old || fs::read_to_string(&bin).expect("a file") == "the old one", "{from}");
            }
        }
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn systems_and_programs_it_cannot_serve_are_named() {
        let release = Release::new();
        let from = release.from();
        for (system, why) in [
            (("SunOS", "sparc64"), "there is no program for SunOS on sparc64"),
            (("Linux", "riscv64"), "there is no program for Linux on riscv64"),
            (("MINGW64_NT-10.0", "x86_64"), "this release has no checksum for "),
        ] {
            let (run, left) = release.install(system, &["--from", &from]);
            assert!(run.stderr.contains(why), "{}", run.stderr);
            run.expect(1);
            assert_eq!(left, [""; 0]);
        }
        for wrong in [&["--to"][..], &["--with", "x"], &["here"]] {
            release.install(("Linux", "x86_64"), wrong).0.expect(2);
        }
        // A release whose program does not start, or is another version: its checksum is right.
        for (program, why) in
            [("#!/bin/sh\nexit 1\n", "does not run here"), ("#!/bin/sh\necho keycull 9\n", "not keycull")]
        {
            let packed = release.pack(LINUX, program);
            let hash: String = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
            let script = fs::read_to_string(release.path("install.sh")).expect("a script");
            let line =
                script.lines().find(|line| line.ends_with(&archive(LINUX))).expect("its checksum").to_owned();
            let script = script.replace(&line, &format!("{hash}  {}", archive(LINUX)));
            fs::write(release.path("install.sh"), script).expect("a file");
            let (run, left) = release.install(("Linux", "x86_64"), &["--from", &from]);
            assert!(run.stderr.contains(why), "{}", run.stderr);
            run.expect(1);
            assert_eq!(left, [""; 0]);
        }
    }
}
