//! How fast the packer is, as ratios in one run: `cargo bench --bench packer`.
//!
//! The package is `corpus/07` scaled to 30 MB of customizations and some 4,400 files. Every time is
//! the best of several runs (`RUNS=9` changes their number) with a warm cache. What the ratios should
//! be stands beside them. The marks are programs of this folder: what any program must do (inflate
//! and write, read and deflate), on one thread and on all; a program that holds the document in
//! memory and takes it apart; and one with a faster, read-only document.
//!
//! `alm` is the library in this process, but for the second unpacking and the memory: there it is the
//! program itself, since what it remembers of the first is the program's affair.

mod mutable_dom;
mod readonly_dom;
mod scaled;

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use almscript::solution::{
    PackOptions, Package, SourceTree, UnpackOptions, WriteOptions, pack, unpack,
};
use rayon::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

fn main() {
    let runs = std::env::var("RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(5);
    let zip = scaled::package(30 << 20);
    let package = Package::from_zip(&zip).expect("the scaled package is sound");
    let tree = unpack(&package, &UnpackOptions::default())
        .expect("it unpacks")
        .tree;
    let customizations = package.part("customizations.xml").map_or(0, <[u8]>::len);
    println!(
        "package: {:.1} MB customizations, {} parts, {} files unpacked; {} threads, best of {runs} runs",
        customizations as f64 / 1e6,
        package.parts().len(),
        tree.len(),
        rayon::current_num_threads()
    );
    let home = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench {
        home: home.path(),
        runs,
    };
    unpacking(&bench, &zip, &tree);
    packing(&bench, &package, &tree);
    in_memory(&bench, &zip, &package, &tree);
    program(&bench, &zip, customizations);
    per_component(&bench);
}

fn unpacking(bench: &Bench<'_>, zip: &[u8], tree: &SourceTree) {
    let plain = bench.fresh("plain", |dir| {
        inflate_plainly(zip);
        write_plainly(tree, dir);
    });
    let all_cores = bench.fresh("cores", |dir| {
        inflate_plainly(zip);
        write_on_all_cores(tree, dir);
    });
    let ours = bench.fresh("alm", |dir| unpack_into(zip, dir));
    let dom = bench.fresh("dom", |dir| mutable_dom::unpack(zip, dir));
    let readonly = bench.fresh("readonly", |dir| readonly_dom::unpack(zip, dir));
    compare(
        "unpack",
        "inflate and write",
        ours,
        [plain, all_cores, dom, readonly],
    );
}

fn packing(bench: &Bench<'_>, package: &Package, tree: &SourceTree) {
    let kept = bench.home.join("kept");
    write_on_all_cores(tree, &kept);
    let plain = bench.time(|| {
        let files = paths(tree).map(|path| fs::read(kept.join(path)).expect("readable"));
        deflate_plainly(files)
    });
    let all_cores = bench.time(|| {
        let paths: Vec<_> = paths(tree).collect();
        paths
            .par_iter()
            .map(|path| deflate_plainly([fs::read(kept.join(path)).expect("readable")].into_iter()))
            .collect::<Vec<_>>()
    });
    let ours = bench.time(|| {
        let tree = SourceTree::from_dir(&kept).expect("readable");
        let packed = pack(&tree, &PackOptions::default()).expect("it packs");
        packed.into_package().to_zip().expect("sound")
    });
    let dom = bench.time(|| mutable_dom::pack(&kept, package.parts()));
    let readonly = bench.time(|| readonly_dom::pack(&kept, package.parts()));
    compare(
        "pack",
        "read and deflate",
        ours,
        [plain, all_cores, dom, readonly],
    );
}

/// One table: `alm` beside a plain copy, the same on all cores, and the two documents.
fn compare(title: &str, plainly: &str, ours: f64, others: [f64; 4]) {
    let [plain, all_cores, dom, readonly] = others;
    println!("\n{title:<32}time    ratio");
    line("alm", ours, None, "");
    let most = "alm takes at most 1.5 of it";
    line(plainly, plain, Some(ours / plain), most);
    let harder = "the same, a harder mark";
    line(
        "the same on all cores",
        all_cores,
        Some(ours / all_cores),
        harder,
    );
    line(
        "document in memory",
        dom,
        Some(dom / ours),
        "at least 10 times alm",
    );
    line("read-only document", readonly, Some(readonly / ours), "");
}

fn in_memory(bench: &Bench<'_>, zip: &[u8], package: &Package, tree: &SourceTree) {
    println!("\nsteps of alm, in memory");
    for (what, time) in [
        (
            "inflate",
            bench.time(|| Package::from_zip(zip).expect("sound")),
        ),
        (
            "unpack",
            bench.time(|| unpack(package, &UnpackOptions::default()).expect("it unpacks")),
        ),
        (
            "pack",
            bench.time(|| pack(tree, &PackOptions::default()).expect("it packs")),
        ),
        ("deflate", bench.time(|| package.to_zip().expect("sound"))),
    ] {
        line(what, time, None, "");
    }
}

/// The program: a second time into the same folder, and how much memory it takes.
fn program(bench: &Bench<'_>, zip: &[u8], customizations: usize) {
    let archive = bench.home.join("scaled.zip");
    fs::write(&archive, zip).expect("writable");
    let cache = bench.home.join("cache");
    let unpack = |dir: &Path| run(&cache, &["unpack", "-z"], &archive, dir);
    let first = bench.fresh("program", |dir| {
        unpack(dir);
    });
    let dir = bench.home.join("program-0");
    let memory = unpack(&bench.home.join("program-memory"));
    unpack(&dir);
    let second = bench.time(|| unpack(&dir));
    println!("\nthe program                     time    ratio");
    line("unpack", first, None, "");
    line(
        "unchanged tree",
        second,
        Some(second / first),
        "at most 0.33 of the first",
    );
    let packed = bench.home.join("packed.zip");
    let pack = run(&cache, &["pack", "-z"], &packed, &dir);
    for (what, peak) in [("unpack", memory), ("pack", pack)] {
        if let Some(peak) = peak {
            println!(
                "  {what:<22} {:>8.1} MB {:>8.2}   of the customizations at its peak, at most 3",
                peak / 1e6,
                peak / customizations as f64
            );
        }
    }
}

/// Runs `alm solution …` to its end; returns its peak memory in bytes, where the system tells it.
fn run(cache: &Path, arguments: &[&str], archive: &Path, dir: &Path) -> Option<f64> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_alm"))
        .arg("solution")
        .args(arguments)
        .arg(archive)
        .arg("-f")
        .arg(dir)
        .env("XDG_CACHE_HOME", cache)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // Looked at until it ends: the number only grows, and what the system keeps of a process that
    // has ended counts the memory of the process that started it as well.
    let status = format!("/proc/{}/status", program.id());
    let mut peak = None;
    loop {
        peak = high_water_mark(&status).or(peak);
        match program.try_wait().expect("it is a child of this process") {
            Some(ended) => {
                assert!(ended.success());
                return peak;
            }
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    }
}

fn high_water_mark(status: &str) -> Option<f64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn per_component(bench: &Bench<'_>) {
    println!("\ntime per component");
    let mut first = None;
    for count in [1_000, 10_000, 100_000] {
        let package = scaled::roles(count);
        let time = bench.time(|| unpack(&package, &UnpackOptions::default()).expect("it unpacks"));
        let each = time * 1e6 / count as f64;
        let ratio = each / *first.get_or_insert(each);
        println!("  {count:>7} roles          {each:>8.2} µs {ratio:>7.2}");
    }
}

struct Bench<'a> {
    home: &'a Path,
    runs: usize,
}

impl Bench<'_> {
    /// The shortest time of all runs, in seconds.
    fn time<R>(&self, mut work: impl FnMut() -> R) -> f64 {
        (0..self.runs)
            .map(|_| {
                let start = Instant::now();
                let result = work();
                let time = start.elapsed();
                drop(result);
                time
            })
            .min()
            .unwrap_or(Duration::ZERO)
            .as_secs_f64()
    }

    /// Times work on a folder that does not exist yet.
    ///
    /// The folders are removed when all is measured: a file system that has just deleted thousands
    /// of files is slow to make new ones.
    fn fresh(&self, name: &str, work: impl Fn(&Path)) -> f64 {
        (0..self.runs)
            .map(|run| {
                let dir: PathBuf = self.home.join(format!("{name}-{run}"));
                let start = Instant::now();
                work(&dir);
                start.elapsed()
            })
            .min()
            .unwrap_or(Duration::ZERO)
            .as_secs_f64()
    }
}

fn unpack_into(zip: &[u8], dir: &Path) {
    let package = Package::from_zip(zip).expect("sound");
    let tree = unpack(&package, &UnpackOptions::default())
        .expect("it unpacks")
        .tree;
    tree.write_to_dir(dir, &WriteOptions::default())
        .expect("writable");
}

fn inflate_plainly(zip: &[u8]) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("sound");
    for index in 0..archive.len() {
        let mut data = Vec::new();
        let mut file = archive.by_index(index).expect("sound");
        file.read_to_end(&mut data).expect("sound");
        std::hint::black_box(data);
    }
}

fn deflate_plainly(files: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_level(Some(6));
    for (number, file) in files.enumerate() {
        zip.start_file(number.to_string(), options).expect("sound");
        zip.write_all(&file).expect("sound");
    }
    zip.finish().expect("sound").into_inner()
}

fn paths(tree: &SourceTree) -> impl Iterator<Item = &str> {
    tree.iter().map(|(path, _)| path)
}

/// The same files, written from memory without any care.
fn write_plainly(tree: &SourceTree, dir: &Path) {
    make_folders(tree, dir);
    for (path, data) in tree.iter() {
        fs::write(dir.join(path), data).expect("writable");
    }
}

fn write_on_all_cores(tree: &SourceTree, dir: &Path) {
    make_folders(tree, dir);
    let files: Vec<_> = tree.iter().collect();
    files
        .par_iter()
        .for_each(|(path, data)| fs::write(dir.join(path), data).expect("writable"));
}

fn make_folders(tree: &SourceTree, dir: &Path) {
    let mut folders: Vec<_> = paths(tree)
        .map(|path| path.rsplit_once('/').map_or("", |p| p.0))
        .collect();
    folders.dedup();
    for folder in folders {
        fs::create_dir_all(dir.join(folder)).expect("writable");
    }
}

fn line(what: &str, seconds: f64, ratio: Option<f64>, goal: &str) {
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!("  {what:<22} {:>8.1} ms {ratio:>8}   {goal}", seconds * 1e3);
}
