//! For which service a token was made. A service takes no token that was made for another one
//! (facts/dataverse-web-api.md, section 2.2).

use super::call::Call;
use crate::transport::Url;

/// The audience of Azure DevOps: its application id.
const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";
/// The audience of who signed in with HTTP Basic, which only Azure DevOps takes.
pub const BASIC: &str = "basic";

/// Whether the token of `call` was made for Azure DevOps.
pub fn is_for_azure_devops(call: &Call) -> bool {
    let audience = call.audience.as_deref().unwrap_or_default();
    audience == BASIC
        || audience.eq_ignore_ascii_case(AZURE_DEVOPS)
        || is_one_of(
            audience,
            &["dev.azure.com", "app.vssps.visualstudio.com"],
            call,
        )
}

/// Whether the token of `call` was made for the host that is called, or for one of `others`, the
/// further hosts by which the same service is known.
pub fn is_for_host(call: &Call, others: &[&str]) -> bool {
    let audience = call.audience.as_deref().unwrap_or_default();
    // Some clients know a served environment by the address of this computer only.
    let loopback = call.base.strip_suffix(&format!("/{}", call.host));
    let own = |audience: &str| {
        loopback.is_some_and(|origin| {
            audience.eq_ignore_ascii_case(origin) || audience.eq_ignore_ascii_case(&call.base)
        })
    };
    own(audience.trim_end_matches('/'))
        || is_one_of(audience, &[call.host.as_str()], call)
        || is_one_of(audience, others, call)
}

/// Whether `audience` is the https address of one of `hosts`, or the address under which this
/// caller reaches that host.
fn is_one_of(audience: &str, hosts: &[&str], call: &Call) -> bool {
    let plain = audience.trim_end_matches('/');
    hosts.iter().any(|host| {
        let real = Url::parse(plain).is_ok_and(|url| {
            url.scheme() == "https"
                && url.path() == "/"
                && url.port().is_none()
                && url
                    .host_str()
                    .is_some_and(|it| it.eq_ignore_ascii_case(host))
        });
        real || plain.eq_ignore_ascii_case(&call.address_of(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Method, Request};
    use jiff::Timestamp;

    fn call(url: &str, audience: &str) -> Call {
        let request = Request::new(Method::GET, url.parse().unwrap());
        let mut call = Call::new(request, Timestamp::UNIX_EPOCH);
        call.audience = Some(audience.into());
        call
    }

    #[test]
    fn a_token_opens_the_service_that_it_names_and_no_other() {
        const DEV: &str = "https://contoso-dev.crm4.dynamics.com/api";
        const SERVED: &str = "http://127.0.0.1:81/contoso-dev.crm4.dynamics.com/api";
        let fits = |url: &str, audience: &str| is_for_host(&call(url, audience), &[]);
        assert!(fits(DEV, "https://contoso-dev.crm4.dynamics.com"));
        assert!(fits(DEV, "https://Contoso-Dev.crm4.dynamics.com/"));
        assert!(fits(SERVED, "https://contoso-dev.crm4.dynamics.com"));
        assert!(fits(SERVED, "http://127.0.0.1:81"));
        assert!(fits(
            SERVED,
            "http://127.0.0.1:81/contoso-dev.crm4.dynamics.com"
        ));
        for other in [
            "",
            "h",
            "https",
            "basic",
            "refresh",
            "https://contoso.crm4.dynamics.com",
            "https://a.example/contoso-dev.crm4.dynamics.com",
            "https://contoso-dev.crm4.dynamics.com.evil.example",
            "http://127.0.0.1:82",
        ] {
            assert!(!fits(DEV, other), "{other}");
            assert!(!fits(SERVED, other), "{other}");
        }
        let organisation = |audience: &str| {
            is_for_azure_devops(&call(
                "https://dev.azure.com/contoso/_apis/projects",
                audience,
            ))
        };
        assert!(organisation(AZURE_DEVOPS) && organisation(BASIC));
        assert!(!organisation("https://contoso-dev.crm4.dynamics.com"));
        assert!(!organisation(""));
    }
}
