//! Which component a file of a source tree belongs to (facts §4, §5).

use super::super::component::{ComponentType, Identity, code, display_name_places};
use super::super::keyed::{Node, with_document};
use super::super::{SOLUTION_FILE, SourceTree};

/// Where a file stands in the solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It belongs to one component.
    Of {
        /// Which one.
        identity: Identity,
        /// What it is for that component; the same in two trees even if the file was renamed.
        role: String,
        /// The file that makes the component exist.
        main: String,
    },
    /// It holds several components, the pieces of these collections; `""` is the root itself.
    Shared(&'static [&'static str]),
    /// It belongs to the solution as a whole.
    Solution,
}

/// The identity under which everything stands that belongs to the solution as a whole.
pub(crate) fn solution() -> Identity {
    Identity::new(ComponentType::table("solution"), "solution")
}

/// The place of a file.
pub(crate) fn of(tree: &SourceTree, path: &str) -> Place {
    let steps: Vec<&str> = path.split('/').collect();
    let stem = |file: &str| {
        let file = file.strip_suffix(".xml").unwrap_or(file);
        file.strip_suffix("_managed").unwrap_or(file).to_owned()
    };
    let twin = |role: &str| {
        if path.ends_with("_managed.xml") {
            format!("managed {role}")
        } else {
            role.to_owned()
        }
    };
    let coded = |number: u16, key: &str, role: String, main: String| Place::Of {
        identity: Identity::coded(number, key),
        role,
        main,
    };
    let own = path.to_owned();
    match steps.as_slice() {
        ["Other", "Solution.xml"] => Place::Solution,
        ["Other", "Customizations.xml"] => Place::Shared(&["*"]),
        ["Other", "Relationships", _] => Place::Shared(&[""]),
        ["Other", "Relationships.xml"] => Place::Solution,
        ["Other", "FieldSecurityProfiles.xml" | "EntityMaps.xml"] => Place::Shared(&[""]),
        ["Other", "ConnectionRoles.xml"] => Place::Shared(&["*"]),
        ["PluginAssemblies", "ServiceEndpoints.xml"] => Place::Shared(&[""]),
        ["Other", "SiteMap.xml" | "SiteMap_managed.xml"] => coded(
            62,
            super::super::component::kind::CLASSIC_SITE_MAP,
            twin("site map"),
            own,
        ),
        ["Entities", table, rest @ ..] if !rest.is_empty() => table_part(table, rest, &twin, own),
        ["Roles", file] => {
            let id = attribute_in(tree, path, "id").unwrap_or_else(|| stem(file));
            coded(code_of("Role"), &id, "role".into(), own)
        }
        ["Workflows", file] => {
            let payload = file.strip_suffix(".data.xml").unwrap_or(file);
            let data = format!("Workflows/{payload}.data.xml");
            let id =
                attribute_in(tree, &data, "WorkflowId").unwrap_or_else(|| guid_at_end(payload));
            let role = if payload == *file {
                "definition"
            } else {
                "settings"
            };
            coded(code::WORKFLOW, &id, role.into(), data)
        }
        ["OptionSets", file] => coded(9, &stem(file), "choice".into(), own),
        ["Dashboards" | "InteractionCentricDashboards", file] => {
            coded(60, &stem(file), "dashboard".into(), own)
        }
        ["WebResources", ..] => {
            let name = path["WebResources/".len()..].trim_end_matches(".data.xml");
            let role = if path.ends_with(".data.xml") {
                "settings"
            } else {
                "content"
            };
            coded(
                61,
                name,
                role.into(),
                format!("WebResources/{name}.data.xml"),
            )
        }
        ["Controls", name, rest @ ..] if !rest.is_empty() => coded(
            66,
            name,
            rest.join("/"),
            format!("Controls/{name}/ControlManifest.xml.data.xml"),
        ),
        ["PluginAssemblies", folder, file] => {
            coded(91, &guid_at_end(folder), (*file).to_owned(), own)
        }
        ["SdkMessageProcessingSteps", file] => coded(92, &stem(file), "step".into(), own),
        ["Reports", _, id, file] => coded(31, id, (*file).to_owned(), own),
        ["AppModuleSiteMaps", name, _] => coded(62, name, twin("site map"), own),
        ["AppModules", name, _] => coded(80, name, twin("app"), own),
        ["CanvasApps", rest @ ..] if !rest.is_empty() => {
            let name = prefix_of(tree, "CanvasApps/", ".meta.xml", rest[0]);
            let main = format!("CanvasApps/{name}.meta.xml");
            let role = path["CanvasApps/".len()..].replacen(&name, "", 1);
            coded(300, &name, role, main)
        }
        ["Connectors", file] => {
            let name = prefix_of(tree, "Connectors/", ".xml", file);
            let main = format!("Connectors/{name}.xml");
            coded(372, &name, file.replacen(&name, "", 1), main)
        }
        ["EntityDataSources", file] => coded(183, &stem(file), "data source".into(), own),
        ["environmentvariabledefinitions", name, file] => coded(
            code::VARIABLE,
            name,
            (*file).to_owned(),
            format!("environmentvariabledefinitions/{name}/environmentvariabledefinition.xml"),
        ),
        [folder, name, rest @ ..] if !rest.is_empty() => Place::Of {
            identity: Identity::new(ComponentType::named(&singular(folder)), name),
            role: rest.join("/"),
            main: format!("{folder}/{name}/{}.xml", singular(folder)),
        },
        [folder, file] => Place::Of {
            identity: Identity::new(
                ComponentType::named(&singular(folder)),
                &stem(file.strip_suffix(".meta.xml").unwrap_or(file)),
            ),
            role: "file".into(),
            main: own,
        },
        _ => Place::Of {
            identity: Identity::new(ComponentType::table("file"), path),
            role: "file".into(),
            main: own,
        },
    }
}

fn table_part(table: &str, rest: &[&str], twin: &dyn Fn(&str) -> String, own: String) -> Place {
    let main = format!("Entities/{table}/Entity.xml");
    let id = |file: &str| {
        let file = file.strip_suffix(".xml").unwrap_or(file);
        file.strip_suffix("_managed").unwrap_or(file).to_owned()
    };
    let (number, key, role, main) = match rest {
        ["FormXml", _, file] => (60, id(file), twin("form"), own),
        ["SavedQueries", file] => (26, id(file), "view".to_owned(), own),
        ["Visualizations", file] => (59, id(file), "chart".to_owned(), own),
        ["Entity.xml"] => (1, table.to_owned(), "table".to_owned(), main),
        ["RibbonDiff.xml"] => (1, table.to_owned(), "ribbon".to_owned(), main),
        rest => (1, table.to_owned(), rest.join("/"), main),
    };
    Place::Of {
        identity: Identity::coded(number, &key),
        role,
        main,
    }
}

/// The table that a file of a form, view or chart stands below.
pub(crate) fn table_of(path: &str) -> Option<&str> {
    path.strip_prefix("Entities/")?.split('/').next()
}

fn code_of(layer: &str) -> u16 {
    ComponentType::named(layer).code().unwrap_or_default()
}

/// `customapis` is the folder of `customapi`, `Templates` of `template`.
fn singular(folder: &str) -> String {
    let lower = folder.to_ascii_lowercase();
    match lower.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => lower.strip_suffix('s').map(str::to_owned).unwrap_or(lower),
    }
}

/// The GUID that a file or folder name ends with, else the name.
fn guid_at_end(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match stem.len().checked_sub(36).and_then(|at| stem.get(at..)) {
        Some(id) if uuid::Uuid::try_parse(id).is_ok() => id.to_owned(),
        _ => name.to_owned(),
    }
}

/// The component of a folder whose name a file's name begins with; the longest one.
fn prefix_of(tree: &SourceTree, folder: &str, main: &str, file: &str) -> String {
    tree.paths()
        .filter_map(|path| path.strip_prefix(folder)?.strip_suffix(main))
        .filter(|name| !name.contains('/') && file.starts_with(name))
        .max_by_key(|name| name.len())
        .unwrap_or(file)
        .to_owned()
}

/// An attribute of the root of a file.
fn attribute_in(tree: &SourceTree, path: &str, name: &str) -> Option<String> {
    with_document(path, tree.get(path)?, |document, _| {
        document.root.attribute(name).map(str::to_owned)
    })
    .ok()??
}

/// The element that defines the component: the one inside `forms` or `savedqueries`, else the root.
pub(crate) fn inner<'n>(root: &'n Node<'n>) -> &'n Node<'n> {
    match (&*root.name, root.children()) {
        ("forms" | "savedqueries", [only, ..]) => only,
        _ => root,
    }
}

/// The name that people see, where an element has one.
pub(crate) fn name_in(node: &Node<'_>) -> Option<String> {
    // Beside components this is asked about the manifest and the pieces of shared files.
    let more = [
        "SolutionManifest/LocalizedNames/LocalizedName/@description",
        "Name",
    ];
    display_name_places()
        .chain(more)
        .filter_map(|place| node.at_path(place))
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(str::to_owned)
}

/// The name that people see of the component that a file belongs to.
pub(crate) fn name_of(tree: &SourceTree, path: &str) -> Option<String> {
    let main = match of(tree, path) {
        Place::Of { main, .. } => main,
        Place::Solution => SOLUTION_FILE.to_owned(),
        Place::Shared(_) => return None,
    };
    with_document(&main, tree.get(&main)?, |document, _| {
        name_in(inner(&document.root))
    })
    .ok()
    .flatten()
    .flatten()
}
