//! `alm tenant serve`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::render::Output;
use crate::emulator::Tenant;
use crate::emulator::serve::Server;
use crate::workspace::people::PeoplePassword;

/// Serve the emulated tenant on this machine, until Ctrl-C
///
/// Any HTTP client and `git clone` can look at it. The first part of a path is the host that is
/// meant: http://127.0.0.1:PORT/contoso-dev.crm4.dynamics.com/api/data/v9.2/WhoAmI. Tokens come
/// from http://127.0.0.1:PORT/login.microsoftonline.com/…/oauth2/v2.0/token. The people of the
/// tenant have one password, made for the workspace when it is first served and kept in
/// .alm/secrets/people; git takes it too, with a person's name before it.
///
/// Web pages are not answered: a request must name 127.0.0.1 or localhost as its host and must
/// not come from a page of another address.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Runs `alm tenant serve`.
pub fn run(arguments: &ServeArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let workspace = options.open()?;
    let tenant = Arc::new(Tenant::open(&workspace.tenant())?);
    let password = PeoplePassword::of(&workspace)?;
    tenant.keep_password(&password.secret)?;
    let server = Server::bind(tenant, arguments.port)?;
    let mut hosts = vec!["login.microsoftonline.com".to_owned()];
    let config = workspace.config();
    let environments = config
        .environments
        .iter()
        .map(|(_, environment)| &environment.url);
    let organisations = config.hosts.iter().map(|(_, host)| &host.url);
    for url in environments.chain(organisations) {
        let host = url.host_str().unwrap_or_default().to_owned();
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let urls: Vec<String> = hosts.iter().map(|host| server.url_of(host)).collect();
    output.object(&json!({
        "event": "serving",
        "address": server.address().to_string(),
        "urls": urls,
        "password_file": password.file,
    }));
    output.line(format!(
        "Serving the emulated tenant on {}; Ctrl-C ends it",
        server.address()
    ));
    urls.iter().for_each(|url| output.line(format!("  {url}")));
    if password.is_new {
        let secret = password.secret.expose();
        output.line(format!("Everybody's password, shown only now: {secret}"));
    }
    output.line(format!("The password is in {}", password.file.display()));
    server.run_until_interrupted()?;
    Ok(())
}
