//! What a component is called, read from the element that defines it.

use roxmltree::Node;

use super::fragment::value;

/// Where the different kinds keep the name that people see, best first.
const PLACES: [&str; 13] = [
    "LocalizedNames/LocalizedName/@description",
    "Name/@LocalizedName",
    "EntityInfo/entity/LocalizedNames/LocalizedName/@description",
    "@localizedName",
    "displaynames/displayname/@description",
    "connectionreferencedisplayname",
    "displayname/@default",
    "displayname/label/@description",
    "DisplayName",
    "displayname",
    "@Name",
    "@name",
    "name",
];

/// The name that people see, where the element has one.
pub(super) fn display_name(node: Node<'_, '_>) -> Option<String> {
    PLACES
        .iter()
        .filter_map(|place| value(node, place))
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(str::to_owned)
}

/// Where a name that people see can stand, best first.
pub(crate) fn display_name_places() -> impl Iterator<Item = &'static str> {
    PLACES.into_iter()
}
