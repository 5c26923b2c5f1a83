//! Trees and packages that were damaged in places.

use almscript::solution::component::{assemble, components, split, summary};
use almscript::solution::diff::diff;
use almscript::solution::merge::{Choices, merge as merge_trees};
use almscript::solution::model::Model;
use almscript::solution::{
    Kind, LineEnds, PackOptions, Package, SourceTree, UnpackOptions, pack, unpack,
};
use arbitrary::{Result, Unstructured};
use roxmltree::Document;

use super::{archives, samples};

/// Pieces that mean something to the packer.
const PIECES: &[&str] = &[
    "<a />",
    "</a>",
    "<a>",
    " Name=\"b\"",
    " name=\"\"",
    "<Name>pub_T</Name>",
    "<Name></Name>",
    "&amp;",
    "&#x20;",
    "<!-- c -->",
    "<![CDATA[x]]>",
    "<?p?>",
    "<Roles />",
    "<Roles></Roles>",
    "<Workflows />",
    "<FormXml />",
    "<forms type=\"main\">",
    "</forms>",
    " unmodified=\"1\"",
    "../",
    "/",
    "\\",
    ".",
    "con",
    "é",
    "\u{feff}",
    "\r\n",
    "\n",
    "\t",
    " ",
    "xsi:nil=\"true\"",
    "{b}",
    "<EntityRelationship Name=\"one\" />",
    "<Oddity name=\"n\" />",
    "<SLA><name>Gold</name></SLA>",
    "<Managed>2</Managed>",
    "<Managed>1</Managed>",
    "<RootComponent type=\"20\" id=\"{z}\" />",
    "<Entity><Name>x</Name></Entity>",
    "xml:space=\"preserve\"",
    "<FileName>/x</FileName>",
    "]]>",
    "%20",
    "_managed",
];

/// A text with some places changed.
fn damage(u: &mut Unstructured<'_>, data: &[u8]) -> Result<Vec<u8>> {
    let mut out = data.to_vec();
    for _ in 0..u.int_in_range(1..=3)? {
        // Boundaries of tags, mostly: damage in the middle of a name is soon refused.
        let places: Vec<usize> = out
            .iter()
            .enumerate()
            .filter(|(_, byte)| matches!(byte, b'<' | b'>' | b'"' | b'/'))
            .map(|(at, byte)| at + usize::from(*byte == b'>'))
            .collect();
        let at = if places.is_empty() || u.ratio(1, 5)? {
            u.int_in_range(0..=out.len())?
        } else {
            places[u.choose_index(places.len())?]
        };
        let rest = out.split_off(at);
        let skip = if u.arbitrary()? {
            0
        } else {
            u.int_in_range(0..=rest.len().min(80))?
        };
        match u.int_in_range(0..=3u8)? {
            0 => {}
            1 => out.extend(rest[..skip].repeat(2)),
            2 => out.extend(u.arbitrary::<[u8; 2]>()?),
            _ => out.extend(u.choose(PIECES)?.bytes()),
        }
        out.extend(&rest[skip..]);
    }
    Ok(out)
}

/// The sample's tree with some files changed, moved, removed or added.
fn damaged_tree(u: &mut Unstructured<'_>) -> Result<SourceTree> {
    let mut tree = samples::TREE.clone();
    for _ in 0..u.int_in_range(0..=4u8)? {
        let paths: Vec<String> = tree.paths().map(str::to_owned).collect();
        let path = &paths[u.choose_index(paths.len())?];
        let data = tree.get(path).unwrap_or_default().to_vec();
        match u.int_in_range(0..=9u8)? {
            0 => {
                tree.remove(path);
            }
            1 | 2 => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let name = u.choose(&[
                    "z",
                    "con",
                    "z.xml",
                    "{b}.xml",
                    "{b}_managed.xml",
                    "Z.XML",
                    ".z",
                    "é.meta.xml",
                    "a/b.xml",
                ])?;
                // A name that is refused leaves the tree as it is.
                let _ = tree.insert(format!("{folder}/{name}"), data);
            }
            3 => {
                let twin = path.replace(".xml", "_managed.xml");
                let _ = tree.insert(twin, data);
            }
            _ => {
                let damaged = damage(u, &data)?;
                tree.insert(path.clone(), damaged).unwrap();
            }
        }
    }
    Ok(tree)
}

/// What is packed can be unpacked, and packing that gives the same again.
pub fn tree(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(tree) = damaged_tree(&mut u) else {
        return;
    };
    let options = PackOptions {
        kind: u
            .choose(&[None, None, Some(Kind::Managed), Some(Kind::Both)])
            .ok()
            .copied()
            .flatten(),
        plain_for_missing_twin: u.ratio(3, 4).unwrap_or(true),
        line_ends: if u.arbitrary().unwrap_or(false) {
            LineEnds::Lf
        } else {
            LineEnds::CrLf
        },
        ..PackOptions::default()
    };
    let _ = Model::read(&tree);
    let _ = diff(&samples::TREE, &tree);
    let Ok(packed) = pack(&tree, &options) else {
        return;
    };
    for package in [packed.unmanaged, packed.managed].into_iter().flatten() {
        archives::check(&package);
        there_and_back(&package, options.line_ends);
    }
}

/// A package that was packed: its tree gives it again.
fn there_and_back(package: &Package, line_ends: LineEnds) {
    let unpacking = UnpackOptions {
        line_ends,
        ..UnpackOptions::default()
    };
    let packing = PackOptions {
        line_ends,
        ..PackOptions::default()
    };
    // Two files with names of components that become one file were two files before.
    let Ok(unpacked) = unpack(package, &unpacking) else {
        return;
    };
    unpacked.tree.paths().for_each(archives::assert_name);
    let Ok(again) = pack(&unpacked.tree, &packing) else {
        return;
    };
    let again = again.into_package();
    let tree = unpack(&again, &unpacking)
        .expect("what was packed twice can be unpacked")
        .tree;
    assert_same(&unpacked.tree, &tree);
}

fn assert_same(one: &SourceTree, two: &SourceTree) {
    let paths = |tree: &SourceTree| tree.paths().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        paths(one),
        paths(two),
        "other files after packing and unpacking"
    );
    for (path, data) in one.iter() {
        let other = two.get(path).unwrap_or_default();
        assert!(
            other == &data[..],
            "`{path}` changes on the way:\n{:?}\n{:?}",
            String::from_utf8_lossy(data),
            String::from_utf8_lossy(other)
        );
    }
}

/// A package with some parts changed: unpacking, packing and unpacking again is a fixed point, and
/// its components can be taken apart and put together.
pub fn package(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(package) = damaged_package(&mut u) else {
        return;
    };
    archives::check(&package);
    let _ = (components(&package), summary(&package));
    if let Ok(parts) = split(&package)
        && let Ok(whole) = assemble(&parts.outline, &parts.components)
    {
        archives::check(&whole);
        let again = split(&whole).expect("what was put together can be taken apart");
        assert_eq!(
            again.components, parts.components,
            "the components are other ones"
        );
    }
    let Ok(unpacked) = unpack(&package, &UnpackOptions::default()) else {
        return;
    };
    unpacked.tree.paths().for_each(archives::assert_name);
    let Ok(packed) = pack(&unpacked.tree, &PackOptions::default()) else {
        return;
    };
    there_and_back(&packed.into_package(), LineEnds::CrLf);
}

fn damaged_package(u: &mut Unstructured<'_>) -> Result<Package> {
    let mut parts = samples::package().parts().to_vec();
    for _ in 0..u.int_in_range(0..=4u8)? {
        let at = if u.arbitrary()? {
            0
        } else {
            u.choose_index(parts.len())?
        };
        match u.int_in_range(0..=9u8)? {
            0 => {
                parts.remove(at);
            }
            1 => parts[at]
                .name
                .push_str(u.choose(&["x", "/x", ".xml", " ", "%41", "é"])?),
            _ => parts[at].data = damage(u, &parts[at].data)?.into(),
        }
        if parts.is_empty() {
            break;
        }
    }
    Package::from_parts(parts).map_err(|_| arbitrary::Error::IncorrectFormat)
}

/// Merging: what one side leaves alone comes from the other, and texts that were XML stay XML.
pub fn merge(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (Ok(base), Ok(ours), Ok(theirs)) = (
        damaged_tree(&mut u),
        damaged_tree(&mut u),
        damaged_tree(&mut u),
    ) else {
        return;
    };
    let none = Choices::default();
    assert_same(&merge_trees(&base, &ours, &base, &none).tree, &ours);
    assert_same(&merge_trees(&base, &base, &theirs, &none).tree, &theirs);
    assert_same(&merge_trees(&base, &ours, &ours, &none).tree, &ours);
    let merged = merge_trees(&base, &ours, &theirs, &none);
    let other_way = merge_trees(&base, &theirs, &ours, &none);
    assert_eq!(
        merged.is_settled(),
        other_way.is_settled(),
        "a conflict from one side only: {:#?} {:#?}",
        merged.conflicts,
        other_way.conflicts
    );
    merged.tree.paths().for_each(archives::assert_name);
    for (path, after) in merged.tree.iter() {
        let sides = [&base, &ours, &theirs].map(|tree| tree.get(path));
        if sides.iter().flatten().all(|side| is_xml(side)) && sides.iter().any(Option::is_some) {
            assert!(
                is_xml(after),
                "`{path}` is no XML any more: {:?}",
                String::from_utf8_lossy(after)
            );
        }
    }
}

fn is_xml(data: &[u8]) -> bool {
    std::str::from_utf8(data)
        .is_ok_and(|text| Document::parse(text.trim_start_matches('\u{feff}')).is_ok())
}
