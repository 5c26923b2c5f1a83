//! Web resources.

use serde::Serialize;

use super::text;
use crate::solution::keyed::Node;

/// A web resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebResource {
    /// Its name, which may look like a path.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// `html`, `css`, `javascript`, `xml`, `png`, `jpg`, `gif`, `xap`, `xsl`, `ico`, `svg`, `resx`;
    /// the number for others.
    #[serde(rename = "type")]
    pub resource_type: String,
}

impl WebResource {
    /// Reads a `WebResource` element.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let name = node.at_path("Name")?.to_owned();
        let display_name = node.at_path("DisplayName").filter(|name| !name.is_empty());
        Some(Self {
            display_name: display_name.unwrap_or(&name).to_owned(),
            resource_type: match node.at_path("WebResourceType") {
                Some("1") => "html".into(),
                Some("2") => "css".into(),
                Some("3") => "javascript".into(),
                Some("4") => "xml".into(),
                Some("5") => "png".into(),
                Some("6") => "jpg".into(),
                Some("7") => "gif".into(),
                Some("8") => "xap".into(),
                Some("9") => "xsl".into(),
                Some("10") => "ico".into(),
                Some("11") => "svg".into(),
                Some("12") => "resx".into(),
                _ => text(node, "WebResourceType"),
            },
            name,
        })
    }
}
