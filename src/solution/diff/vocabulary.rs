//! What people call the settings of components, and what their codes mean.

/// Settings by the name that the package has for them; where the same word means other things in
/// other kinds, the element around it comes first.
#[rustfmt::skip]
const SETTINGS: &[(&str, &str)] = &[
    ("AutoNumberFormat", "automatic numbering"),
    ("Behavior", "time zone behaviour"),
    ("CanBeDeleted", "may be deleted"),
    ("CanCreate", "may create"),
    ("CanRead", "may read"),
    ("CanReadUnmasked", "may read unmasked"),
    ("CanUpdate", "may change"),
    ("CascadeArchive", "when archived"),
    ("CascadeAssign", "when assigned"),
    ("CascadeDelete", "when deleted"),
    ("CascadeMerge", "when merged"),
    ("CascadeReparent", "when given another parent"),
    ("CascadeRollupView", "rollup view"),
    ("CascadeShare", "when shared"),
    ("CascadeUnshare", "when no longer shared"),
    ("EntityInfo", "columns and settings"),
    ("FilteringAttributes", "filtering columns"),
    ("FormActivationState", "state"),
    ("IsAuditEnabled", "auditing"),
    ("IsCustomizable", "customizable"),
    ("IsHidden", "hidden"),
    ("IsSecured", "column security"),
    ("Length", "length"),
    ("Managed", "managed"),
    ("MaxLength", "maximum length"),
    ("MaxValue", "maximum"),
    ("MinValue", "minimum"),
    ("Mode", "runs"),
    ("OptionSetName", "choice"),
    ("PrimaryEntity", "table"),
    ("PluginTypeName", "plug-in type"),
    ("Rank", "rank"),
    ("RequiredLevel", "required"),
    ("RunAs", "runs as"),
    ("Stage", "stage"),
    ("StateCode", "state"),
    ("Type", "type"),
    ("Version", "version"),
    ("accesscontrolpolicy", "who may use it"),
    ("authenticationmode", "sign-in of users"),
    ("authenticationtrigger", "asks to sign in"),
    ("connectiontype", "connection"),
    ("connectorid", "connector"),
    ("connectionreferencedisplayname", "display name"),
    ("datafieldname", "shows the column"),
    ("defaultvalue", "default value"),
    ("iconblob", "icon"),
    ("iconbrandcolor", "icon colour"),
    ("displayname.default", "display name"),
    ("description.default", "description"),
    ("iscustomizable", "customizable"),
    ("isrequired", "required"),
    ("level", "depth"),
    ("statecode", "state"),
    ("type", "type"),
];

/// Codes of settings that are not yes or no.
#[rustfmt::skip]
const CODES: &[(&str, &str, &str)] = &[
    ("CanCreate", "0", "not allowed"), ("CanCreate", "4", "allowed"),
    ("CanRead", "0", "not allowed"), ("CanRead", "4", "allowed"),
    ("CanUpdate", "0", "not allowed"), ("CanUpdate", "4", "allowed"),
    ("FormActivationState", "0", "off"), ("FormActivationState", "1", "on"),
    // The choices of the bot table, as Copilot Studio words them.
    ("accesscontrolpolicy", "0", "anybody"), ("accesscontrolpolicy", "1", "whom it is shared with"),
    ("accesscontrolpolicy", "2", "members of groups"), ("accesscontrolpolicy", "3", "anybody in any tenant"),
    ("authenticationmode", "0", "not set"), ("authenticationmode", "1", "no authentication"),
    ("authenticationmode", "2", "with Microsoft"),
    ("authenticationmode", "3", "manual, Microsoft Entra ID"), ("authenticationmode", "4", "manual, OAuth 2"),
    ("authenticationtrigger", "0", "when needed"), ("authenticationtrigger", "1", "always"),
    ("Mode", "0", "at once"), ("Mode", "1", "in the background"),
    ("Stage", "10", "before validation"), ("Stage", "20", "before the operation"),
    ("Stage", "30", "in the operation"), ("Stage", "40", "after the operation"),
    ("StateCode", "0", "off"), ("StateCode", "1", "on"),
    ("level", "Basic", "own rows"), ("level", "Local", "business unit"),
    ("level", "Deep", "business unit and below"), ("level", "Global", "organisation"),
    ("type", "100000000", "text"), ("type", "100000001", "number"), ("type", "100000002", "yes or no"),
    ("type", "100000003", "JSON"), ("type", "100000004", "data source"), ("type", "100000005", "secret"),
];

/// What a relationship does to related rows, as the maker portal words it.
const CASCADES: &[(&str, &str)] = &[
    ("Active", "Cascade Active"),
    ("Cascade", "Cascade All"),
    ("NoCascade", "Cascade None"),
    ("RemoveLink", "Remove Link"),
    ("Restrict", "Restrict"),
    ("UserOwned", "Cascade User-Owned"),
];

/// What begins the id of every connector.
const CONNECTOR: &str = "/providers/Microsoft.PowerApps/apis/";

/// Connectors that most solutions use, as makers meet them.
#[rustfmt::skip]
const CONNECTORS: &[(&str, &str)] = &[
    ("shared_approvals", "Approvals"),
    ("shared_azureblob", "Azure Blob Storage"),
    ("shared_commondataservice", "Microsoft Dataverse (legacy)"),
    ("shared_commondataserviceforapps", "Microsoft Dataverse"),
    ("shared_excelonlinebusiness", "Excel Online (Business)"),
    ("shared_flowmanagement", "Power Automate Management"),
    ("shared_keyvault", "Azure Key Vault"),
    ("shared_microsoftforms", "Microsoft Forms"),
    ("shared_office365", "Office 365 Outlook"),
    ("shared_office365groups", "Office 365 Groups"),
    ("shared_office365users", "Office 365 Users"),
    ("shared_onedriveforbusiness", "OneDrive for Business"),
    ("shared_planner", "Planner"),
    ("shared_powerappsforadmins", "Power Apps for Admins"),
    ("shared_powerappsforappmakers", "Power Apps for Makers"),
    ("shared_powerplatformforadmins", "Power Platform for Admins"),
    ("shared_sharepointonline", "SharePoint"),
    ("shared_sql", "SQL Server"),
    ("shared_teams", "Microsoft Teams"),
    ("shared_visualstudioteamservices", "Azure DevOps"),
    ("shared_webcontents", "HTTP with Microsoft Entra ID"),
];

/// The connector that an id names, as people call it; a text that is no such id is itself.
pub(super) fn connector(id: &str) -> &str {
    let Some(name) = id.strip_prefix(CONNECTOR) else {
        return id;
    };
    let known = CONNECTORS.iter().find(|(known, _)| *known == name);
    known.map_or_else(
        || name.strip_prefix("shared_").unwrap_or(name),
        |(_, word)| word,
    )
}

/// The setting as people call it; one that is not listed keeps its name.
pub(super) fn setting(property: &str) -> String {
    let (outer, last) = match property.rsplit_once('.') {
        Some((outer, last)) => (Some(outer), last),
        None => (None, property),
    };
    let known = |name: &str| {
        let entry = SETTINGS.iter().find(|(known, _)| *known == name);
        entry.map(|(_, word)| (*word).to_owned())
    };
    match (known(property), outer) {
        (Some(word), _) => word,
        (None, Some(outer)) => {
            known(last).map_or_else(|| property.to_owned(), |word| format!("{outer}.{word}"))
        }
        (None, None) => property.to_owned(),
    }
}

/// The value of a setting in words, where its code has some.
pub(super) fn meaning(property: &str, value: String) -> String {
    let name = property.rsplit('.').next().unwrap_or(property);
    let code = CODES
        .iter()
        .find(|(setting, code, _)| *setting == name && *code == value);
    if let Some((_, _, word)) = code {
        return (*word).to_owned();
    }
    if name.starts_with("Cascade")
        && let Some((_, word)) = CASCADES.iter().find(|(code, _)| *code == value)
    {
        return (*word).to_owned();
    }
    if value.starts_with(CONNECTOR) {
        return connector(&value).to_owned();
    }
    let is_flag = matches!(name, "Managed" | "isrequired" | "iscustomizable")
        || ["Is", "Can", "ValidFor"].iter().any(|begin| {
            name.strip_prefix(begin)
                .is_some_and(|rest| rest.starts_with(char::is_uppercase))
        });
    match (is_flag, value.as_str()) {
        (true, "0" | "false" | "False") => "no".to_owned(),
        (true, "1" | "true" | "True") => "yes".to_owned(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_their_codes_have_words() {
        assert_eq!(setting("MaxLength"), "maximum length");
        assert_eq!(
            setting("optionset.IsCustomizable"),
            "optionset.customizable"
        );
        assert_eq!(setting("Unheard"), "Unheard");
        assert_eq!(meaning("Stage", "40".into()), "after the operation");
        assert_eq!(meaning("IsSecured", "1".into()), "yes");
        assert_eq!(meaning("MaxLength", "1".into()), "1");
        assert_eq!(meaning("Issue", "1".into()), "1");
        assert_eq!(meaning("CascadeDelete", "RemoveLink".into()), "Remove Link");
        assert_eq!(meaning("authenticationmode", "2".into()), "with Microsoft");
        let connector = |name: &str| meaning("connectorid", format!("{CONNECTOR}{name}"));
        assert_eq!(connector("shared_sharepointonline"), "SharePoint");
        assert_eq!(connector("shared_acme-5fpermits"), "acme-5fpermits");
    }
}
