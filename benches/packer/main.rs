//! How fast the packer is, as ratios in one run: `cargo bench --bench packer`.
//!
//! The package is `corpus/07` scaled to 30 MB of customizations and some 4,400 files. Every time is
//! the best of several runs with a warm cache. What the ratios should be stands beside them.

mod baseline;
mod scaled;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use almscript::solution::{
    PackOptions, Package, SourceTree, UnpackOptions, WriteOptions, pack, unpack,
};
use rayon::prelude::*;

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
    let threads = rayon::current_num_threads();
    println!(
        "package: {:.1} MB customizations, {} parts, {} files unpacked; {threads} threads, best of {runs} runs",
        customizations as f64 / 1e6,
        package.parts().len(),
        tree.len()
    );
    let home = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench {
        home: home.path(),
        runs,
    };

    let reference = bench.fresh("plain", |dir| {
        let package = Package::from_zip(&zip).expect("sound");
        std::hint::black_box(&package);
        write_plainly(&tree, dir);
    });
    let ours = bench.fresh("alm", |dir| unpack_into(&zip, dir));
    let kept = home.path().join("kept");
    unpack_into(&zip, &kept);
    let second = bench.time(|| unpack_into(&zip, &kept));
    let dom = bench.fresh("dom", |dir| baseline::unpack(&zip, dir));
    println!("\nunpack");
    line("inflate and write", reference, reference, "");
    line("alm", ours, reference, "at most 1.5 of it");
    line("DOM, one thread", dom, ours, "at least 10 times alm");
    line(
        "alm, unchanged tree",
        second,
        ours,
        "at most 0.33 of the first",
    );

    let reference = bench.time(|| {
        let read = SourceTree::from_dir(&kept).expect("readable");
        std::hint::black_box(&read);
        package.to_zip().expect("sound")
    });
    let ours = bench.time(|| {
        let tree = SourceTree::from_dir(&kept).expect("readable");
        let packed = pack(&tree, &PackOptions::default())
            .expect("it packs")
            .into_package();
        packed.to_zip().expect("sound")
    });
    let dom = bench.time(|| baseline::pack(&kept, package.parts()));
    println!("\npack");
    line("read and deflate", reference, reference, "");
    line("alm", ours, reference, "at most 1.5 of it");
    line("DOM, one thread", dom, ours, "at least 10 times alm");

    println!("\nsteps of alm, in memory");
    let inflate = bench.time(|| Package::from_zip(&zip).expect("sound"));
    let convert = bench.time(|| unpack(&package, &UnpackOptions::default()).expect("it unpacks"));
    let assemble = bench.time(|| pack(&tree, &PackOptions::default()).expect("it packs"));
    let deflate = bench.time(|| package.to_zip().expect("sound"));
    for (what, time) in [
        ("inflate", inflate),
        ("unpack", convert),
        ("pack", assemble),
        ("deflate", deflate),
    ] {
        println!("  {what:<22} {:>8.1} ms", milliseconds(time));
    }

    println!("\ntime per component");
    for count in [1_000, 10_000, 100_000] {
        let package = scaled::roles(count);
        let time = bench.time(|| unpack(&package, &UnpackOptions::default()).expect("it unpacks"));
        println!(
            "  {count:>7} roles          {:>8.2} µs each",
            time.as_secs_f64() * 1e6 / count as f64
        );
    }
    if let Some(peak) = peak_memory() {
        println!("\npeak memory of this whole run: {peak:.0} MB");
    }
}

struct Bench<'a> {
    home: &'a Path,
    runs: usize,
}

impl Bench<'_> {
    fn time<R>(&self, mut work: impl FnMut() -> R) -> Duration {
        (0..self.runs)
            .map(|_| {
                let start = Instant::now();
                let result = work();
                let time = start.elapsed();
                drop(result);
                time
            })
            .min()
            .unwrap_or_default()
    }

    /// Times work on a folder that does not exist yet.
    ///
    /// The folders are removed when all is measured: a file system that has just deleted thousands
    /// of files is slow to make new ones.
    fn fresh(&self, name: &str, work: impl Fn(&Path)) -> Duration {
        (0..self.runs)
            .map(|run| {
                let dir: PathBuf = self.home.join(format!("{name}-{run}"));
                let start = Instant::now();
                work(&dir);
                start.elapsed()
            })
            .min()
            .unwrap_or_default()
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

/// The same files, written from memory on all cores without any care.
fn write_plainly(tree: &SourceTree, dir: &Path) {
    let files: Vec<_> = tree.iter().collect();
    let mut folders: Vec<_> = files
        .iter()
        .map(|(path, _)| path.rsplit_once('/').map_or("", |p| p.0))
        .collect();
    folders.dedup();
    folders
        .iter()
        .for_each(|folder| fs::create_dir_all(dir.join(folder)).expect("writable"));
    files
        .par_iter()
        .for_each(|(path, data)| fs::write(dir.join(path), data).expect("writable"));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn line(what: &str, time: Duration, of: Duration, goal: &str) {
    let ratio = time.as_secs_f64() / of.as_secs_f64();
    println!(
        "  {what:<22} {:>8.1} ms   {ratio:>6.2}   {goal}",
        milliseconds(time)
    );
}

/// The highest use of memory so far in MB, where the system tells.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}
