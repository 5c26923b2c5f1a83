//! Writing that ends half-way: a full disk, a folder that cannot be written, a killed process. The
//! target is as it was before, or as it should be; never something between.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use almscript::solution::Package;

use crate::command::alm;
use crate::{corpus, state};

const PROGRAM: &str = env!("CARGO_BIN_EXE_alm");

/// Writes `one.zip` and `two.zip`: many files, nearly all of them changed, some gone and some new,
/// and one that is larger than all others together.
fn packages(here: &Path, count: usize) {
    for (version, name) in ["one.zip", "two.zip"].into_iter().enumerate() {
        let mut package = corpus::package("04-column-security", "unmanaged.zip");
        for index in 0..count {
            // A seventh of the files is only in one, and another seventh only in the other.
            if index % 7 == version {
                continue;
            }
            let part = format!("customapis/api{}/file{index}.json", index / 20);
            let same = index % 7 == 6;
            let data = if same {
                "{}".to_owned()
            } else {
                format!("{{\"v\":{version}}}")
            };
            package.set_part(part, data.into_bytes()).unwrap();
        }
        if version == 1 {
            package
                .set_part("bots/pub_new/bot.xml", b"<bot />".to_vec())
                .unwrap();
            let mut noise = Moments(1);
            let noise: Vec<u8> = (0..900_000).map(|_| (noise.next() * 256.0) as u8).collect();
            package.set_part("aiplugins/large.bin", noise).unwrap();
        }
        package.declare_content_types();
        fs::write(here.join(name), package.to_zip().unwrap()).unwrap();
    }
}

/// A home with both packages, `one.zip` unpacked into `src` and packed into `out.zip`.
fn home(count: usize) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    packages(home.path(), count);
    assert_eq!(
        alm(home.path(), &["unpack", "-z", "one.zip", "-f", "src"]).code,
        0
    );
    assert_eq!(
        alm(home.path(), &["pack", "-z", "out.zip", "-f", "src"]).code,
        0
    );
    home
}

/// Runs a command that fails while it writes: exit code 1, the file named, everything as it was.
#[track_caller]
fn fails(here: &Path, mut command: Command, named: &str) {
    let before = state::of(here);
    let output = command.current_dir(here).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains(named) && told.contains("error[ALM-"),
        "{told}"
    );
    state::assert_same(&before, &state::of(here), &told);
}

/// `alm` in a shell that lets no file grow beyond 200 KB or so, as a full disk does.
#[cfg(unix)]
fn on_a_full_disk(arguments: &str) -> Command {
    let mut command = Command::new("sh");
    // Without the trap the limit would kill the process instead of failing the write.
    command.args([
        "-c",
        &format!("trap '' XFSZ; ulimit -f 400; exec \"$0\" solution {arguments}"),
        PROGRAM,
    ]);
    command
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_the_folder_and_the_package_as_they_were() {
    let home = home(40);
    let here = home.path();
    fails(
        here,
        on_a_full_disk("unpack -z two.zip -f src --allowDelete"),
        "large.bin",
    );
    fails(
        here,
        on_a_full_disk("unpack -z two.zip -f new"),
        "large.bin",
    );
    fails(
        here,
        on_a_full_disk("unpack -z two.zip -f far/new"),
        "large.bin",
    );
    assert_eq!(alm(here, &["unpack", "-z", "two.zip", "-f", "src"]).code, 0);
    fails(here, on_a_full_disk("pack -z out.zip -f src"), "out.zip");
    fails(
        here,
        on_a_full_disk("pack -z far/new.zip -f src"),
        "new.zip",
    );
}

#[test]
fn something_in_the_way_leaves_the_folder_as_it_was() {
    let unpack = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["solution", "unpack", "-z", "two.zip", "-f", "src"])
            .args(more);
        command
    };
    // A file where a folder must be.
    let first = home(40);
    fs::write(first.path().join("src/bots"), "in the way").unwrap();
    fails(first.path(), unpack(&[]), "bots");
    // A folder where a file must be, deep inside a folder that is new otherwise.
    let second = home(40);
    fs::create_dir_all(second.path().join("src/bots/pub_new/bot.xml/deep")).unwrap();
    fs::write(
        second.path().join("src/bots/pub_new/bot.xml/deep/file"),
        "mine",
    )
    .unwrap();
    fails(second.path(), unpack(&["--allowWrite"]), "bot.xml");
    // The folder itself is a file.
    let third = home(0);
    fs::remove_dir_all(third.path().join("src")).unwrap();
    fs::write(third.path().join("src"), "in the way").unwrap();
    fails(third.path(), unpack(&[]), "src");
    // Empty folders that a failure leaves behind would be a change too.
    let fourth = home(0);
    fs::create_dir_all(fourth.path().join("src/customapis")).unwrap();
    fs::create_dir_all(fourth.path().join("src/bots/pub_new/bot.xml/deep")).unwrap();
    fs::write(
        fourth.path().join("src/bots/pub_new/bot.xml/deep/file"),
        "mine",
    )
    .unwrap();
    packages(fourth.path(), 100);
    fails(fourth.path(), unpack(&[]), "bot.xml");
}

#[test]
fn files_that_may_not_be_overwritten_are_named_before_anything_changes() {
    let home = home(40);
    for name in ["customapis/api0/file2.json", "customapis/api1/file30.json"] {
        let path = home.path().join("src").join(name);
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
    }
    let mut command = Command::new(PROGRAM);
    command.args(["solution", "unpack", "-z", "two.zip", "-f", "src"]);
    fails(home.path(), command, "customapis/api0/file2.json");
    let clobber = alm(
        home.path(),
        &["unpack", "-z", "two.zip", "-f", "src", "--clobber"],
    );
    assert_eq!(clobber.code, 0, "{}", clobber.err);
}

/// Runs a shell script as the root of its own name space, where it can mount; false if this system
/// does not let it.
#[cfg(target_os = "linux")]
fn in_own_mounts(here: &Path, script: &str) -> bool {
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-euc",
            script,
            PROGRAM,
        ]);
        command.current_dir(here).stdin(Stdio::null()).output()
    };
    let allowed = run("mkdir -p probe && mount -t tmpfs -o size=64k none probe");
    let _ = fs::remove_dir(here.join("probe"));
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this system lets nobody mount a file system of her own");
        return false;
    }
    let output = run(script).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    true
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_space_is_left_as_it_was() {
    let home = home(200);
    let here = home.path();
    let script = "
        mkdir disk before after
        # The small files of both packages fit beside each other, the large one does not any more.
        mount -t tmpfs -o size=2000k none disk
        \"$0\" solution unpack -z one.zip -f disk/src
        cp -a disk/. before
        \"$0\" solution unpack -z two.zip -f disk/src --allowDelete 2>told && exit 9
        cp -a disk/. after
        \"$0\" solution unpack -z two.zip -f disk/new 2>told-new && exit 9
        test ! -e disk/new
        \"$0\" solution unpack -z two.zip -f src
        cp one.zip disk/out.zip
        dd if=/dev/zero of=disk/filler bs=1k 2>/dev/null || true
        \"$0\" solution pack -z disk/out.zip -f src 2>told-pack && exit 9
        cmp disk/out.zip one.zip";
    if in_own_mounts(here, script) {
        for told in ["told", "told-pack"] {
            let told = fs::read_to_string(here.join(told)).unwrap();
            assert!(told.contains("No space left"), "{told}");
        }
        let (before, after) = (
            state::of(&here.join("before")),
            state::of(&here.join("after")),
        );
        assert!(before.len() > 200, "{}", before.len());
        state::assert_same(&before, &after, "a full disk");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_deep_inside_leaves_the_others_as_they_were() {
    let home = home(200);
    let here = home.path();
    let script = "
        cp -a src before
        mount --bind src/customapis/api5 src/customapis/api5
        mount -o remount,bind,ro src/customapis/api5
        \"$0\" solution unpack -z two.zip -f src --allowDelete --clobber 2>told && exit 9
        cp -a src after";
    if in_own_mounts(here, script) {
        let told = fs::read_to_string(here.join("told")).unwrap();
        assert!(told.contains("customapis/api5/"), "{told}");
        let (before, after) = (
            state::of(&here.join("before")),
            state::of(&here.join("after")),
        );
        state::assert_same(&before, &after, &told);
    }
}

/// How often a process is killed. `ALM_KILLS=200 cargo test --test packer killed` is the long way.
fn kills() -> u32 {
    let kills = std::env::var("ALM_KILLS").ok();
    kills.and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// Fractions of one, the same in every run.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Runs `alm solution …` and kills it: at a moment of its whole run, or at one after it has begun
/// to touch the folder.
fn killed(here: &Path, arguments: &[&str], length: Duration, touched: Option<&Path>, part: f64) {
    let mut process = Command::new(PROGRAM)
        .current_dir(here)
        .arg("solution")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let staging = |folder: &Path| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with(".alm-"))
        })
    };
    while touched.is_some_and(|folder| !staging(folder)) && started.elapsed() < length * 2 {
        std::hint::spin_loop();
    }
    let rest = length.saturating_sub(started.elapsed());
    std::thread::sleep(rest.mul_f64(part));
    // One that was faster this time has simply ended.
    let _ = process.kill();
    process.wait().unwrap();
}

#[test]
fn a_killed_unpack_leaves_the_old_tree_or_the_new_one() {
    let home = home(2000);
    let here = home.path();
    let src = here.join("src");
    let unpack = |zip| ["unpack", "-z", zip, "-f", "src", "--allowDelete"];
    // Folders that only one package has and no solution is known to have are never deleted, so the
    // first tree is another one once the second was there.
    let mut states = Vec::new();
    let mut length = Duration::ZERO;
    for zip in ["two.zip", "one.zip", "two.zip"] {
        let started = Instant::now();
        assert_eq!(alm(here, &unpack(zip)).code, 0);
        length = started.elapsed();
        states.push(state::of(&src));
    }
    states.remove(0);
    let mut moments = Moments(0x9E37_79B9_7F4A_7C15);
    let (mut now, mut changed) = (1, 0);
    for number in 0..kills() {
        let next = 1 - now;
        let zip = ["one.zip", "two.zip"][next];
        let part = moments.next();
        let touched = (number % 4 != 0).then_some(&*src);
        killed(here, &unpack(zip), length, touched, part);
        // The next call that reads the folder finds one of the two, and leaves nothing behind.
        let told = alm(here, &["pack", "-z", "now.zip", "-f", "src"]);
        assert_eq!(told.code, 0, "killed at {part}: {}", told.err);
        let after = state::of(&src);
        if after == states[next] {
            (now, changed) = (next, changed + 1);
        } else {
            state::assert_same(&states[now], &after, &format!("killed at {part}"));
        }
        let packed = Package::from_zip(&fs::read(here.join("now.zip")).unwrap()).unwrap();
        let second = packed.find("customapis/api0/file0.json").is_some();
        assert_eq!(second, now == 1, "the package is not that of the folder");
    }
    println!("{changed} of {} were too late to be stopped", kills());
    assert_eq!(alm(here, &unpack(["one.zip", "two.zip"][1 - now])).code, 0);
    state::assert_same(&states[1 - now], &state::of(&src), "the next unpack");
}

/// Starts an unpack and kills it while files are moved, which takes a few milliseconds: false if it
/// was over before it was seen.
#[cfg(unix)]
fn killed_while_moving(here: &Path, arguments: &[&str]) -> bool {
    let mut process = Command::new(PROGRAM)
        .current_dir(here)
        .arg("solution")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let moving = || {
        fs::read_dir(here.join("src")).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.path().join("journal.json").exists())
        })
    };
    while !moving() && process.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    let _ = process.kill();
    process.wait().unwrap();
    moving()
}

/// Every command that reads or writes the folder says what it has undone, an edit made in between
/// stays, and what was there before it is not lost.
#[cfg(unix)]
#[test]
fn an_edit_after_a_killed_unpack_stays_and_the_repair_is_told() {
    let home = home(3000);
    let here = home.path();
    let edited = "customapis/api0/file2.json";
    // Both versions of the edited file, and its folder as it was.
    let old = fs::read(here.join("src").join(edited)).unwrap();
    let before = state::of(&here.join("src"));
    let unpack = ["unpack", "-z", "two.zip", "-f", "src", "--allowDelete"];
    for command in [
        &["version", "src", "--plan"][..],
        &["normalise", "src", "--check"],
        &["pack", "-z", "now.zip", "-f", "src"],
        &["unpack", "-z", "one.zip", "-f", "src"],
    ] {
        let hit = (0..40).any(|_| {
            // One that was over before it was seen has to be taken back.
            let back = ["unpack", "-z", "one.zip", "-f", "src", "--allowDelete"];
            assert_eq!(alm(here, &back).code, 0);
            fs::remove_dir_all(here.join("src")).unwrap();
            assert_eq!(alm(here, &back).code, 0);
            killed_while_moving(here, &unpack)
        });
        assert!(hit, "no kill met the moment while files are moved");
        fs::write(here.join("src").join(edited), "edited").unwrap();
        let told = alm(here, command);
        assert!(told.err.contains("ALM-P142"), "{command:?}: {}", told.err);
        if command[0] == "unpack" {
            continue;
        }
        assert_eq!(
            fs::read(here.join("src").join(edited)).unwrap(),
            b"edited",
            "{command:?}"
        );
        let mut after = state::of(&here.join("src"));
        let kept = after
            .iter()
            .find(|(path, _)| path.contains(".alm-before-") && path.ends_with(edited));
        // Killed before it came to this file, the edit is one of the old version.
        if let Some((path, data)) = kept {
            assert_eq!(*data, old);
            assert!(told.err.contains(path), "{}", told.err);
        }
        after.retain(|path, _| !path.contains(".alm-before-"));
        after.insert(edited.to_owned(), old.clone());
        state::assert_same(&before, &after, &told.err);
    }
}

#[test]
fn a_killed_unpack_makes_a_new_folder_whole_or_not_at_all() {
    let home = home(1500);
    let here = home.path();
    let started = Instant::now();
    let unpack = ["unpack", "-z", "two.zip", "-f", "new/src"];
    assert_eq!(alm(here, &unpack).code, 0);
    let (length, whole) = (started.elapsed(), state::of(&here.join("new/src")));
    let mut moments = Moments(0x0123_4567_89AB_CDEF);
    for _ in 0..kills() / 2 {
        fs::remove_dir_all(here.join("new")).unwrap();
        let part = moments.next();
        killed(here, &unpack, length, None, part);
        let after = state::of(&here.join("new/src"));
        if !after.is_empty() {
            state::assert_same(&whole, &after, &format!("killed at {part}"));
        }
        assert_eq!(alm(here, &unpack).code, 0);
        let only = vec!["src".to_owned()];
        let found: Vec<String> = fs::read_dir(here.join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(found, only, "killed at {part}");
    }
}

#[test]
fn a_killed_pack_leaves_the_old_package_or_the_new_one() {
    let home = home(500);
    let here = home.path();
    let old = fs::read(here.join("out.zip")).unwrap();
    assert_eq!(
        alm(
            here,
            &["unpack", "-z", "two.zip", "-f", "src", "--allowDelete"]
        )
        .code,
        0
    );
    let started = Instant::now();
    assert_eq!(alm(here, &["pack", "-z", "new.zip", "-f", "src"]).code, 0);
    let (length, new) = (started.elapsed(), fs::read(here.join("new.zip")).unwrap());
    let mut moments = Moments(0x1357_9BDF_0246_8ACE);
    for number in 0..kills() {
        fs::write(here.join("out.zip"), &old).unwrap();
        let touched = (number % 2 == 0).then_some(here);
        killed(
            here,
            &["pack", "-z", "out.zip", "-f", "src"],
            length,
            touched,
            moments.next(),
        );
        let found = fs::read(here.join("out.zip")).unwrap();
        assert!(
            found == old || found == new,
            "{} bytes of something else",
            found.len()
        );
    }
}
