//! A disk that is really full and a mount that is really read-only.
//!
//! Needs name spaces of its own (`unshare`); where the machine has none, these tests fail and say so.
#![cfg(target_os = "linux")]

mod needs_tools {
    use std::path::Path;
    use std::process::Command;

    use crate::support::git::GitRepo;
    use crate::support::secret::stripe_key;
    use crate::support::tool::{Run, program, run};

    fn leaking() -> GitRepo {
        let repo = GitRepo::new();
        repo.write("a.txt", format!("KEY={}\n", stripe_key(1))).commit("leak");
        repo
    }

    /// Runs `script` where `mount` and `umount` are allowed. `$k` is the program, `$r` the repository,
    /// `$d` an empty directory to mount on. What it prints is checked by the caller; it must end well.
    fn mounting(repo: &GitRepo, script: &str) -> Run {
        let place = repo.outside().join("mnt");
        std::fs::create_dir(&place).expect("a directory");
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount", "sh", "-euc", script]);
        unshare.env("k", program()).env("r", repo.path()).env("d", &place).env("HOME", &place);
        unshare.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        // Settings of whoever runs the tests; unknown ones are warned of.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KEYCULL_"))
        {
            unshare.env_remove(name);
        }
        let run: Run = unshare.output().expect("unshare (util-linux) is installed").into();
        assert_eq!(
            run.code, 0,
            "this machine does not allow mounts in a name space:\n{}{}",
            run.stdout, run.stderr
        );
        run
    }

    /// A shell function that runs the program and prints a name, its exit code and what it said.
    const TRY: &str = "try() { n=$1; shift; c=0; \"$k\" \"$@\" >\"/dev/shm/o.$$\" 2>&1 || c=$?; \
                       echo \"$n=$c $(tr '\\n' ' ' <\"/dev/shm/o.$$\")\"; rm \"/dev/shm/o.$$\"; }\n";

    #[track_caller]
    fn line<'r>(run: &'r Run, name: &str) -> &'r str {
        let found = run.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name} in {}{}", run.stdout, run.stderr))
    }

    #[track_caller]
    fn failed(run: &Run, name: &str, code: i32, because: &str) {
        let said = line(run, name);
        assert!(said.starts_with(&format!("{code} ")), "{name}: {said}");
        assert!(said.contains(because), "{name}: {said}");
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn a_full_disk_keeps_what_was_there() {
        let repo = leaking();
        let script = format!(
            "{TRY}mount -t tmpfs -o size=2m tmpfs \"$d\"\n\
             cp -r \"$r\" \"$d/repo\"; cd \"$d/repo\"; echo old >../report.json\n\
             try first scan --history-only --incremental\n\
             echo 'KEY = nothing' >b.txt; git add .\n\
             git -c user.name=A -c user.email=a@example.org commit -qm two\n\
             cat /dev/zero >../fill 2>/dev/null || true\n\
             try report scan --format json --output ../report.json\n\
             try state scan --history-only --incremental\n\
             try again scan --history-only --incremental\n\
             try baseline baseline create --reason known\n\
             try init init\n\
             echo old=$(cat ../report.json)\n\
             echo left=$(ls -A .. . | tr '\\n' ' ')\n\
             rm ../fill\n\
             try later scan --history-only --incremental\n\
             try created baseline create --reason known\n\
             try made init\n"
        );
        let run = mounting(&repo, &script);
        failed(&run, "first", 1, "");
        failed(&run, "report", 2, "No space left");
        // What was found is told all the same; that nothing could be kept is a warning.
        failed(&run, "state", 1, "cannot keep what was seen");
        failed(&run, "again", 1, "cannot keep what was seen");
        failed(&run, "baseline", 2, "No space left");
        failed(&run, "init", 2, "No space left");
        assert_eq!(line(&run, "old"), "old");
        let left: Vec<&str> = line(&run, "left").split(' ').collect();
        let expected = ["..:", ".local", "fill", "repo", "report.json", ".:", ".git", "a.txt", "b.txt"];
        assert!(left.iter().all(|name| name.is_empty() || expected.contains(name)), "{left:?}");
        failed(&run, "later", 1, "");
        failed(&run, "created", 0, "");
        failed(&run, "made", 0, "");
        assert!(!line(&run, "later").contains("cannot keep"), "{}", line(&run, "later"));
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn a_read_only_mount_is_scanned_and_what_must_be_written_is_an_error() {
        let repo = leaking();
        run(repo.path(), &["scan", "--history-only", "--incremental"]).expect(1);
        repo.write("b.txt", "nothing\n").commit("two");
        let script = format!(
            "{TRY}mount --bind \"$r\" \"$d\"; mount -o remount,bind,ro \"$d\"; cd \"$d\"\n\
             if touch probe 2>/dev/null; then echo it can be written to; exit 9; fi\n\
             try tree scan\n\
             try staged scan --staged\n\
             try report scan --format json --output report.json\n\
             try state scan --history-only --incremental\n\
             try baseline baseline create --reason known\n\
             try init init\n\
             try hook hook install\n"
        );
        let run = mounting(&repo, &script);
        failed(&run, "tree", 1, "");
        assert!(!line(&run, "tree").contains("INCOMPLETE"), "{}", line(&run, "tree"));
        failed(&run, "staged", 0, "");
        failed(&run, "report", 2, "Read-only file system");
        failed(&run, "state", 1, "cannot keep what was seen");
        failed(&run, "baseline", 2, "Read-only file system");
        failed(&run, "init", 2, "Read-only file system");
        failed(&run, "hook", 2, "Read-only file system");
        assert!(!Path::new(&repo.path().join("report.json")).exists());
    }
}
