//! Plug-in assemblies, whose identity is read from their metadata.

use almscript::solution::{PackOptions, UnpackOptions, pack, unpack};

use super::{archives, samples};

/// Any bytes as an assembly.
pub fn assembly(data: &[u8]) {
    let mut tree = samples::TREE.clone();
    tree.insert("PluginAssemblies/P-A5/P.dll", data.to_vec())
        .unwrap();
    let packed = pack(&tree, &PackOptions::default())
        .expect("an assembly that is none, or another one, is no mistake of the source")
        .into_package();
    archives::check(&packed);
    let again = unpack(&packed, &UnpackOptions::default())
        .expect("whatever name the assembly has, the package is a package");
    assert_eq!(again.tree.get("PluginAssemblies/P-A5/P.dll"), Some(data));
}
