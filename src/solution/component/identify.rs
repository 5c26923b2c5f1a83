//! Who a component is, read from the element that defines it.

use roxmltree::Node;

use super::fragment::{plain_id, value};
use super::kind::{self, Key};
use super::{ComponentError, ComponentType, Identity};

/// What identifies a component among all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub component_type: ComponentType,
    /// See [`Identity::key`].
    pub key: String,
    /// A GUID without braces, where the element has one.
    pub id: Option<String>,
    /// The schema or unique name as written, where the kind has one.
    pub schema_name: Option<String>,
}

impl Named {
    /// Reads the element `node` of `collection`, in which it stands at `index`.
    ///
    /// # Errors
    /// [`ComponentError::NoKey`] when what identifies this kind is missing.
    pub fn of(node: Node<'_, '_>, collection: &str, index: usize) -> Result<Self, ComponentError> {
        let (component_type, rule) = kind::kind_in(collection)
            .unwrap_or_else(|| (ComponentType::table(collection), Key::Elsewhere));
        let named = |place: &str| -> Result<String, ComponentError> {
            let found = value(node, place)
                .map(str::trim)
                .filter(|found| !found.is_empty());
            found
                .map(str::to_owned)
                .ok_or_else(|| ComponentError::NoKey {
                    collection: collection.to_owned(),
                    key: place.trim_start_matches('@').to_owned(),
                })
        };
        let optional = |place: &str| value(node, place).map(|text| text.trim().to_owned());
        let (key, id, schema_name) = match rule {
            Key::Id(place) => {
                let id = plain_id(&named(place)?);
                (id.clone(), Some(id), None)
            }
            Key::IdAndName(place, name) => {
                let id = plain_id(&named(place)?);
                (id.clone(), Some(id), optional(name))
            }
            Key::Name(place) => {
                let name = named(place)?;
                (name.to_ascii_lowercase(), None, Some(name))
            }
            Key::NameAndId(place, id) => {
                let name = named(place)?;
                (
                    name.to_ascii_lowercase(),
                    optional(id).map(|id| plain_id(&id)),
                    Some(name),
                )
            }
            Key::Pair(first, second) => {
                let name = format!("{} {}", named(first)?, named(second)?);
                (name.to_ascii_lowercase(), None, Some(name))
            }
            Key::Only(id) => (id.to_owned(), Some(id.to_owned()), None),
            Key::Elsewhere => (unknown_key(node, index), None, None),
        };
        Ok(Self {
            component_type,
            key,
            id,
            schema_name,
        })
    }

    /// Which component this is.
    pub fn identity(&self) -> Identity {
        Identity {
            component_type: self.component_type.clone(),
            key: self.key.clone(),
        }
    }
}

/// What may identify a component of a collection that this program does not know.
fn unknown_key(node: Node<'_, '_>, index: usize) -> String {
    let names = [
        "@Name",
        "@name",
        "@uniquename",
        "@UniqueName",
        "@id",
        "name",
        "Name",
        "schemaname",
    ];
    let named = names
        .iter()
        .filter_map(|place| value(node, place))
        .map(str::trim);
    let own_id = format!("{}id", node.tag_name().name().to_ascii_lowercase());
    named
        .chain(value(node, &own_id))
        .find(|name| !name.is_empty())
        .map_or_else(|| format!("{}#{index}", node.tag_name().name()), plain_id)
}
