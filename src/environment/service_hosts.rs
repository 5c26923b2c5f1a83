//! Where the services beside Dataverse answer: Power Apps, administration, connectivity.
//!
//! Hosts: Dataverse Web API notes, 2.2 and 8.4.

use url::Url;

use super::{Environment, EnvironmentError};
use crate::transport::authorize::service_host;

/// The hosts of one cloud, or of an emulated tenant served on loopback.
#[derive(Debug, Clone)]
pub struct ServiceHosts {
    /// `https://host`, or a loopback base under which each host is a path segment.
    loopback: Option<Url>,
    power_apps: String,
    administration: String,
    connectivity: String,
}

impl ServiceHosts {
    /// The hosts of the cloud that the environment at `url` belongs to, told from its domain. An
    /// address on loopback gives the public cloud's hosts below the same base.
    pub fn beside(url: &Url) -> Self {
        let host = service_host(url);
        let own = url.host_str().unwrap_or_default();
        let loopback = (host != own).then(|| {
            let mut base = url.clone();
            base.set_path("/");
            base.set_query(None);
            base
        });
        let (power_apps, administration, connectivity) = if host.ends_with(".dynamics.us") {
            (
                "high.api.powerapps.us",
                "high.api.bap.microsoft.us",
                "environment.api.appsplatform.us",
            )
        } else if host.ends_with(".crm9.dynamics.com") {
            (
                "gov.api.powerapps.us",
                "gov.api.bap.microsoft.us",
                "environment.api.gov.powerplatform.microsoft.us",
            )
        } else if host.ends_with(".dynamics.cn") {
            (
                "api.powerapps.cn",
                "api.bap.partner.microsoftonline.cn",
                "environment.api.powerplatform.partner.microsoftonline.cn",
            )
        } else {
            (
                "api.powerapps.com",
                "api.bap.microsoft.com",
                "environment.api.powerplatform.com",
            )
        };
        Self {
            loopback,
            power_apps: power_apps.to_owned(),
            administration: administration.to_owned(),
            connectivity: connectivity.to_owned(),
        }
    }

    /// An address of the Power Apps service.
    pub(super) fn power_apps(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        self.address(&self.power_apps, path, query)
    }

    /// An address of the administration (BAP) service.
    pub(super) fn administration(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        self.address(&self.administration, path, query)
    }

    /// An address of the connectivity service of one environment: its id without dashes, a dot
    /// before the last two characters.
    pub(super) fn connectivity(
        &self,
        environment_id: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Url {
        let id: String = environment_id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let (start, end) = id.split_at(id.len().saturating_sub(2));
        self.address(&format!("{start}.{end}.{}", self.connectivity), path, query)
    }

    fn address(&self, host: &str, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = match &self.loopback {
            Some(base) => base.clone(),
            None => {
                let mut url = Url::parse("https://host/").expect("a constant address parses");
                // An unusable host keeps "host", which resolves nowhere; ids are checked upstream.
                let _ = url.set_host(Some(host));
                url
            }
        };
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            if self.loopback.is_some() {
                segments.push(host);
            }
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl Environment {
    /// The id by which the Power Apps services know this environment, such as
    /// `Default-<guid>` or a guid. Asked once: of the organisation itself, or else of the
    /// administration service.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when neither tells it.
    pub fn environment_id(&self) -> Result<String, EnvironmentError> {
        if let Some(id) = self.0.environment_id.get() {
            return Ok(id.clone());
        }
        let id = match self.id_from_organization() {
            Ok(Some(id)) => id,
            Ok(None) => self.id_from_administration()?,
            Err(error) if error.refusal().is_some() => self.id_from_administration()?,
            Err(error) => return Err(error),
        };
        Ok(self.0.environment_id.get_or_init(|| id).clone())
    }

    fn id_from_organization(&self) -> Result<Option<String>, EnvironmentError> {
        let mut url = self.addresses().action("RetrieveCurrentOrganization")?;
        let call = "(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')";
        url.set_path(&format!("{}{call}", url.path()));
        let answer = self.get(url)?;
        Ok(answer["Detail"]["EnvironmentId"]
            .as_str()
            .filter(|id| !id.is_empty())
            .map(str::to_owned))
    }

    fn id_from_administration(&self) -> Result<String, EnvironmentError> {
        let url = self.0.hosts.administration(
            &["providers", "Microsoft.BusinessAppPlatform", "environments"],
            &[("api-version", "2020-10-01")],
        );
        let wanted = service_host(self.url());
        let host = |value: &serde_json::Value| {
            value
                .as_str()
                .and_then(|text| Url::parse(text).ok())
                .map(|url| service_host(&url))
        };
        for environment in self.get_pages(url)? {
            let linked = &environment["properties"]["linkedEnvironmentMetadata"];
            let hosts = [
                host(&linked["instanceUrl"]),
                host(&linked["instanceApiUrl"]),
            ];
            if hosts.contains(&Some(wanted.clone()))
                && let Some(name) = environment["name"].as_str()
            {
                return Ok(name.to_owned());
            }
        }
        Err(self.missing("environment id", &wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> ServiceHosts {
        ServiceHosts::beside(&url.parse().unwrap())
    }

    #[test]
    fn the_connectivity_host_is_made_from_the_environment_id() {
        let url = hosts("https://contoso.crm4.dynamics.com").connectivity(
            "0A1B2C3D-0000-1111-2222-333344445566",
            &["connectivity", "connections"],
            &[("api-version", "1")],
        );
        assert_eq!(
            url.as_str(),
            "https://0a1b2c3d0000111122223333444455.66.environment.api.powerplatform.com/connectivity/connections?api-version=1"
        );
    }

    #[test]
    fn on_loopback_every_host_is_a_path_segment() {
        let url = hosts("http://127.0.0.1:8080/contoso.crm4.dynamics.com")
            .power_apps(&["providers", "a/b"], &[]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:8080/api.powerapps.com/providers/a%2Fb"
        );
    }
}
