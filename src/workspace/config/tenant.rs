//! `[tenant]`: a real Entra tenant or the emulated one.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

/// The tenant that every environment, host and identity belongs to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Whether the tenant is the emulated one in `.alm/tenant`. Then nothing is sent anywhere.
    pub emulated: bool,
    /// The tenant id (directory id) of a real tenant.
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub id: Option<Uuid>,
    /// Where to sign in; another one for national clouds.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub login: Url,
}

impl Default for Tenant {
    fn default() -> Self {
        let login = Url::parse("https://login.microsoftonline.com/");
        Self {
            emulated: false,
            id: None,
            login: login.expect("a fixed, valid address"),
        }
    }
}
