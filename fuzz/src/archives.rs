//! Zip archives: solution packages and canvas apps.

use almscript::problem::Problem;
use almscript::solution::canvas::{self, CanvasApp};
use almscript::solution::{Limits, NestedBudget, Package, PackageError, UnpackOptions, unpack};
use arbitrary::{Arbitrary, Result, Unstructured};

use super::raw_zip::{self, Entry};
use super::samples;

/// Bounds that a short input can reach.
fn tight() -> Limits {
    Limits {
        entries: 40,
        part_bytes: 200_000,
        total_bytes: 600_000,
        ratio: 100,
        ratio_from_bytes: 50_000,
        ..Limits::default()
    }
}

/// What holds of every package that was accepted, whoever made it.
pub(super) fn check(package: &Package) {
    let mut seen = std::collections::HashSet::new();
    for part in package.parts() {
        assert_name(&part.name);
        assert!(
            seen.insert(part.name.to_uppercase()),
            "`{}` is there twice",
            part.name
        );
        assert!(
            package.part(&part.name).is_some(),
            "`{}` is not found",
            part.name
        );
    }
    let zip = package
        .to_zip()
        .expect("an accepted package can be written");
    let again = Package::from_zip(&zip).expect("a written package can be read");
    assert!(again == *package, "the archive holds another package");
    assert!(
        again.to_zip().unwrap() == zip,
        "the same parts give other bytes"
    );
}

/// A name that stays in its folder and can exist on every file system, told in other words than the
/// packer's own.
pub(super) fn assert_name(name: &str) {
    let path = std::path::Path::new(name);
    let steps = path.components().count();
    assert!(
        !name.is_empty() && path.is_relative(),
        "{name:?} is absolute or empty"
    );
    assert_eq!(
        name.split('/').count(),
        steps,
        "{name:?} has `.`, `..` or an empty step"
    );
    for step in name.split('/') {
        assert_ne!(step, "..", "{name:?} leaves the folder");
        assert!(!step.ends_with(['.', ' ']), "{name:?} changes on Windows");
        let device = step
            .split('.')
            .next()
            .unwrap_or(step)
            .trim_end()
            .to_lowercase();
        assert!(
            !["con", "prn", "aux", "nul", "com1", "lpt9"].contains(&&*device),
            "{name:?} is a device"
        );
    }
    let bad = |c: char| c < ' ' || "\\:*?\"<>|".contains(c);
    assert!(
        !name.contains(bad),
        "{name:?} has a character that Windows refuses"
    );
}

/// Any bytes as an archive.
pub fn archive(data: &[u8]) {
    let limits = tight();
    let Ok(package) = Package::from_zip_within(data, &limits) else {
        return;
    };
    let sizes = || package.parts().iter().map(|part| part.data.len() as u64);
    assert!(sizes().count() as u64 <= limits.entries);
    assert!(sizes().all(|size| size <= limits.part_bytes));
    assert!(sizes().sum::<u64>() <= limits.total_bytes);
    assert!(
        sizes().max().unwrap_or(0)
            <= limits
                .ratio_from_bytes
                .max(data.len() as u64 * limits.ratio),
        "more came out than the ratio allows"
    );
    check(&package);
    if let Ok(unpacked) = unpack(&package, &UnpackOptions::default()) {
        unpacked.tree.paths().for_each(assert_name);
    }
}

/// Any bytes as a canvas app, and as the content of the files in one.
pub fn canvas(data: &[u8]) {
    if Package::from_zip_within(data, &tight()).is_ok() {
        app(data);
    }
    let mut pieces = data.split(|byte| *byte == 0);
    let mut part = |name: &str| Entry::new(name, pieces.next().unwrap_or_default());
    app(&raw_zip::archive(&[
        part("AppCheckerResult.sarif"),
        part("Controls/1.json"),
        part("Src/App.pa.yaml"),
        part("Src\\Screen 1.pa.yaml"),
        part("Components/2.json"),
    ]));
}

fn app(msapp: &[u8]) {
    CanvasApp::read(msapp, &NestedBudget::new(&Limits::default()))
        .expect("parts that are not what they should be are passed over");
    let mut tree = samples::TREE.clone();
    tree.insert("CanvasApps/pub_app_1_DocumentUri.msapp", msapp.to_vec())
        .unwrap();
    canvas::findings(&tree, &Limits::default());
    if let Ok(mirrored) = canvas::mirror(&tree, &Limits::default()) {
        mirrored.paths().for_each(assert_name);
        let again = canvas::mirror(&mirrored, &Limits::default())
            .expect("what was mirrored can be mirrored again");
        assert!(again == mirrored, "mirroring twice changes the tree");
    }
}

/// An archive entry and what is wrong with it.
#[derive(Debug)]
struct Crafted {
    entry: Entry,
    /// The code that reading must end with, if nothing else is wrong.
    fault: Option<&'static str>,
}

impl<'a> Arbitrary<'a> for Crafted {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let steps = ["a", "A", "b.xml", "ü", "Ü", "%41", "a b", "x%20y"];
        let mut name = String::from("bots");
        for _ in 0..u.int_in_range(1..=3)? {
            name.push(if u.ratio(1, 16)? { '\\' } else { '/' });
            name.push_str(u.choose(&steps)?);
        }
        let (mut entry, mut fault) = (Entry::new(&name, &[]), None);
        entry.data = if u.ratio(1, 8)? {
            vec![u.arbitrary()?; u.int_in_range(0..=300_000)?]
        } else {
            let length = u.int_in_range(0..=40)?;
            u.bytes(length.min(u.len()))?.to_vec()
        };
        entry.deflate = u.arbitrary()?;
        entry.zip64 = u.ratio(1, 8)?;
        match u.int_in_range(0..=24u8)? {
            0 => {
                let worse = [
                    "..", ".", "", "con", "a.", "a ", "c:", "%2e%2e", "%00", "a\0b", "?",
                ];
                let at = worse[u.choose_index(worse.len())?];
                entry.name = format!("bots/{at}/x").into_bytes();
                fault = Some("ALM-P002");
            }
            1 => {
                entry.unix_mode = Some(0o120_777);
                fault = Some("ALM-P003");
            }
            2 => {
                entry.flags = 1;
                fault = Some("ALM-P004");
            }
            3 => {
                entry.crc = Some(u.arbitrary()?);
                // The sum may be right by chance.
                let mut crc = flate2::Crc::new();
                crc.update(&entry.data);
                fault = (entry.crc != Some(crc.sum())).then_some("ALM-P007");
            }
            4 => {
                let length = u32::try_from(entry.data.len()).unwrap_or(0);
                entry.size = Some(u.int_in_range(0..=length.saturating_mul(2))?);
                fault = (entry.size != Some(length)).then_some("ALM-P007");
            }
            5 => entry.flags = u.arbitrary::<u16>()? & !1,
            6 => entry.name = u.arbitrary::<Vec<u8>>()?,
            _ => {}
        }
        Ok(Self { entry, fault })
    }
}

/// An archive that is right or wrong in ways that are known.
pub fn entries(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(crafted) = u.arbitrary::<Vec<Crafted>>() else {
        return;
    };
    let mut all: Vec<Entry> = samples::PARTS[..2]
        .iter()
        .map(|part| Entry::new(&part.name, &part.data))
        .collect();
    all.extend(crafted.iter().map(|one| one.entry.clone()));
    let mut bytes = raw_zip::archive(&all);
    match u.int_in_range(0..=9u8) {
        Ok(0) => {
            let cut = u.int_in_range(0..=bytes.len()).unwrap_or(0);
            let whole = cut == bytes.len();
            bytes.truncate(cut);
            let read = Package::from_zip_within(&bytes, &tight());
            assert!(
                whole || read.is_err(),
                "an archive cut at {cut} was accepted"
            );
            return;
        }
        Ok(1) => {
            let joined = [bytes.clone(), bytes].concat();
            assert!(
                Package::from_zip(&joined).is_err(),
                "joined archives were accepted"
            );
            return;
        }
        _ => {}
    }
    let faults: Vec<&str> = crafted.iter().filter_map(|one| one.fault).collect();
    match Package::from_zip_within(&bytes, &tight()) {
        Ok(package) => {
            assert!(faults.is_empty(), "{faults:?} were accepted");
            check(&package);
            for one in &crafted {
                let stored = String::from_utf8_lossy(&one.entry.name).replace('\\', "/");
                if !stored.contains(['%', '\u{fffd}'])
                    && !stored.ends_with('/')
                    && one.entry.flags == 0
                {
                    let part = package.part(&stored);
                    assert_eq!(part, Some(&one.entry.data[..]), "{stored}");
                }
            }
        }
        // A lie about a size is met as another one where it passes a limit or overlaps a neighbour.
        Err(PackageError::Limit { .. } | PackageError::NotAnArchive { .. }) => {}
        Err(PackageError::Collision { .. }) => {}
        Err(error) => {
            let odd = crafted
                .iter()
                .any(|one| one.entry.flags != 0 || one.fault.is_some());
            let named = crafted
                .iter()
                .any(|one| !one.entry.name.starts_with(b"bots"));
            assert!(odd || named, "a good archive was refused: {error}");
            assert!(
                faults.is_empty() || faults.contains(&error.code()) || odd || named,
                "{faults:?} gave {error}"
            );
        }
    }
}
